// Ways in and out of a tensor's elements. The pointers are for backends; everything else takes spans and arrays.

extension Tensor {
  /// The address of element 0, for backends and their kernels.
  ///
  /// Valid while the tensor's storage is alive; write through it only before the tensor is shared.
  @unsafe
  public var pointer: UnsafeMutableRawPointer {
    unsafe storage.base + byteOffset
  }

  /// Reads the elements as `Element`, whose size must be that of the dtype.
  public func withSpan<Element: BitwiseCopyable, R, E: Error>(
    of type: Element.Type = Element.self, _ body: (Span<Element>) throws(E) -> R
  ) throws(E) -> R {
    precondition(MemoryLayout<Element>.size == dtype.byteCount, "\(Element.self) is not the size of \(dtype)")
    // SAFETY: the initialiser checked that shape and offset lie inside the storage, which this value keeps alive.
    let buffer = unsafe UnsafeBufferPointer(start: pointer.assumingMemoryBound(to: Element.self), count: count)
    defer { withExtendedLifetime(self) {} }
    return try unsafe body(buffer.span)
  }

  /// A tensor of fresh memory that `body` fills; the memory starts as zeros.
  public static func filled<Element: BitwiseCopyable>(
    shape: Shape, dtype: DType, as type: Element.Type, _ body: (inout MutableSpan<Element>) -> Void
  ) -> Tensor {
    precondition(MemoryLayout<Element>.size == dtype.byteCount, "\(Element.self) is not the size of \(dtype)")
    let tensor = Tensor.zeros(shape, dtype: dtype)
    // SAFETY: the storage was made with this many elements and nobody else has seen it.
    let buffer = unsafe UnsafeMutableBufferPointer(
      start: tensor.pointer.assumingMemoryBound(to: Element.self), count: tensor.count)
    var span = unsafe buffer.mutableSpan
    body(&span)
    return tensor
  }

  /// A float32 tensor of fresh memory that `body` fills; the memory starts as zeros.
  public static func filled(shape: Shape, _ body: (inout MutableSpan<Float>) -> Void) -> Tensor {
    filled(shape: shape, dtype: .f32, as: Float.self, body)
  }

  /// The elements as float32, converted from any numeric type.
  public func floats() -> [Float] {
    switch dtype {
    case .f32: withSpan(of: Float.self) { s in Array(count: s.count) { s[$0] } }
    case .bf16: withSpan(of: UInt16.self) { s in Array(count: s.count) { BFloat16.widen(s[$0]) } }
    case .f16: withSpan(of: UInt16.self) { s in Array(count: s.count) { Float(halfBits: s[$0]) } }
    case .f64: withSpan(of: Double.self) { s in Array(count: s.count) { Float(s[$0]) } }
    case .i64: withSpan(of: Int64.self) { s in Array(count: s.count) { Float(s[$0]) } }
    case .i32: withSpan(of: Int32.self) { s in Array(count: s.count) { Float(s[$0]) } }
    case .i16: withSpan(of: Int16.self) { s in Array(count: s.count) { Float(s[$0]) } }
    case .i8: withSpan(of: Int8.self) { s in Array(count: s.count) { Float(s[$0]) } }
    case .u8, .bool: withSpan(of: UInt8.self) { s in Array(count: s.count) { Float(s[$0]) } }
    }
  }

  /// Bytes in a row.
  public init(bytes: [UInt8]) {
    self = Tensor.filled(shape: [bytes.count], dtype: .u8, as: UInt8.self) { span in
      for i in bytes.indices { span[i] = bytes[i] }
    }
  }

  /// This tensor and another of as many elements, added one by one in float32; for small tensors of weights.
  public func adding(_ other: Tensor) -> Tensor {
    let (a, b) = (floats(), other.floats())
    precondition(a.count == b.count, "adding: \(shape) and \(other.shape)")
    return Tensor(zip(a, b).map { $0 + $1 }, shape: shape)
  }

  /// This tensor in `dtype`, itself when it already is; for weights and small tensors, not for hot paths.
  public func converted(to dtype: DType) -> Tensor {
    if dtype == self.dtype { return self }
    let values = floats()
    switch dtype {
    case .f32: return Tensor(values, shape: shape)
    case .bf16:
      return Tensor.filled(shape: shape, dtype: .bf16, as: UInt16.self) { span in
        for i in values.indices { span[i] = BFloat16.round(values[i]) }
      }
    case .f16:
      return Tensor.filled(shape: shape, dtype: .f16, as: UInt16.self) { span in
        for i in values.indices { span[i] = values[i].halfBits }
      }
    default: preconditionFailure("conversion from \(self.dtype) to \(dtype) is not offered")
    }
  }
}

extension Array {
  fileprivate init(count: Int, _ element: (Int) -> Element) {
    // SAFETY: every slot up to `count` is written once, in order.
    unsafe self.init(unsafeUninitializedCapacity: count) { buffer, initialized in
      for i in 0..<count { unsafe buffer.initializeElement(at: i, to: element(i)) }
      initialized = count
    }
  }
}

extension Float {
  /// The value of an IEEE half-precision bit pattern.
  public init(halfBits bits: UInt16) {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1F
    let fraction = UInt32(bits & 0x3FF)
    switch (exponent, fraction) {
    case (0, _): self = Float(fraction) * 0x1p-24 * (sign == 0 ? 1 : -1)
    case (31, _): self = Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: self = Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// The IEEE half-precision bit pattern nearest to this value: ties go to the even one, overflow to infinity.
  public var halfBits: UInt16 {
    let sign = UInt16(truncatingIfNeeded: bitPattern >> 16) & 0x8000
    if isNaN { return sign | 0x7E00 }
    if magnitude < 0x1p-14 {
      // Too small for a leading one; the next code is the least with one, so that a carry is right.
      return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    if magnitude >= 65_520 { return sign | 0x7C00 }
    let bits = bitPattern & 0x7FFF_FFFF
    let rounded = bits &+ 0xFFF &+ (bits >> 13 & 1)
    return sign | UInt16(truncatingIfNeeded: (rounded >> 13) &- (112 << 10))
  }
}
