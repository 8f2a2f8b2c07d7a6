public import Tensors

/// A stream of standard normal numbers that some device's torch would give.
public protocol NormalGenerator: Sendable {
  /// The next draw, float32: `torch.randn(shape, generator=...)`.
  mutating func normal(_ shape: Shape) -> Tensor
}

/// Whose random numbers a seed stands for.
public enum NoiseSource: Sendable, Hashable {
  /// torch's generator on an x86 CPU.
  case cpu
  /// torch's generator on a CUDA card; an H100 unless told otherwise. See ``CUDAGenerator``.
  case cuda(multiprocessors: Int = 132, threadsPerMultiprocessor: Int = 2048)

  /// A generator that has drawn nothing yet; traps on a card outside the ranges of ``CUDAGenerator``.
  public func generator(seed: UInt64) -> any NormalGenerator {
    switch self {
    case .cpu: TorchCPUGenerator(seed: seed)
    case .cuda(let multiprocessors, let threads):
      CUDAGenerator(seed: seed, multiprocessors: multiprocessors, threadsPerMultiprocessor: threads)
    }
  }

  /// The first draw of a fresh generator, float32.
  public func normal(seed: UInt64, shape: Shape) -> Tensor {
    var generator = generator(seed: seed)
    return generator.normal(shape)
  }
}

/// The noise of a run: each draw follows the ones before it, and how far they have come can be written down.
public struct NoiseDraws: Sendable {
  /// How many numbers each draw so far has taken.
  public private(set) var counts: [Int]
  private let source: NoiseSource
  private let seed: UInt64
  /// `nil` until a draw needs it: a run of most solvers draws once.
  private var generator: (any NormalGenerator)?

  /// Stands where a generator stands that has made draws of so many numbers.
  public init(_ source: NoiseSource, seed: UInt64, after counts: [Int] = []) {
    (self.source, self.seed, self.counts) = (source, seed, counts)
  }

  /// The next draw, float32; the first of a resumed run makes the earlier ones again.
  public mutating func next(_ shape: Shape) -> Tensor {
    var generator = self.generator ?? caughtUp()
    let noise = generator.normal(shape)
    self.generator = generator
    counts.append(shape.count)
    return noise
  }

  private func caughtUp() -> any NormalGenerator {
    var generator = source.generator(seed: seed)
    for count in counts { _ = generator.normal([count]) }
    return generator
  }
}

/// JSON: "cpu", or an object with the card's multiprocessors and threads.
extension NoiseSource: Codable {
  private enum CodingKeys: String, CodingKey { case multiprocessors, threads }

  public init(from decoder: any Decoder) throws {
    if let name = try? decoder.singleValueContainer().decode(String.self) {
      switch name {
      case "cpu": self = .cpu
      case "cuda": self = .cuda()
      default:
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "noise is \"cpu\", \"cuda\", or a card"))
      }
      return
    }
    let card = try decoder.container(keyedBy: CodingKeys.self)
    let multiprocessors = try card.decode(Int.self, forKey: .multiprocessors)
    let threads = try card.decode(Int.self, forKey: .threads)
    guard CUDAGenerator.multiprocessorRange.contains(multiprocessors), CUDAGenerator.threadRange.contains(threads)
    else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "no card has \(multiprocessors) multiprocessors of \(threads)"))
    }
    self = .cuda(multiprocessors: multiprocessors, threadsPerMultiprocessor: threads)
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .cpu:
      var value = encoder.singleValueContainer()
      try value.encode("cpu")
    case .cuda(let multiprocessors, let threads):
      var card = encoder.container(keyedBy: CodingKeys.self)
      try card.encode(multiprocessors, forKey: .multiprocessors)
      try card.encode(threads, forKey: .threads)
    }
  }
}
