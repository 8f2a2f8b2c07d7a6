import Synchronization
public import Tensors

/// A checkpoint made in a test; counts what is read from it.
public final class MemorySource: WeightSource {
  public let location = "memory"
  public let names: [String]
  private let descriptors: [String: TensorDescriptor]
  private let tensors: [String: Tensor]
  private let readNames = Mutex<[String]>([])

  public init(_ tensors: [(name: String, tensor: Tensor)]) {
    names = tensors.map(\.name)
    self.tensors = Dictionary(tensors.map { ($0.name, $0.tensor) }) { first, _ in first }
    descriptors = self.tensors.mapValues { TensorDescriptor(shape: $0.shape, dtype: $0.dtype) }
  }

  /// Tensors of types that the engine does not have, in front of others.
  public init(unread: [String: String], beside tensors: [(name: String, tensor: Tensor)]) {
    names = unread.keys.sorted() + tensors.map(\.name)
    self.tensors = Dictionary(tensors.map { ($0.name, $0.tensor) }) { first, _ in first }
    descriptors = self.tensors.mapValues { TensorDescriptor(shape: $0.shape, dtype: $0.dtype) }
      .merging(unread.mapValues { TensorDescriptor(shape: [1], format: ElementFormat(name: $0, block: nil)) }) { $1 }
  }

  /// Headers without elements: reading any tensor fails.
  public init(shapes: [String: Shape], dtype: DType = .bf16) {
    names = shapes.keys.sorted()
    tensors = [:]
    descriptors = shapes.mapValues { TensorDescriptor(shape: $0, dtype: dtype) }
  }

  /// Names in the order in which their elements were read.
  public var reads: [String] { readNames.withLock { $0 } }

  public func descriptor(_ name: String) -> TensorDescriptor? { descriptors[name] }

  public func tensor(_ name: String) throws(WeightError) -> Tensor {
    readNames.withLock { $0.append(name) }
    guard let tensor = tensors[name] else {
      throw .unreadable(name: name, location: location, reason: "has a header and no elements")
    }
    return tensor
  }
}
