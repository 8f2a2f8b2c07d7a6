/// Small codes that stand for numbers, in blocks that can be read by themselves: the 8-bit floats of safetensors and the
/// block types of GGUF.
///
/// What a code means is exact: the same float32 as ggml's and torch's own reading gives
/// (https://github.com/ggml-org/ggml, `ggml-quants.c`; the OCP's 8-bit floating point specification).
public enum ElementCoding: String, Sendable, Hashable, CaseIterable {
  /// Sign, 4 bits of exponent, 3 of fraction; no infinities, NaN where all other bits are set, largest 448.
  case e4m3 = "F8_E4M3"
  /// The upper byte of an IEEE half.
  case e5m2 = "F8_E5M2"
  /// Two codes a byte, the upper half first: sign, 2 bits of exponent, 1 of fraction.
  case e2m1 = "E2M1"
  /// 32 numbers: bytes and a scale.
  case q8_0 = "Q8_0"
  /// 32 numbers: 4 bits and a scale; with a smallest number beside it in the second form.
  case q4_0 = "Q4_0"
  /// See ``q4_0``.
  case q4_1 = "Q4_1"
  /// 32 numbers of 5 bits, the fifth bits together; forms as ``q4_0``.
  case q5_0 = "Q5_0"
  /// See ``q5_0``.
  case q5_1 = "Q5_1"
  /// 256 numbers of so many bits in groups of 16 or 32, whose scales are small numbers themselves.
  case q2_K = "Q2_K"
  /// See ``q2_K``.
  case q3_K = "Q3_K"
  /// See ``q2_K``.
  case q4_K = "Q4_K"
  /// See ``q2_K``.
  case q5_K = "Q5_K"
  /// See ``q2_K``.
  case q6_K = "Q6_K"
  /// 32 places in a table of 16 numbers that lie closer near zero.
  case iq4_NL = "IQ4_NL"
  /// 256 places in that table in groups of 32 with scales of 6 bits.
  case iq4_XS = "IQ4_XS"

  /// Elements and bytes of a block.
  public var block: ElementFormat.Block {
    switch self {
    case .e4m3, .e5m2: .init(elements: 1, bytes: 1)
    case .e2m1: .init(elements: 2, bytes: 1)
    case .q8_0: .init(elements: 32, bytes: 34)
    case .q4_0, .iq4_NL: .init(elements: 32, bytes: 18)
    case .q4_1: .init(elements: 32, bytes: 20)
    case .q5_0: .init(elements: 32, bytes: 22)
    case .q5_1: .init(elements: 32, bytes: 24)
    case .q2_K: .init(elements: 256, bytes: 84)
    case .q3_K: .init(elements: 256, bytes: 110)
    case .q4_K: .init(elements: 256, bytes: 144)
    case .q5_K: .init(elements: 256, bytes: 176)
    case .q6_K: .init(elements: 256, bytes: 210)
    case .iq4_XS: .init(elements: 256, bytes: 136)
    }
  }

  /// The numbers of whole blocks, one behind the other.
  public func decode(_ bytes: [UInt8]) -> [Float] {
    var numbers = [Float](repeating: 0, count: bytes.count / block.bytes * block.elements)
    var span = numbers.mutableSpan
    decode(bytes, into: &span)
    return numbers
  }

  /// The numbers of whole blocks, one behind the other.
  ///
  /// - Parameters:
  ///   - bytes: whole blocks.
  ///   - numbers: as many elements as the blocks hold.
  func decode(_ bytes: [UInt8], into numbers: inout MutableSpan<Float>) {
    let block = block
    precondition(
      bytes.count % block.bytes == 0 && numbers.count == bytes.count / block.bytes * block.elements,
      "\(rawValue): \(bytes.count) bytes for \(numbers.count) numbers")
    switch self {
    case .e4m3, .e5m2:
      let table = self == .e4m3 ? SmallFloat.e4m3 : SmallFloat.e5m2
      for i in 0..<bytes.count { numbers[i] = table[Int(bytes[i])] }
    case .e2m1:
      for i in 0..<bytes.count {
        numbers[2 * i] = SmallFloat.e2m1[Int(bytes[i] >> 4)]
        numbers[2 * i + 1] = SmallFloat.e2m1[Int(bytes[i] & 15)]
      }
    default:
      for i in 0..<bytes.count / block.bytes {
        var reader = BlockReader(bytes, at: i * block.bytes)
        var part = numbers._mutatingExtracting(i * block.elements..<(i + 1) * block.elements)
        decodeBlock(&reader, into: &part)
      }
    }
  }

  private func decodeBlock(_ block: inout BlockReader, into numbers: inout MutableSpan<Float>) {
    switch self {
    case .q8_0: block.bytesWithScale(into: &numbers)
    case .q4_0: block.fourBits(into: &numbers)
    case .q4_1: block.fourBitsWithLeast(into: &numbers)
    case .q5_0: block.fiveBits(into: &numbers)
    case .q5_1: block.fiveBitsWithLeast(into: &numbers)
    case .iq4_NL: block.places(into: &numbers)
    case .q2_K: block.groupsOfTwoBits(into: &numbers)
    case .q3_K: block.groupsOfThreeBits(into: &numbers)
    case .q4_K: block.groupsOfFourBits(into: &numbers)
    case .q5_K: block.groupsOfFiveBits(into: &numbers)
    case .q6_K: block.groupsOfSixBits(into: &numbers)
    case .iq4_XS: block.groupsOfPlaces(into: &numbers)
    case .e4m3, .e5m2, .e2m1: preconditionFailure("\(rawValue) has no blocks")
    }
  }
}
