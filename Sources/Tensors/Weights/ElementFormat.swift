/// How a checkpoint stores numbers: in blocks of so many elements and so many bytes.
///
/// Formats are told by their names: those of safetensors ("BF16", "F8_E4M3") and those that other files have. How numbers
/// are computed with is another thing, ``Precision``.
public struct ElementFormat: Sendable, Hashable {
  /// As the file names it.
  public let name: String
  /// Elements and bytes of a block; `nil` where nothing is known of the format but its name.
  public let block: Block?

  /// The smallest stretch that can be read by itself.
  public struct Block: Sendable, Hashable {
    /// Both at least 1.
    public let elements, bytes: Int

    /// For a format of one's own.
    public init(elements: Int, bytes: Int) {
      (self.elements, self.bytes) = (elements, bytes)
    }
  }

  /// A format of any file.
  public init(name: String, block: Block?) {
    (self.name, self.block) = (name, block)
  }

  /// An element type of the engine: blocks of one.
  public init(_ dtype: DType) {
    self.init(name: dtype.rawValue, block: Block(elements: 1, bytes: dtype.byteCount))
  }

  /// The engine's type whose elements the file holds one by one; `nil` where there is none.
  public var dtype: DType? { DType(rawValue: name) }

  /// Codes of this name, by themselves or with scales beside them.
  public init(_ coding: ElementCoding) {
    self.init(name: coding.rawValue, block: coding.block)
  }

  /// Numbers of ``ElementCoding/e4m3`` and a power of two for each 32 of a row.
  public static let mxfp8 = ElementFormat(name: "MXFP8", block: Block(elements: 32, bytes: 33))
  /// Numbers of ``ElementCoding/e2m1`` and a scale of ``ElementCoding/e4m3`` for each 16 of a row.
  public static let nvfp4 = ElementFormat(name: "NVFP4", block: Block(elements: 16, bytes: 9))
  /// Signed bytes and a scale for each row, or one for all.
  public static let scaledBytes = ElementFormat(name: "INT8", block: Block(elements: 1, bytes: 1))

  /// Whether numbers can be read out of it, one by one or by decoding.
  public var isRead: Bool {
    dtype != nil || ElementCoding(rawValue: name) != nil || [.mxfp8, .nvfp4, .scaledBytes].contains(self)
  }

  /// Whether it holds fractions, so that a network's weights may be stored in it.
  public var isFloatingPoint: Bool { dtype?.isFloatingPoint ?? isRead }

  /// Bytes that elements of this shape take; `nil` where that is not known, or is more than there can be.
  public func byteCount(_ shape: Shape) -> Int? {
    guard let block, let count = shape.checkedCount, let bytes = count.checkedProduct(block.bytes) else { return nil }
    return (bytes + block.elements - 1) / block.elements
  }
}

extension Shape {
  /// Elements in a tensor of this shape; `nil` when a product of its extents other than zero is too large.
  public var checkedCount: Int? {
    var count = 1
    for extent in dimensions where extent != 0 {
      guard let product = count.checkedProduct(extent) else { return nil }
      count = product
    }
    return dimensions.contains(0) ? 0 : count
  }
}

extension Int {
  /// The product, where neither it nor sixteen times it overflows.
  public func checkedProduct(_ other: Int) -> Int? {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow || product > .max / 16 ? nil : product
  }
}
