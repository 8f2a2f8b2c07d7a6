import Files
import Tensors

// The meaning of the few names that a checkpoint's pickle may use.

extension PickleMachine {
  mutating func pushGlobal(module: String, name: String) throws(CheckpointError) {
    guard module.utf8.count <= Self.longestName, name.utf8.count <= Self.longestName else {
      throw failure("a name of more than \(Self.longestName) bytes")
    }
    guard let global = TorchGlobal(module: module, name: name) else {
      let refusal = TorchGlobal.refusal(module: module, name: name)
      throw failure(refusal.problem, advice: refusal.advice)
    }
    push(.global(global))
  }

  mutating func pushStackGlobal() throws(CheckpointError) {
    let name = try popString()
    try pushGlobal(module: popString(), name: name)
  }

  /// A persistent id: `('storage', class, key, location, count)`.
  mutating func pushStorage() throws(CheckpointError) {
    guard let id = elements(try pop()), id.count == 5, case .string(let kind) = id[0],
      kind.utf8.elementsEqual("storage".utf8), case .global(.storageType(let format)) = id[1],
      case .string(let key) = id[2], key.utf8.count <= Self.longestName, !NameLimits.isCostly(key),
      case .int(let count) = id[4], count >= 0
    else { throw failure("this is not the name of a storage") }
    push(.storage(heap.storage(TorchStorage(key: key, format: format, count: count))))
  }

  /// Stands in for a call.
  mutating func reduce() throws(CheckpointError) {
    guard case .tuple(let index) = try pop() else { throw failure("the arguments are not a tuple") }
    let arguments = heap.sequences[index]
    guard case .global(let global) = try pop() else { throw failure("only the names of a checkpoint can be used") }
    switch global {
    case .orderedDict: push(.map(try orderedDict(arguments)))
    case .rebuildTensor: push(.tensor(heap.view(try tensor(arguments))))
    case .rebuildTypedTensor: push(.tensor(heap.view(try typedTensor(arguments))))
    case .rebuildParameter:
      guard case .tensor? = arguments.first else { throw failure("a parameter needs a tensor") }
      push(arguments[0])
    case .size:
      guard let first = arguments.first, elements(first) != nil else { throw failure("a size needs a tuple") }
      push(first)
    case .storageType, .elementType: throw failure("a type is not a function")
    }
  }

  /// Attributes: those of an OrderedDict (`_metadata`) say nothing about tensors.
  mutating func build() throws(CheckpointError) {
    _ = try pop()
    guard case .map = try top() else { throw failure("only an OrderedDict may carry attributes") }
  }

  private mutating func orderedDict(_ arguments: [PickleValue]) throws(CheckpointError) -> Int {
    let map = heap.map()
    guard let first = arguments.first else { return map }
    guard let pairs = elements(first) else { throw failure("an OrderedDict is made of pairs") }
    for pair in pairs {
      guard let pair = elements(pair), pair.count == 2 else { throw failure("an OrderedDict is made of pairs") }
      heap.append(pair[0], pair[1], to: map)
      try checkSize()
    }
    return map
  }

  private func tensor(_ arguments: [PickleValue]) throws(CheckpointError) -> TorchView {
    guard case .storage(let storage)? = arguments.first, let format = heap.storages[storage].format else {
      throw failure("a tensor needs a typed storage")
    }
    return try view(of: heap.storages[storage], format: format, arguments)
  }

  private func typedTensor(_ arguments: [PickleValue]) throws(CheckpointError) -> TorchView {
    guard case .storage(let storage)? = arguments.first, arguments.count >= 7,
      case .global(.elementType(let format)) = arguments[6]
    else { throw failure("a tensor needs a storage and an element type") }
    return try view(of: heap.storages[storage], format: format, arguments)
  }

  private func view(
    of storage: TorchStorage, format: ElementFormat, _ arguments: [PickleValue]
  ) throws(CheckpointError) -> TorchView {
    guard arguments.count >= 4, case .int(let offset) = arguments[1], let size = integers(arguments[2]),
      let stride = integers(arguments[3]), offset >= 0, size.count == stride.count
    else { throw failure("a tensor needs an offset, sizes and as many strides, none negative") }
    return TorchView(storage: storage, format: format, offset: offset, size: size, stride: stride)
  }

  private func elements(_ value: PickleValue) -> [PickleValue]? {
    switch value {
    case .tuple(let index), .list(let index): heap.sequences[index]
    default: nil
    }
  }

  /// A few integers of zero or more; `nil` for more of them than a tensor has axes, and for anything else.
  private func integers(_ value: PickleValue) -> [Int]? {
    guard let elements = elements(value), elements.count <= SafetensorsEntry.maximumRank else { return nil }
    let integers = elements.compactMap { if case .int(let number) = $0, number >= 0 { number } else { nil } }
    return integers.count == elements.count ? integers : nil
  }
}
