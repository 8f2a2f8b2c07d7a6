/// Philox4x32-10: four random words from a key and a counter (Salmon, Moraes, Dror and Shaw, 2011).
struct Philox: Sendable {
  private let key: UInt64

  init(key: UInt64) {
    self.key = key
  }

  /// The words at `position` of one of 2^64 streams.
  func callAsFunction(stream: UInt64, position: UInt64) -> SIMD4<UInt32> {
    var (k0, k1) = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
    var c0 = UInt32(truncatingIfNeeded: position)
    var c1 = UInt32(truncatingIfNeeded: position >> 32)
    var c2 = UInt32(truncatingIfNeeded: stream)
    var c3 = UInt32(truncatingIfNeeded: stream >> 32)
    for _ in 0..<10 {
      let (a, b) = (c0.multipliedFullWidth(by: 0xD251_1F53), c2.multipliedFullWidth(by: 0xCD9E_8D57))
      (c0, c1, c2, c3) = (b.high ^ c1 ^ k0, b.low, a.high ^ c3 ^ k1, a.low)
      (k0, k1) = (k0 &+ 0x9E37_79B9, k1 &+ 0xBB67_AE85)
    }
    return SIMD4(c0, c1, c2, c3)
  }
}
