/// Byte strings and the number of each, found by walking byte by byte.
///
/// The edges of all nodes share one open-addressed table: a slot holds parent node, byte and child node in one
/// word, so that a step costs one probe and a quarter of a million pieces take tens of megabytes.
struct PieceTrie: Sendable {
  /// The most bytes that all pieces may have together: each becomes a node of some forty bytes at most. Node numbers
  /// fit in a slot's 28 bits.
  static let maximumBytes = 1 << 23
  /// The longest piece: a text is walked this far from each of its bytes. Published pieces have 48 bytes at most.
  static let maximumPiece = 512

  private var slots: [UInt64]
  /// Different in every trie, so that no file can be made whose edges all meet in one place of the table.
  private let seed = UInt64.random(in: .min ... .max)
  private var mask: Int
  private var numbers: [Int32] = [-1]

  static let root = 0

  init(expectedNodes: Int = 64) {
    var capacity = 64
    while capacity < expectedNodes * 2 { capacity *= 2 }
    slots = Array(repeating: 0, count: capacity)
    mask = capacity - 1
  }

  /// Adds `piece`; of equal pieces the last one counts.
  mutating func insert(_ piece: ArraySlice<UInt8>, number: Int32) {
    var node = Self.root
    for byte in piece {
      let slot = slotIndex(node, byte)
      if slots[slot] != 0 {
        node = Self.child(slots[slot])
        continue
      }
      let child = numbers.count
      slots[slot] = Self.key(node, byte) << 28 | UInt64(child)
      numbers.append(-1)
      node = child
      if numbers.count * 2 > slots.count { grow() }
    }
    numbers[node] = number
  }

  /// The node that `byte` leads to from `node`.
  @inline(__always)
  func step(_ node: Int, _ byte: UInt8) -> Int? {
    let slot = slots[slotIndex(node, byte)]
    return slot == 0 ? nil : Self.child(slot)
  }

  /// The number of the piece that ends at `node`, or -1.
  @inline(__always)
  func number(at node: Int) -> Int32 { numbers[node] }

  /// The number of the whole of `piece`.
  func number(of piece: ArraySlice<UInt8>) -> Int32? {
    var node = Self.root
    for byte in piece {
      guard let next = step(node, byte) else { return nil }
      node = next
    }
    return numbers[node] >= 0 ? numbers[node] : nil
  }

  @inline(__always)
  private static func key(_ node: Int, _ byte: UInt8) -> UInt64 { UInt64(node) << 8 | UInt64(byte) }

  @inline(__always)
  private static func child(_ slot: UInt64) -> Int { Int(slot & 0xFFF_FFFF) }

  /// The slot of the edge, or the free one where it belongs.
  @inline(__always)
  private func slotIndex(_ node: Int, _ byte: UInt8) -> Int {
    let key = Self.key(node, byte)
    var index = hash(key) & mask
    while slots[index] != 0, slots[index] >> 28 != key { index = (index + 1) & mask }
    return index
  }

  @inline(__always)
  private func hash(_ key: UInt64) -> Int {
    let mixed = (key ^ seed) &* 0x9E37_79B9_7F4A_7C15
    return Int(((mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93) >> 32)
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: 0, count: old.count * 2)
    mask = slots.count - 1
    for slot in old where slot != 0 {
      var index = hash(slot >> 28) & mask
      while slots[index] != 0 { index = (index + 1) & mask }
      slots[index] = slot
    }
  }
}
