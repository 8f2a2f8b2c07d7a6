/// How a picture's planes are stored and how its usual decoder makes colours of them.
///
/// ffmpeg's own conversion strays from those decoders by several levels at sharp colours; from the planes, which it
/// decodes exactly, the same colours come out as Pillow's.
struct ChromaLayout: Sendable, Equatable {
  /// The two chroma planes' share of the luma plane.
  enum Sampling: Sendable {
    case grey, full, halfWidth, halfHeight, quarter, quarterWidth
  }

  enum Rule: Sendable, Equatable {
    /// As libjpeg, in full range.
    case jpeg
    /// As libwebp, in limited range.
    case webp
    /// By the coefficients that the file names; chroma is repeated, as libheif does.
    case repeated(ColourMatrix)
    /// By the coefficients that the file names; chroma is blended, as libavif does.
    case blended(ColourMatrix)
  }

  var sampling: Sampling
  var rule: Rule
  /// Bits of a sample; above 8 a sample takes two bytes.
  var depth = 8

  /// The names of the form in which ffmpeg decodes it; it passes one of them on without any conversion.
  var pixelFormats: [String] {
    let bits = depth > 8 ? "\(depth)le" : ""
    switch sampling {
    case .grey: return ["gray" + bits]
    case .full: return Self.names("444p", bits) + (isRGB ? ["gbrp" + bits] : [])
    case .halfWidth: return Self.names("422p", bits)
    case .halfHeight: return Self.names("440p", bits)
    case .quarter: return Self.names("420p", bits)
    case .quarterWidth: return Self.names("411p", bits)
    }
  }

  /// Whether the planes are colours already, which ffmpeg then tells by another name.
  private var isRGB: Bool {
    if case .blended(let matrix) = rule { return matrix.isIdentity }
    if case .repeated(let matrix) = rule { return matrix.isIdentity }
    return false
  }

  private static func names(_ layout: String, _ bits: String) -> [String] {
    bits.isEmpty ? ["yuv" + layout, "yuvj" + layout] : ["yuv" + layout + bits]
  }

  /// Columns of chroma for columns of luma.
  func chromaWidth(_ width: Int) -> Int {
    switch sampling {
    case .grey: 0
    case .full, .halfHeight: width
    case .halfWidth, .quarter: (width + 1) / 2
    case .quarterWidth: (width + 3) / 4
    }
  }

  func chromaHeight(_ height: Int) -> Int {
    switch sampling {
    case .grey: 0
    case .full, .halfWidth, .quarterWidth: height
    case .halfHeight, .quarter: (height + 1) / 2
    }
  }

  /// The bytes of one frame.
  func byteCount(width: Int, height: Int) -> Int {
    (width * height + 2 * chromaWidth(width) * chromaHeight(height)) * (depth > 8 ? 2 : 1)
  }

  /// The pixel of a luma and two chroma values, in the decoder's fixed-point arithmetic.
  func rgb(_ luma: Int, _ blue: Int, _ red: Int) -> (UInt8, UInt8, UInt8) {
    switch rule {
    case .webp:
      func scaled(_ value: Int, _ factor: Int) -> Int { (value * factor) >> 8 }
      let y = scaled(luma, 19_077)
      return (
        UInt8(clamping: (y + scaled(red, 26_149) - 14_234) >> 6),
        UInt8(clamping: (y - scaled(blue, 6_419) - scaled(red, 13_320) + 8_708) >> 6),
        UInt8(clamping: (y + scaled(blue, 33_050) - 17_685) >> 6)
      )
    case .jpeg:
      let (u, v) = (blue - 128, red - 128)
      return (
        UInt8(clamping: luma + (91_881 * v + 32_768) >> 16),
        UInt8(clamping: luma + (-22_554 * u - 46_802 * v + 32_768) >> 16),
        UInt8(clamping: luma + (116_130 * u + 32_768) >> 16)
      )
    case .repeated(let matrix), .blended(let matrix): return matrix.rgb(luma, blue, red)
    }
  }
}
