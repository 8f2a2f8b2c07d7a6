/// How a picture's two chroma planes are stored and how its usual decoder brings them back to full size.
///
/// ffmpeg's own conversion strays from those decoders by several levels at sharp colours; from the planes, which it
/// decodes exactly, the same colours come out as Pillow's.
enum ChromaLayout: Sendable, Equatable {
  /// JPEG 4:2:0, as libjpeg expands it.
  case jpegQuarter
  /// JPEG 4:2:2, as libjpeg expands it.
  case jpegHalfWidth
  /// Lossy WebP, 4:2:0 in limited range, as libwebp expands it.
  case webpQuarter

  /// The layout in which ffmpeg decodes it, without any conversion.
  var pixelFormat: String {
    switch self {
    case .jpegQuarter: "yuvj420p"
    case .jpegHalfWidth: "yuvj422p"
    case .webpQuarter: "yuv420p"
    }
  }

  var halvesRows: Bool { self != .jpegHalfWidth }

  /// The pixel of a luma and two chroma values, in the decoder's fixed-point arithmetic.
  func rgb(_ luma: Int, _ blue: Int, _ red: Int) -> (UInt8, UInt8, UInt8) {
    if case .webpQuarter = self {
      func scaled(_ value: Int, _ factor: Int) -> Int { (value * factor) >> 8 }
      let y = scaled(luma, 19_077)
      return (
        Self.clamped((y + scaled(red, 26_149) - 14_234) >> 6),
        Self.clamped((y - scaled(blue, 6_419) - scaled(red, 13_320) + 8_708) >> 6),
        Self.clamped((y + scaled(blue, 33_050) - 17_685) >> 6)
      )
    }
    let (u, v) = (blue - 128, red - 128)
    return (
      Self.clamped(luma + (91_881 * v + 32_768) >> 16),
      Self.clamped(luma + (-22_554 * u - 46_802 * v + 32_768) >> 16),
      Self.clamped(luma + (116_130 * u + 32_768) >> 16)
    )
  }

  private static func clamped(_ value: Int) -> UInt8 { UInt8(min(max(value, 0), 255)) }
}
