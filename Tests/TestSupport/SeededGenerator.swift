import Foundation
public import Tensors

/// SplitMix64: the same numbers for the same seed on every platform.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A standard normal number.
  public mutating func normal() -> Float {
    let u = Double(next() >> 11) * 0x1p-53
    let v = Double(next() >> 11) * 0x1p-53
    return Float((-2 * log(1 - u)).squareRoot() * cos(2 * .pi * v))
  }
}

extension Tensor {
  /// Standard normal numbers times `scale`, float32 or bfloat16.
  public static func random(_ shape: Shape, seed: UInt64, scale: Float = 1, dtype: DType = .f32) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return Tensor((0..<shape.count).map { _ in generator.normal() * scale }, shape: shape).converted(to: dtype)
  }
}
