/// A 64-bit checksum of bytes that come in pieces: XXH64, whose seed is 0.
///
/// It tells damage, not malice. After the algorithm's description, https://github.com/Cyan4973/xxHash (doc).
public struct Checksum: Sendable {
  /// Four sums, each of every fourth word.
  private var lanes: SIMD4<UInt64> = [prime1 &+ prime2, prime2, 0, 0 &- prime1]
  /// Bytes that do not fill a stripe yet.
  private var rest = SIMD32<UInt8>()
  private var restCount = 0
  private var count: UInt64 = 0

  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5
  private static let stripe = 32

  /// Of no bytes.
  public init() {}

  /// Of these bytes.
  public init(_ bytes: Span<UInt8>) {
    add(bytes)
  }

  /// Goes on with more bytes.
  public mutating func add(_ bytes: Span<UInt8>) {
    count &+= UInt64(bytes.count)
    var start = 0
    while restCount > 0 && start < bytes.count {
      keep(bytes[start])
      start += 1
    }
    let end = start + (bytes.count - start) / Self.stripe * Self.stripe
    unsafe bytes.withUnsafeBytes { bytes in
      // SAFETY: the range lies in the span.
      unsafe addStripes(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
    }
    for i in end..<bytes.count { keep(bytes[i]) }
  }

  /// Keeps a byte until there are enough for a stripe.
  private mutating func keep(_ byte: UInt8) {
    rest[restCount] = byte
    restCount += 1
    guard restCount == Self.stripe else { return }
    restCount = 0
    for lane in 0..<4 { lanes[lane] = Self.round(lanes[lane], word(at: 8 * lane, bytes: 8)) }
  }

  /// Goes on with a text's bytes and their number.
  public mutating func add(_ text: String) {
    add(UInt64(text.utf8.count))
    for byte in text.utf8 { addOne(byte) }
  }

  /// Goes on with a number's bytes.
  public mutating func add(_ number: UInt64) {
    for i in 0..<8 { addOne(UInt8(truncatingIfNeeded: number >> (8 * UInt64(i)))) }
  }

  private mutating func addOne(_ byte: UInt8) {
    count &+= 1
    keep(byte)
  }

  /// The checksum of all bytes so far.
  public var value: UInt64 {
    var sum = count < UInt64(Self.stripe) ? Self.prime5 : merged
    sum &+= count
    var i = 0
    while i + 8 <= restCount {
      sum = ((sum ^ Self.round(0, word(at: i, bytes: 8))).rotated(27) &* Self.prime1) &+ Self.prime4
      i += 8
    }
    if i + 4 <= restCount {
      sum = ((sum ^ (word(at: i, bytes: 4) &* Self.prime1)).rotated(23) &* Self.prime2) &+ Self.prime3
      i += 4
    }
    while i < restCount {
      sum = (sum ^ (UInt64(rest[i]) &* Self.prime5)).rotated(11) &* Self.prime1
      i += 1
    }
    sum = (sum ^ (sum >> 33)) &* Self.prime2
    sum = (sum ^ (sum >> 29)) &* Self.prime3
    return sum ^ (sum >> 32)
  }

  /// The sums of the stripes as one.
  private var merged: UInt64 {
    var sum =
      lanes[0].rotated(1) &+ lanes[1].rotated(7) &+ lanes[2].rotated(12) &+ lanes[3].rotated(18)
    for lane in 0..<4 { sum = ((sum ^ Self.round(0, lanes[lane])) &* Self.prime1) &+ Self.prime4 }
    return sum
  }

  /// - Parameter bytes: whole stripes.
  @unsafe
  private mutating func addStripes(_ bytes: UnsafeRawBufferPointer) {
    var (a, b, c, d) = (lanes[0], lanes[1], lanes[2], lanes[3])
    func word(_ offset: Int) -> UInt64 {
      // SAFETY: callers stay inside the stripes.
      UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    for offset in stride(from: 0, to: bytes.count, by: Self.stripe) {
      a = Self.round(a, word(offset))
      b = Self.round(b, word(offset + 8))
      c = Self.round(c, word(offset + 16))
      d = Self.round(d, word(offset + 24))
    }
    lanes = [a, b, c, d]
  }

  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    (lane &+ word &* prime2).rotated(31) &* prime1
  }

  private func word(at start: Int, bytes count: Int) -> UInt64 {
    (0..<count).reduce(0) { $0 | UInt64(rest[start + $1]) << (8 * $1) }
  }
}

extension UInt64 {
  fileprivate func rotated(_ bits: UInt64) -> UInt64 { self << bits | self >> (64 - bits) }
}
