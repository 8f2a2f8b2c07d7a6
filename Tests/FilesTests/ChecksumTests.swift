import Files
import Tensors
import TestSupport
import Testing

struct ChecksumTests {
  private static func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + 3) }
  }

  @Test(
    "it is XXH64: values of the xxhash package 3.6 for Python",
    arguments: [
      (0, 0xEF46_DB37_51D8_E999), (1, 0x1F25_C8D0_BC1F_4BB6), (3, 0x31D2_363F_52E5_64C9), (4, 0x9BB6_4B7D_66EE_9FDA),
      (7, 0x9A7B_1499_59CE_60D8), (8, 0xDAB9_9D95_C6F9_0092), (12, 0xD52E_4078_33AF_5133),
      (31, 0xA2AA_5F33_CC4A_6119), (32, 0x23C3_C17E_F790_FD97), (33, 0x50A7_CFC7_BA58_8784),
      (63, 0x5E3E_54B4_31C7_493C), (64, 0x0EB6_4B3E_F6EE_B01F), (100, 0xA61F_8D4C_170F_E531),
      (1000, 0x5F23_5FA0_33F1_A3FB),
    ] as [(Int, UInt64)])
  func known(count: Int, value: UInt64) {
    #expect(Checksum(Self.bytes(count).span).value == value)
  }

  @Test("pieces of any length give what the whole gives")
  func pieces() {
    var generator = SeededGenerator(seed: 1)
    let bytes = Self.bytes(500)
    for _ in 0..<200 {
      var (checksum, start) = (Checksum(), 0)
      while start < bytes.count {
        let end = min(bytes.count, start + Int.random(in: 0...70, using: &generator))
        checksum.add(Array(bytes[start..<end]).span)
        start = end
      }
      #expect(checksum.value == Checksum(bytes.span).value)
    }
  }

  @Test("a flipped bit anywhere is seen")
  func bits() {
    let bytes = Self.bytes(77)
    let sum = Checksum(bytes.span).value
    for bit in 0..<8 * bytes.count {
      var other = bytes
      other[bit / 8] ^= 1 << (bit % 8)
      #expect(Checksum(other.span).value != sum)
    }
  }
}
