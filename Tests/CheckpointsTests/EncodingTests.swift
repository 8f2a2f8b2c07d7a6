import Checkpoints
import Tensors
import TestSupport
import Testing

@Suite("Putting numbers into small codes")
struct EncodingTests {
  private static let file = Golden.bundledFolder + "/formats/gguf/encoded.gguf"

  @Test("the blocks of 32, halves and bfloat16 are those that the gguf package makes, bit by bit")
  func packages() throws {
    let file = try GGUFFile(path: Self.file)
    let numbers = try file.tensor("numbers")
    for coding in [ElementCoding.q8_0, .q4_0, .q4_1, .q5_0, .q5_1] {
      guard case .encoded(let expected) = try file.matrix(coding.rawValue) else {
        Issue.record("\(coding) is not in blocks")
        continue
      }
      let codes = coding.encode(numbers.floats().span)
      #expect(codes == expected.codes.withBytes { span in span.indices.map { span[$0] } }, "\(coding)")
    }
    for dtype in [DType.f16, .bf16] {
      let (made, expected) = (numbers.converted(to: dtype), try file.tensor(dtype.rawValue))
      #expect(bytes(made) == bytes(expected), "\(dtype)")
    }
  }

  private func bytes(_ tensor: Tensor) -> [UInt8] { tensor.withBytes { span in span.indices.map { span[$0] } } }

  @Test("every half and every e4m3 code is the code of its own number; ties go to the even one")
  func codes() {
    for bits in UInt16.min...UInt16.max where !Float(halfBits: bits).isNaN {
      #expect(Float(halfBits: bits).halfBits == bits)
    }
    for code in 0..<256 where !SmallFloat.e4m3[code].isNaN {
      #expect(SmallFloat.e4m3Code(SmallFloat.e4m3[code]) == UInt8(code))
    }
    #expect(Float.nan.halfBits & 0x7C00 == 0x7C00 && Float(halfBits: Float.nan.halfBits).isNaN)
    #expect((65_519 as Float).halfBits == 0x7BFF && (65_520 as Float).halfBits == 0x7C00)
    #expect(
      (0x1p-25 as Float).halfBits == 0 && (0x1.8p-25 as Float).halfBits == 1 && (-0x1p-24 as Float).halfBits == 0x8001)
    #expect((0x1.FFFp-15 as Float).halfBits == 0x0400)  // carries into the exponent
    #expect(
      SmallFloat.e4m3[Int(SmallFloat.e4m3Code(1e9))] == 448 && SmallFloat.e4m3[Int(SmallFloat.e4m3Code(-500))] == -448)
    #expect(SmallFloat.e4m3[Int(SmallFloat.e4m3Code(.nan))].isNaN)
    // Between 1 and 1.125, and between 1.125 and 1.25.
    #expect(
      SmallFloat.e4m3[Int(SmallFloat.e4m3Code(1.0625))] == 1
        && SmallFloat.e4m3[Int(SmallFloat.e4m3Code(1.1875))] == 1.25)
    #expect(
      SmallFloat.e4m3[Int(SmallFloat.e4m3Code(0x1p-10))] == 0
        && SmallFloat.e4m3[Int(SmallFloat.e4m3Code(0x1.8p-10))] == 0x1p-9)
  }

  @Test(
    "blocks of 256 are at least as near as codes spread evenly from the least to the largest number of each group",
    arguments: [
      (ElementCoding.q2_K, width: 16, levels: 3, isSigned: false), (.q3_K, 16, 4, true), (.q4_K, 32, 15, false),
      (.q5_K, 32, 31, false), (.q6_K, 16, 32, true),
    ])
  func errors(_ coding: ElementCoding, width: Int, levels: Float, isSigned: Bool) {
    let numbers = NormalNumbers.make(1 << 12)
    let decoded = coding.decode(coding.encode(numbers.span))
    let plain = stride(from: 0, to: numbers.count, by: width).flatMap { start in
      Self.evenly(numbers[start..<start + width], levels: levels, isSigned: isSigned)
    }
    // The plain codes have scales of full precision, the blocks' own are small numbers.
    #expect(relativeError(decoded, numbers) < 1.02 * relativeError(plain, numbers))
    // Scaled numbers have scaled codes.
    let small = numbers.map { $0 * 0x1p-6 }
    #expect(
      abs(relativeError(coding.decode(coding.encode(small.span)), small) / relativeError(decoded, numbers) - 1) < 0.02)
  }

  private static func evenly(_ group: ArraySlice<Float>, levels: Float, isSigned: Bool) -> [Float] {
    if isSigned {
      let farthest = group.max { $0.magnitude < $1.magnitude } ?? 0
      let scale = farthest / -levels
      return group.map { min(max(($0 / scale).rounded(), -levels), levels - 1) * scale }
    }
    let (least, most) = (min(group.min() ?? 0, 0), max(group.max() ?? 0, 0))
    let scale = (most - least) / levels
    return group.map { (($0 - least) / scale).rounded() * scale + least }
  }

  @Test(
    "numbers that blocks are not made for give finite numbers or none at all, and never a trap",
    arguments: ElementCoding.allCases.filter(\.isWritten))
  func strange(_ coding: ElementCoding) {
    let zeros = [Float](repeating: 0, count: 256)
    #expect(coding.decode(coding.encode(zeros.span)).allSatisfy { $0 == 0 })
    for value: Float in [1, -1, 1e-38, -0x1p-149, 1e30, -1e30, 65_504, 3e5] {
      for period in [1, 2, 16, 256] {
        let numbers = (0..<256).map { $0 % period == 0 ? value : Float($0 % 3) * value / 7 }
        let decoded = coding.decode(coding.encode(numbers.span))
        #expect(decoded.count == 256)
        if value.magnitude == 1, period == 1 { #expect(relativeError(decoded, numbers) < 0.02, "\(coding)") }
      }
    }
  }
}

/// Twelve uniform numbers make a normal one.
private enum NormalNumbers {
  static func make(_ count: Int) -> [Float] {
    let uniform = Tensor.random([12 * count], seed: 5).floats()
    return (0..<count).map { i in (0..<12).reduce(0) { $0 + uniform[12 * i + $1] } }
  }
}
