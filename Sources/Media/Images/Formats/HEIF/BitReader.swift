/// Bits from the highest down, and Exp-Golomb codes.
struct BitReader {
  private var bytes: [UInt8] = []
  private var place = 0

  init(plain bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }

  /// - Parameter unit: one of HEVC, whose guard bytes (3 after two zeros) are taken out.
  init(guarded unit: ArraySlice<UInt8>) {
    var zeros = 0
    for byte in unit {
      if zeros >= 2, byte == 3 {
        zeros = 0
        continue
      }
      zeros = byte == 0 ? zeros + 1 : 0
      bytes.append(byte)
    }
  }

  mutating func read(_ count: Int) throws(Refusal) -> Int {
    guard place + count <= 8 * bytes.count else { throw .damaged("its coding parameters end early") }
    var value = 0
    for _ in 0..<count {
      value = value << 1 | Int(bytes[place / 8] >> UInt8(7 - place % 8) & 1)
      place += 1
    }
    return value
  }

  mutating func skip(_ count: Int) throws(Refusal) {
    guard place + count <= 8 * bytes.count else { throw .damaged("its coding parameters end early") }
    place += count
  }

  mutating func flag() throws(Refusal) -> Bool { try read(1) == 1 }

  /// An unsigned Exp-Golomb code; a signed one is as long.
  mutating func code() throws(Refusal) -> Int {
    var zeros = 0
    while try read(1) == 0 { zeros += 1 }
    guard zeros <= 32 else { throw .damaged("its coding parameters are out of range") }
    return (1 << zeros) - 1 + (try read(zeros))
  }
}
