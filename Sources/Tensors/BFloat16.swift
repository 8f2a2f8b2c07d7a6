/// Conversions between float32 and bfloat16 bit patterns, rounding to nearest even as hardware does.
public enum BFloat16 {
  @inlinable
  public static func widen(_ bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }

  @inlinable
  public static func round(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
  }
}
