import Files

/// Runs a pickle's instructions over plain data: it builds values, and calls, imports and executes nothing.
///
/// The instructions are those of CPython's `pickletools`, as far as `torch.save` writes them. An instruction puts one
/// value on the stack, and a value goes into one container, so that all containers together hold no more values than the
/// pickle has bytes, and it costs no more time. Only an OrderedDict made of a list and a tensor made of its sizes
/// copy values that stay where they were: ``checkSize()`` holds them to the same measure.
struct PickleMachine {
  /// The pickles of published checkpoints have some hundred kilobytes.
  static let maximumByteCount = 1 << 24
  static let maximumStack = 1 << 16
  static let maximumNodes = 1 << 19
  /// Of modules, classes and storages; names are hashed, see ``NameLimits/longest``.
  static let longestName = 256

  var bytes: CheckpointCursor
  var stack: [PickleValue] = []
  /// Stack heights at the open marks.
  var marks: [Int] = []
  var memo: [Int: PickleValue] = [:]
  var heap = PickleHeap()
  /// The instruction at work, and its place.
  private(set) var opcode = PickleOpcode.stop
  private var start: Int
  /// Bytes of the pickle.
  private let byteCount: Int

  static func run(_ bytes: CheckpointCursor) throws(CheckpointError) -> PickleResult {
    guard bytes.remaining <= maximumByteCount else {
      throw bytes.failure("the pickle has \(bytes.remaining) bytes, more than \(maximumByteCount)")
    }
    var machine = PickleMachine(bytes: bytes, start: bytes.position)
    while try machine.step() {}
    let root = try machine.pop()
    return PickleResult(root: root, heap: machine.heap, byteCount: machine.bytes.position - bytes.position)
  }

  private init(bytes: CheckpointCursor, start: Int) {
    self.bytes = bytes
    self.start = start
    byteCount = bytes.remaining
  }

  private mutating func step() throws(CheckpointError) -> Bool {
    start = bytes.position
    let code = try bytes.byte()
    guard let opcode = PickleOpcode(rawValue: code) else {
      throw bytes.failure(
        "the pickle has an instruction \(code) that torch.save never writes", at: start,
        advice: "save the checkpoint as safetensors")
    }
    self.opcode = opcode
    try execute(opcode)
    try checkSize()
    return opcode != .stop
  }

  func checkSize() throws(CheckpointError) {
    guard stack.count <= Self.maximumStack, marks.count <= Self.maximumStack, memo.count <= Self.maximumNodes,
      heap.count <= Self.maximumNodes, heap.views.count <= TorchState.maximumTensors, heap.elementCount <= byteCount
    else { throw failure("the pickle needs more memory than any checkpoint does") }
  }

  func failure(_ problem: String, advice: String? = nil) -> CheckpointError {
    CheckpointError(path: bytes.path, at: .opcode(opcode.name, at: start), problem, advice: advice)
  }
}

// MARK: - The stack

extension PickleMachine {
  mutating func push(_ value: PickleValue) {
    stack.append(value)
  }

  mutating func pop() throws(CheckpointError) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else { throw failure("the stack is empty") }
    return value
  }

  /// What lies above the last mark, which is taken away too.
  mutating func popToMark() throws(CheckpointError) -> [PickleValue] {
    guard let height = marks.popLast() else { throw failure("there is no mark") }
    defer { stack.removeSubrange(height...) }
    return Array(stack[height...])
  }

  func top() throws(CheckpointError) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else { throw failure("the stack is empty") }
    return value
  }

  mutating func popTuple(_ count: Int) throws(CheckpointError) {
    guard stack.count - (marks.last ?? 0) >= count else { throw failure("the stack is empty") }
    let elements = Array(stack.suffix(count))
    stack.removeLast(count)
    push(.tuple(heap.sequence(elements)))
  }

  mutating func popString() throws(CheckpointError) -> String {
    guard case .string(let string) = try pop() else { throw failure("a string is expected") }
    return string
  }
}
