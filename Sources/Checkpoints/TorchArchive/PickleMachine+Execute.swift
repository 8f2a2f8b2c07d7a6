// What each instruction does, in the order of pickletools.

import Files

extension PickleMachine {
  mutating func execute(_ opcode: PickleOpcode) throws(CheckpointError) {
    switch opcode {
    case .proto: try checkProtocol()
    case .frame: try checkFrame()
    case .stop, .none, .newTrue, .newFalse, .emptyTuple, .emptyList, .emptyDict: pushConstant(opcode)
    case .binInt, .binInt1, .binInt2, .long1, .binFloat: try pushNumber(opcode)
    case .binUnicode, .shortBinUnicode, .binUnicode8, .binString, .shortBinString: try pushString(opcode)
    case .binBytes, .shortBinBytes, .binBytes8: try passBytes(opcode)
    case .mark: marks.append(stack.count)
    case .pop, .popMark, .dup: try shuffle(opcode)
    case .tuple: push(.tuple(heap.sequence(try popToMark())))
    case .tuple1: try popTuple(1)
    case .tuple2: try popTuple(2)
    case .tuple3: try popTuple(3)
    case .append: try append([pop()])
    case .appends: try append(popToMark())
    case .setItem: try setItem()
    case .setItems: try setItems(popToMark())
    case .binPut, .longBinPut, .memoize: try remember(opcode)
    case .binGet: try recall(bytes.count(UInt8.self))
    case .longBinGet: try recall(bytes.count(UInt32.self))
    case .global: try pushGlobal(module: line(), name: line())
    case .stackGlobal: try pushStackGlobal()
    case .binPersID: try pushStorage()
    case .reduce: try reduce()
    case .build: try build()
    }
  }

  private mutating func checkProtocol() throws(CheckpointError) {
    let version = try bytes.byte()
    guard (2...5).contains(version) else { throw failure("protocol \(version) is not one of 2 to 5") }
  }

  private mutating func checkFrame() throws(CheckpointError) {
    let length = try bytes.integer(UInt64.self)
    guard length <= bytes.remaining else { throw failure("the frame of \(length) bytes runs past the pickle's end") }
  }

  private mutating func pushConstant(_ opcode: PickleOpcode) {
    switch opcode {
    case .none: push(.none)
    case .newTrue: push(.bool(true))
    case .newFalse: push(.bool(false))
    case .emptyTuple: push(.tuple(heap.sequence([])))
    case .emptyList: push(.list(heap.list()))
    case .emptyDict: push(.map(heap.map()))
    default: break
    }
  }

  private mutating func pushNumber(_ opcode: PickleOpcode) throws(CheckpointError) {
    switch opcode {
    case .binInt: push(.int(Int(Int32(bitPattern: try bytes.integer(UInt32.self)))))
    case .binInt1: push(.int(try bytes.count(UInt8.self)))
    case .binInt2: push(.int(try bytes.count(UInt16.self)))
    case .long1: push(.int(try long(bytes.count(UInt8.self))))
    default:
      try bytes.skip(8)
      push(.float)
    }
  }

  /// A little-endian two's complement number.
  private mutating func long(_ count: Int) throws(CheckpointError) -> Int {
    guard count <= 8 else { throw failure("the number has \(count) bytes, more than 8") }
    var value: UInt64 = 0
    var last: UInt8 = 0
    for i in 0..<count {
      last = try bytes.byte()
      value |= UInt64(last) << UInt64(8 * i)
    }
    if last >= 0x80, count < 8 { value |= .max << UInt64(8 * count) }
    return Int(Int64(bitPattern: value))
  }

  private mutating func pushString(_ opcode: PickleOpcode) throws(CheckpointError) {
    switch opcode {
    case .shortBinUnicode, .shortBinString: push(.string(try bytes.text(bytes.count(UInt8.self))))
    case .binUnicode8: push(.string(try bytes.text(bytes.count(UInt64.self))))
    default: push(.string(try bytes.text(bytes.count(UInt32.self))))
    }
  }

  private mutating func passBytes(_ opcode: PickleOpcode) throws(CheckpointError) {
    switch opcode {
    case .shortBinBytes: try bytes.skip(bytes.count(UInt8.self))
    case .binBytes8: try bytes.skip(bytes.count(UInt64.self))
    default: try bytes.skip(bytes.count(UInt32.self))
    }
    push(.bytes)
  }

  private mutating func shuffle(_ opcode: PickleOpcode) throws(CheckpointError) {
    switch opcode {
    case .pop where stack.count == marks.last: marks.removeLast()
    case .pop: _ = try pop()
    case .popMark: _ = try popToMark()
    default: push(try top())
    }
  }
}

// MARK: - Containers and memo

extension PickleMachine {
  private mutating func append(_ elements: [PickleValue]) throws(CheckpointError) {
    guard case .list(let list) = try top() else { throw failure("only a list can be appended to") }
    heap.append(elements, to: list)
  }

  private mutating func setItem() throws(CheckpointError) {
    let value = try pop()
    try setItems([pop(), value])
  }

  private mutating func setItems(_ items: [PickleValue]) throws(CheckpointError) {
    guard case .map(let map) = try top() else { throw failure("only a dict can take members") }
    guard items.count.isMultiple(of: 2) else { throw failure("a key has no value") }
    for i in stride(from: 0, to: items.count, by: 2) { heap.append(items[i], items[i + 1], to: map) }
  }

  private mutating func remember(_ opcode: PickleOpcode) throws(CheckpointError) {
    let slot =
      switch opcode {
      case .binPut: try bytes.count(UInt8.self)
      case .longBinPut: try bytes.count(UInt32.self)
      default: memo.count
      }
    memo[slot] = try top()
  }

  private mutating func recall(_ slot: Int) throws(CheckpointError) {
    guard let value = memo[slot] else { throw failure("nothing is remembered under \(slot)") }
    push(value)
  }

  /// Text up to a line feed.
  private mutating func line() throws(CheckpointError) -> String {
    let start = bytes
    var count = 0
    while try bytes.byte() != UInt8(ascii: "\n") {
      count += 1
      guard count <= Self.longestName else { throw failure("a name of more than \(Self.longestName) bytes") }
    }
    var text = start
    return try text.text(count)
  }
}
