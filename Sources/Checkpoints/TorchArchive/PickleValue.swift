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
  case storage(TorchStorage)
  case tensor(TorchView)
}

/// The containers that a pickle has made, by number.
struct PickleHeap {
  var sequences: [[PickleValue]] = [[]]
  var maps: [[(key: PickleValue, value: PickleValue)]] = []

  var count: Int { sequences.count + maps.count }

  mutating func sequence(_ elements: [PickleValue]) -> Int {
    if elements.isEmpty { return 0 }
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
}

/// What an archive's `data.pkl` describes.
struct PickleResult {
  let root: PickleValue
  let heap: PickleHeap
  /// Bytes of the pickle: what it may cost to walk over its result.
  let byteCount: Int
}
