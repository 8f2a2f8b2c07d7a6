/// What a pickle's instructions make: plain values, and nodes that live in a ``PickleHeap``.
///
/// Nodes are numbers, not references, so that no pickle can build a cycle or a chain that is deep to release.
enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  case float
  case string(String)
  case bytes
  /// A tuple or list: its elements in the heap.
  case tuple(Int)
  case list(Int)
  /// A dict or OrderedDict: its members in the heap.
  case map(Int)
  case global(TorchGlobal)
  /// A storage, and a tensor: by number, so that a value is small.
  case storage(Int)
  case tensor(Int)
}

/// The containers, storages and tensors that a pickle has made, by number.
struct PickleHeap {
  private(set) var sequences: [[PickleValue]] = [[]]
  private(set) var maps: [[(key: PickleValue, value: PickleValue)]] = []
  private(set) var storages: [TorchStorage] = []
  private(set) var views: [TorchView] = []
  /// Values in all containers together, and the sizes and strides of all views: each view has its own copy.
  private(set) var elementCount = 0

  var count: Int { sequences.count + maps.count + storages.count + views.count }

  mutating func sequence(_ elements: [PickleValue]) -> Int {
    if elements.isEmpty { return 0 }
    elementCount += elements.count
    sequences.append(elements)
    return sequences.count - 1
  }

  mutating func list() -> Int {
    sequences.append([])
    return sequences.count - 1
  }

  mutating func map() -> Int {
    maps.append([])
    return maps.count - 1
  }

  mutating func storage(_ storage: TorchStorage) -> Int {
    storages.append(storage)
    return storages.count - 1
  }

  mutating func view(_ view: TorchView) -> Int {
    elementCount += view.size.count + view.stride.count
    views.append(view)
    return views.count - 1
  }

  mutating func append(_ elements: [PickleValue], to list: Int) {
    elementCount += elements.count
    sequences[list] += elements
  }

  mutating func append(_ key: PickleValue, _ value: PickleValue, to map: Int) {
    elementCount += 2
    maps[map].append((key, value))
  }
}

/// What an archive's `data.pkl` describes.
struct PickleResult {
  let root: PickleValue
  let heap: PickleHeap
  /// Bytes of the pickle: what it may cost to walk over its result.
  let byteCount: Int
}
