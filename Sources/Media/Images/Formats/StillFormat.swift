/// The still formats that are read, known by their first bytes and never by their name.
enum StillFormat: Sendable {
  case png, jpeg, webp, tiff, gif, bmp, qoi, pixmap, heif

  /// Nil for everything else.
  init?(of file: [UInt8]) {
    self.init(start: Array(file.prefix(512)))
  }

  /// - Parameter start: the first 512 bytes, or all of a shorter file.
  init?(start bytes: [UInt8]) {
    let start = ByteReader(bytes: bytes)
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if start.starts(with: "RIFF"), start.starts(with: "WEBP", at: 8) {
      self = .webp
    } else if start.starts(with: "II*\0") || start.starts(with: "MM\0*") {
      self = .tiff
    } else if start.starts(with: "GIF87a") || start.starts(with: "GIF89a") {
      self = .gif
    } else if start.starts(with: "BM"), let size = start.little(at: 14, size: 4), (12...256).contains(size) {
      self = .bmp
    } else if start.starts(with: "qoif") {
      self = .qoi
    } else if bytes.count > 2, bytes[0] == UInt8(ascii: "P"), (0x31...0x36).contains(bytes[1]), bytes[2].isSpace {
      self = .pixmap
    } else if Self.isHEIF(start) {
      self = .heif
    } else {
      return nil
    }
  }

  /// The brands of ISO 23008-12 and of AVIF, as the file's own or among those that it is compatible with.
  private static func isHEIF(_ start: ByteReader) -> Bool {
    guard start.starts(with: "ftyp", at: 4), let size = start.integer(at: 0, size: 4) else { return false }
    let brands = ["mif1", "mif2", "msf1", "heic", "heix", "heim", "heis", "hevc", "hevx", "avif", "avis"]
    // The camera's raw format has pictures inside that only a raw converter can show rightly.
    guard !start.starts(with: "crx ", at: 8) else { return false }
    let places = [8] + stride(from: 16, to: min(size, start.bytes.count), by: 4)
    return places.contains { place in brands.contains { start.starts(with: $0, at: place) } }
  }
}

/// What ffmpeg is asked to run, and nothing beside it: a demuxer and the decoders that may follow.
enum PictureCodec: String, Sendable {
  case png, jpeg, webp, tiff, gif, bmp, qoi, ppm, pgm, pbm, hevc, av1

  var demuxer: String {
    switch self {
    case .hevc: "hevc"
    case .av1: "ivf"
    default: rawValue + "_pipe"
    }
  }

  var decoders: String {
    switch self {
    case .jpeg: "mjpeg"
    case .av1: "libdav1d,libaom-av1,libgav1,av1"
    default: rawValue
    }
  }

  /// One packet holds the whole stream; the others find their packets themselves.
  var isWhole: Bool { self != .hevc && self != .av1 }
}

extension UInt8 {
  /// White space as Netpbm has it.
  var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
