public import Tensors

/// `torch.Generator("cuda")` and what `torch.randn` draws from it, float32.
///
/// A draw runs on a grid of threads, one Philox stream each, and element i belongs to thread i mod (threads of the
/// grid). The grid has a thread per element, in blocks of 256, until the card is full; from there on each thread makes
/// several elements, four per Philox call, so that the order of larger draws depends on the card.
///
/// Each number is computed in float64 and rounded. Cards take sines with their fast instructions, whose results are a
/// few 1e-7 away.
public struct CUDAGenerator: NormalGenerator {
  private let philox: Philox
  private let largestGrid: Int
  /// How far earlier draws have moved every stream, in Philox calls.
  private var position: UInt64 = 0

  /// Multiprocessors that a card may have here; what users type is to be checked against it.
  public static let multiprocessorRange = 1...65_536
  /// Resident threads that a multiprocessor may have here.
  public static let threadRange = 256...65_536

  private static let threadsPerBlock = 256
  private static let numbersPerCall = 4

  /// - Parameters:
  ///   - seed: as for `manual_seed`.
  ///   - multiprocessors: of the card; 132 on an H100 or H200 with SXM, 108 on an A100, 128 on an RTX 4090.
  ///   - threadsPerMultiprocessor: resident at once; 2048 on data-centre cards, 1536 on most others.
  public init(seed: UInt64, multiprocessors: Int = 132, threadsPerMultiprocessor: Int = 2048) {
    precondition(
      Self.multiprocessorRange.contains(multiprocessors) && Self.threadRange.contains(threadsPerMultiprocessor),
      "CUDAGenerator: \(multiprocessors) multiprocessors of \(threadsPerMultiprocessor) threads")
    philox = Philox(key: seed)
    largestGrid = multiprocessors * (threadsPerMultiprocessor / Self.threadsPerBlock) * Self.threadsPerBlock
  }

  public mutating func normal(_ shape: Shape) -> Tensor {
    let count = shape.count
    guard count > 0 else { return Tensor.zeros(shape) }
    let blocks = (count + Self.threadsPerBlock - 1) / Self.threadsPerBlock
    let threads = min(blocks * Self.threadsPerBlock, largestGrid)
    let calls = (count - 1) / (threads * Self.numbersPerCall) + 1
    let first = position
    position += UInt64(calls)
    return Tensor.filled(shape: shape) { span in
      for call in 0..<calls {
        for thread in 0..<min(threads, count) {
          let numbers = normals(stream: UInt64(thread), position: first + UInt64(call))
          for part in 0..<Self.numbersPerCall {
            let index = (call * Self.numbersPerCall + part) * threads + thread
            if index < count { span[index] = numbers[part] }
          }
        }
      }
    }
  }

  private func normals(stream: UInt64, position: UInt64) -> SIMD4<Float> {
    let words = philox(stream: stream, position: position)
    let (a, b) = (Self.boxMuller(words.x, words.y), Self.boxMuller(words.z, words.w))
    return SIMD4(a.0, a.1, b.0, b.1)
  }

  /// Two normal numbers from two words, the sine first; a word stands for the middle of its interval.
  private static func boxMuller(_ x: UInt32, _ y: UInt32) -> (Float, Float) {
    let radius = (-2 * DoubleMath.ln((Double(x) + 0.5) * 0x1p-32)).squareRoot()
    let angle = 2 * Double.pi * (Double(y) + 0.5) * 0x1p-32
    return (Float(radius * DoubleMath.sine(angle)), Float(radius * DoubleMath.cosine(angle)))
  }
}

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
