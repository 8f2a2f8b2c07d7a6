public import Tensors

/// A backend whose tensors only it can read, as an accelerator's are: the host that looks at one traps.
///
/// It has places and primitives and nothing else, so that all that networks ask for is made of these. They are computed
/// by a backend of the host, behind a wall: no tensor gets in or out but by ``resident(_:)`` and ``host(_:)``.
public final class RemoteBackend: Backend {
  private let behind: any Backend
  /// What ``host(_:)`` and ``synchronize()`` throw, for tests of that.
  private let failure: DeviceError?

  /// A block of another memory.
  private final class Block: DeviceBlock {
    let memory: Storage

    init(_ memory: Storage) { self.memory = memory }
  }

  /// - Parameter behind: computes; its tensors must be the host's.
  public init(behind: any Backend = ReferenceBackend(), failing failure: DeviceError? = nil) {
    (self.behind, self.failure) = (behind, failure)
  }

  public var name: String { "remote " + behind.name }

  public var traits: BackendTraits {
    BackendTraits(memory: .device(byteCount: nil), precisions: [.f32, .bf16], usesWeightsInPlace: false)
  }

  // MARK: Places

  public func resident(_ x: Tensor) -> Tensor { x.isHost ? sent(x) : x }

  public func host(_ x: Tensor) throws(DeviceError) -> Tensor {
    if let failure { throw failure }
    return x.isHost ? x : fetched(x)
  }

  public func zeros(_ shape: Shape, dtype: DType) -> Tensor { sent(.zeros(shape, dtype: dtype)) }

  public func synchronize() throws(DeviceError) {
    if let failure { throw failure }
  }

  private func sent(_ x: Tensor) -> Tensor {
    Tensor(
      shape: x.shape, dtype: x.dtype, storage: Storage(Block(x.storage), byteCount: x.storage.byteCount),
      byteOffset: x.byteOffset)
  }

  private func fetched(_ x: Tensor) -> Tensor {
    guard let block = x.storage.deviceBlock as? Block else {
      preconditionFailure("\(name): a tensor \(x.shape) of the host, or of another backend")
    }
    return Tensor(shape: x.shape, dtype: x.dtype, storage: block.memory, byteOffset: x.byteOffset)
  }

  // MARK: Primitives

  public func product(_ x: Tensor, _ y: Tensor) -> Tensor { sent(behind.product(fetched(x), fetched(y))) }

  public func combined(_ x: Tensor, _ y: Tensor, _ operation: BinaryOperation) -> Tensor {
    sent(behind.combined(fetched(x), fetched(y), operation))
  }

  public func mapped(_ x: Tensor, _ operation: UnaryOperation) -> Tensor { sent(behind.mapped(fetched(x), operation)) }

  public func reduced(_ x: Tensor, _ operation: Reduction) -> Tensor { sent(behind.reduced(fetched(x), operation)) }

  public func cast(_ x: Tensor, to dtype: DType) -> Tensor { sent(behind.cast(fetched(x), to: dtype)) }

  public func gather(_ table: Tensor, indices: [Int32], output: DType) -> Tensor {
    sent(behind.gather(fetched(table), indices: indices, output: output))
  }

  public func permuted(_ x: Tensor, _ axes: [Int]) -> Tensor { sent(behind.permuted(fetched(x), axes)) }

  public func concatenated(_ tensors: [Tensor]) -> Tensor { sent(behind.concatenated(tensors.map(fetched))) }

  public func windowed(_ x: Tensor, _ windows: [AxisWindow]) -> Tensor { sent(behind.windowed(fetched(x), windows)) }
}
