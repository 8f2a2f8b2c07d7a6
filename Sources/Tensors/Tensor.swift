/// A dense, row-major array of numbers: a shape, an element type and a window into a storage.
///
/// Tensors are values; operations of a ``Backend`` make new ones. Slices along the outermost axis share storage.
///
/// A tensor has a place: host memory, or a device's, whose elements only its backend can look at. Reshaping and slicing
/// work in either; what reads elements traps unless ``isHost``, and ``Backend/host(_:)`` brings them.
public struct Tensor: Sendable {
  /// Extents from the outermost axis to the innermost.
  public let shape: Shape
  /// How the bytes of an element are to be read.
  public let dtype: DType
  /// Where the elements live; never written while shared.
  public private(set) var storage: Storage
  /// Bytes from the start of the storage to element 0.
  public let byteOffset: Int

  /// A view of memory that exists, without a copy; traps unless all elements lie inside the storage.
  /// The address of element 0 must be aligned for its type; that is not checked.
  public init(shape: Shape, dtype: DType, storage: Storage, byteOffset: Int = 0) {
    precondition(
      byteOffset >= 0 && byteOffset + shape.count * dtype.byteCount <= storage.byteCount,
      "tensor \(shape) \(dtype) at byte \(byteOffset) does not fit in a storage of \(storage.byteCount) bytes")
    self.shape = shape
    self.dtype = dtype
    self.storage = storage
    self.byteOffset = byteOffset
  }

  /// A float32 tensor of the given values.
  public init(_ values: [Float], shape: Shape) {
    precondition(values.count == shape.count, "\(values.count) values do not fill \(shape)")
    self = Tensor.filled(shape: shape) { span in
      for i in values.indices { span[i] = values[i] }
    }
  }

  /// Zeros in host memory; of ``Backend/zeros(_:dtype:)`` where a network computes with them.
  public static func zeros(_ shape: Shape, dtype: DType = .f32) -> Tensor {
    Tensor(shape: shape, dtype: dtype, storage: Storage(byteCount: shape.count * dtype.byteCount))
  }

  /// Whether the elements lie in host memory, where they can be looked at.
  public var isHost: Bool { storage.isHost }

  /// Elements, of all axes together.
  public var count: Int { shape.count }
  /// Bytes that the elements take.
  public var byteCount: Int { count * dtype.byteCount }

  /// The same elements under another shape of equal count.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "cannot view \(self.shape) as \(shape)")
    return Tensor(shape: shape, dtype: dtype, storage: storage, byteOffset: byteOffset)
  }

  /// A window of the outermost axis, sharing storage.
  public func slice(_ range: Range<Int>) -> Tensor {
    precondition(shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0], "slice \(range) of \(shape)")
    let row = shape.dimensions.dropFirst().reduce(1, *)
    return Tensor(
      shape: Shape([range.count] + shape.dimensions.dropFirst()), dtype: dtype, storage: storage,
      byteOffset: byteOffset + range.lowerBound * row * dtype.byteCount)
  }

  /// One entry of the outermost axis, without that axis.
  public subscript(index: Int) -> Tensor {
    slice(index..<index + 1).reshaped(Shape(Array(shape.dimensions.dropFirst())))
  }

  /// Whether this value holds the only reference to its storage, so that it may be overwritten.
  public mutating func isUniquelyReferenced() -> Bool {
    !storage.isMapped && isKnownUniquelyReferenced(&storage)
  }

  /// Whether the bytes lie in a file that is read anew for each pass; see ``Storage/isStreamed``.
  public var isStreamed: Bool { storage.isStreamed }

  /// Gives back the physical memory of this tensor's own bytes where they are a mapped file's.
  public func discardCachedPages() {
    storage.discardCachedPages(in: byteOffset..<byteOffset + byteCount)
  }
}
