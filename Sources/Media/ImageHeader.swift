/// The still formats whose signatures are known here, by the name of ffmpeg's demuxer: naming it keeps ffmpeg from
/// guessing by file name, where a '%' would be read as a numbered set.
enum StillFormat: String, Sendable {
  case png = "png_pipe"
  case jpeg = "jpeg_pipe"
  case webp = "webp_pipe"
  case tiff = "tiff_pipe"
  case bmp = "bmp_pipe"
  case gif
  case qoi = "qoi_pipe"
}

/// What the first bytes of a picture say, read before anything is decoded. What is damaged or absent stays nil.
struct ImageHeader: Equatable, Sendable {
  var format: StillFormat
  var width: Int?
  var height: Int?
  var orientation = ImageOrientation.upright
  /// 16 bits per channel, which Pillow reduces to the high byte.
  var isDeep = false
  /// Where the colour is stored at a lower resolution: the picture is then put together here.
  var chroma: ChromaLayout?

  /// Nil when the signature is unknown.
  init?(parsing source: inout some ByteSource) {
    let start = ByteReader(bytes: source.bytes(at: 0, count: 32))
    guard let format = Self.format(start) else { return nil }
    self.format = format
    switch format {
    case .png: parsePNG(&source)
    case .jpeg: parseJPEG(&source)
    case .webp: parseWebP(&source)
    case .tiff: parseTIFF(&source)
    case .gif, .bmp, .qoi: parseFixed(start)
    }
  }

  private static func format(_ start: ByteReader) -> StillFormat? {
    if start.bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    if start.bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
    if start.starts(with: "RIFF"), start.starts(with: "WEBP", at: 8) { return .webp }
    if start.starts(with: "II*\0") || start.starts(with: "MM\0*") { return .tiff }
    if start.starts(with: "GIF87a") || start.starts(with: "GIF89a") { return .gif }
    if start.starts(with: "BM"), let size = little(start).integer(at: 14, size: 4), (12...256).contains(size) {
      return .bmp
    }
    if start.starts(with: "qoif") { return .qoi }
    return nil
  }

  private static func little(_ reader: ByteReader) -> ByteReader { ByteReader(bytes: reader.bytes, littleEndian: true) }

  /// The formats whose size stands at a fixed place.
  private mutating func parseFixed(_ start: ByteReader) {
    let little = Self.little(start)
    switch format {
    case .gif: (width, height) = (little.integer(at: 6, size: 2), little.integer(at: 8, size: 2))
    case .qoi: (width, height) = (start.integer(at: 4, size: 4), start.integer(at: 8, size: 4))
    case .bmp:
      let short = little.integer(at: 14, size: 4) == 12
      width = little.integer(at: 18, size: short ? 2 : 4)
      height = little.integer(at: short ? 20 : 22, size: short ? 2 : 4).map { Int(Int32(truncatingIfNeeded: $0)) }
      height = height.map { abs($0) }
    case .png, .jpeg, .webp, .tiff: break
    }
  }
}
