/// A backend that computes shapes and nothing else: its tensors have no elements anywhere.
///
/// A network made on it takes no memory, so that a checkpoint is surveyed, or work is counted, by the network's own code.
public struct OutlineBackend: Backend {
  /// What stands for elements.
  private final class Nothing: DeviceBlock {}

  public var name: String { "outline" }

  public var traits: BackendTraits {
    BackendTraits(memory: .device(byteCount: nil), precisions: [.f32, .bf16], usesWeightsInPlace: false)
  }

  /// It holds nothing: any two of them are alike.
  public init() {}

  /// A tensor without elements.
  public static func outline(_ shape: Shape, _ dtype: DType) -> Tensor {
    Tensor(
      shape: shape, dtype: dtype, storage: Storage(Nothing(), byteCount: shape.count * dtype.byteCount))
  }

  public func resident(_ x: Tensor) -> Tensor { x.isHost ? Self.outline(x.shape, x.dtype) : x }

  public func host(_ x: Tensor) throws(DeviceError) -> Tensor {
    throw DeviceError(device: name, reason: "a tensor \(x.shape) without elements has none to give")
  }

  public func zeros(_ shape: Shape, dtype: DType) -> Tensor { Self.outline(shape, dtype) }

  public func synchronize() throws(DeviceError) {}

  public func product(_ x: Tensor, _ y: Tensor) -> Tensor {
    Shape.checkProduct(x, y)
    return Self.outline(x.shape.replacingLast(y.shape[y.shape.rank - 2]), .f32)
  }

  public func combined(_ x: Tensor, _ y: Tensor, _ operation: BinaryOperation) -> Tensor {
    Self.outline(Shape.combined(x.shape, y.shape), x.dtype)
  }

  public func mapped(_ x: Tensor, _ operation: UnaryOperation) -> Tensor { Self.outline(x.shape, x.dtype) }

  public func reduced(_ x: Tensor, _ operation: Reduction) -> Tensor { Self.outline(x.shape.replacingLast(1), .f32) }

  public func cast(_ x: Tensor, to dtype: DType) -> Tensor { x.dtype == dtype ? x : Self.outline(x.shape, dtype) }

  public func gather(_ table: Tensor, indices: [Int32], output: DType) -> Tensor {
    Self.outline([indices.count, table.shape[1]], output)
  }

  public func permuted(_ x: Tensor, _ axes: [Int]) -> Tensor {
    Self.outline(Shape(axes.map { x.shape[$0] }), x.dtype)
  }

  public func concatenated(_ tensors: [Tensor]) -> Tensor {
    guard let first = tensors.first else { preconditionFailure("concatenated: no tensors") }
    let outer = tensors.reduce(0) { $0 + $1.shape[0] }
    return Self.outline(Shape([outer] + first.shape.dimensions.dropFirst()), first.dtype)
  }

  public func windowed(_ x: Tensor, _ windows: [AxisWindow]) -> Tensor {
    Self.outline(Shape(windows.map(\.count)), x.dtype)
  }
}
