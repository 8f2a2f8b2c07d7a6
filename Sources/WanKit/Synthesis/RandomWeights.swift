public import Layers
import Sampling
public import Tensors

/// A checkpoint of random numbers: right names, shapes and magnitudes, for measuring where no weights can be had.
///
/// Products keep the size of their inputs (uniform, variance 1 / fan-in), norms start at 1, biases at 0. The same seed
/// gives the same bytes.
public struct RandomWeights: WeightSource {
  public let location = "random weights"
  public let names: [String]
  private let shapes: [String: Shape]
  private let seed: UInt64

  /// Stored as bfloat16, made when they are asked for.
  ///
  /// - Parameters:
  ///   - demand: names and shapes; of two shapes for one name the first counts.
  ///   - seed: of all tensors; each has a stream of its own.
  public init(_ demand: Demand, seed: UInt64 = 0) {
    names = demand.requests.map(\.name)
    shapes = Dictionary(demand.requests.map { ($0.name, $0.shape) }) { first, _ in first }
    self.seed = seed
  }

  public func descriptor(_ name: String) -> TensorDescriptor? {
    shapes[name].map { TensorDescriptor(shape: $0, dtype: .bf16) }
  }

  public func tensor(_ name: String) throws(WeightError) -> Tensor {
    guard let shape = shapes[name] else { throw .missing(name: name, location: location) }
    if let constant = Self.constant(name, shape) {
      return Tensor.filled(shape: shape, dtype: .bf16, as: UInt16.self) { span in
        for i in 0..<span.count { span[i] = BFloat16.round(constant) }
      }
    }
    let fanIn = shape.dimensions.dropFirst().reduce(1, *)
    let width = (3 / Float(max(fanIn, 1))).squareRoot()
    var state = seed &+ UInt64(truncatingIfNeeded: names.firstIndex(of: name) ?? 0) &* 0x9E37_79B9_7F4A_7C15 | 1
    return Tensor.filled(shape: shape, dtype: .bf16, as: UInt16.self) { span in
      for i in 0..<span.count {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        let unit = Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
        span[i] = BFloat16.round(unit * width)
      }
    }
  }

  /// Standard normal numbers, float32, for the inputs of measurements.
  public static func normal(_ shape: Shape, seed: UInt64) -> Tensor {
    NoiseSource.cpu.normal(seed: seed, shape: shape)
  }

  /// What norms and biases start from; `nil` for weights that are drawn.
  private static func constant(_ name: String, _ shape: Shape) -> Float? {
    if name.hasSuffix("bias") { return 0 }
    let isVector = shape.dimensions.filter { $0 > 1 }.count <= 1
    return name.hasSuffix("gamma") || isVector && !name.hasSuffix("modulation") ? 1 : nil
  }
}
