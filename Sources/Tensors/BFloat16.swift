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
