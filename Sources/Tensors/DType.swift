/// The element types that checkpoints store and that the engine computes in.
public enum DType: String, Sendable, Hashable, CaseIterable {
  /// IEEE 754 double precision.
  case f64 = "F64"
  /// IEEE 754 single precision.
  case f32 = "F32"
  /// IEEE 754 half precision; read from checkpoints, not computed in.
  case f16 = "F16"
  /// The upper half of a float32: 8 bits of exponent, 7 of fraction.
  case bf16 = "BF16"
  /// Signed, 64 bits.
  case i64 = "I64"
  /// Signed, 32 bits.
  case i32 = "I32"
  /// Signed, 16 bits.
  case i16 = "I16"
  /// Signed, 8 bits.
  case i8 = "I8"
  /// Unsigned, 8 bits.
  case u8 = "U8"
  /// One byte: 0 or 1.
  case bool = "BOOL"

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .f64, .i64: 8
    case .f32, .i32: 4
    case .f16, .bf16, .i16: 2
    case .i8, .u8, .bool: 1
    }
  }

  /// True of `f64`, `f32`, `f16` and `bf16`.
  public var isFloatingPoint: Bool {
    switch self {
    case .f64, .f32, .f16, .bf16: true
    case .i64, .i32, .i16, .i8, .u8, .bool: false
    }
  }
}

/// What linears, convolutions and attention compute in; the residual stream is float32 in every precision.
public enum Precision: String, Sendable, Hashable, Codable, CaseIterable {
  /// float32 throughout: the numbers of the published code.
  case f32
  /// bfloat16 inputs, float32 accumulation.
  case bf16
  /// Linears that were made for it multiply bytes: weights scaled per output, inputs per row; the attention between them
  /// may, where the backend is faster so; the rest is ``bf16``.
  case int8

  /// The type of the activations between two operations.
  public var activations: DType {
    switch self {
    case .f32: .f32
    case .bf16, .int8: .bf16
    }
  }

  /// What everything but those linears computes in.
  public var unquantized: Precision {
    switch self {
    case .f32: .f32
    case .bf16, .int8: .bf16
    }
  }
}

/// Conversions between float32 and bfloat16 bit patterns, rounding to nearest even as hardware does.
public enum BFloat16 {
  /// Exact: the 16 bits become the upper half of the float32.
  @inlinable
  public static func widen(_ bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }

  /// Ties go to the even pattern, overflow to infinity; NaNs stay NaNs and become quiet.
  @inlinable
  public static func round(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
  }
}
