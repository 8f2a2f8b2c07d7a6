import Files

/// The tensors of an unpickled checkpoint under dotted names.
///
/// Dictionaries and lists are walked; everything else beside the tensors is passed over. Where the root holds a state
/// dictionary under one of the customary names, that alone is the checkpoint.
struct TorchState {
  static let maximumDepth = 16
  /// Each takes some hundred bytes, and a few in the pickle where it is named again; checkpoints have thousands.
  static let maximumTensors = 1 << 17
  static let wrappers = ["state_dict", "model_state", "model_state_dict", "model"]

  private(set) var views: [(name: String, view: TorchView)] = []
  private let heap: PickleHeap
  private let path: String
  private var names: Set<String> = []
  /// Values that may still be visited: a pickle can name one dictionary many times over.
  private var budget: Int
  private var nameBudget: Int

  init(_ result: PickleResult, path: String) throws(CheckpointError) {
    heap = result.heap
    self.path = path
    budget = 2 * result.byteCount
    nameBudget = 16 * result.byteCount + 1 << 16
    try visit(Self.unwrapped(result), name: "", depth: 0)
  }

  private static func unwrapped(_ result: PickleResult) -> PickleValue {
    guard case .map(let root) = result.root else { return result.root }
    for wrapper in wrappers {
      for member in result.heap.maps[root] {
        if case .string(let key) = member.key, key.utf8.elementsEqual(wrapper.utf8), case .map = member.value {
          return member.value
        }
      }
    }
    return result.root
  }

  private mutating func visit(_ value: PickleValue, name: String, depth: Int) throws(CheckpointError) {
    nameBudget -= name.utf8.count
    guard depth <= Self.maximumDepth else { throw excess }
    try spend(1)
    let prefix = name.isEmpty ? "" : name + "."
    switch value {
    case .tensor(let view): try add(heap.views[view], name)
    case .map(let map):
      // Members without a name are passed over, and counted.
      try spend(heap.maps[map].count)
      for member in heap.maps[map] {
        if let key = Self.text(member.key) { try visit(member.value, name: prefix + key, depth: depth + 1) }
      }
    case .list(let index), .tuple(let index):
      for (i, element) in heap.sequences[index].enumerated() {
        try visit(element, name: "\(prefix)\(i)", depth: depth + 1)
      }
    default: break
    }
  }

  private mutating func add(_ view: TorchView, _ name: String) throws(CheckpointError) {
    guard name.utf8.count <= NameLimits.longest, views.count < Self.maximumTensors else { throw excess }
    guard !NameLimits.isCostly(name) else {
      throw CheckpointError(
        path: path, "a name with more than \(NameLimits.longestRunOfMarks) combining marks in a row")
    }
    guard names.insert(name).inserted else {
      throw CheckpointError(path: path, at: .key(name), "the tensor occurs twice")
    }
    views.append((name, view))
  }

  private mutating func spend(_ count: Int) throws(CheckpointError) {
    budget -= count
    guard budget >= 0, nameBudget >= 0 else { throw excess }
  }

  private var excess: CheckpointError {
    CheckpointError(
      path: path, "dictionaries nested more deeply, or named more often or at greater length, than a checkpoint's are")
  }

  private static func text(_ key: PickleValue) -> String? {
    switch key {
    case .string(let key): key
    case .int(let key): String(key)
    default: nil
    }
  }
}
