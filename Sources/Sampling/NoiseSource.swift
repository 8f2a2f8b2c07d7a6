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
