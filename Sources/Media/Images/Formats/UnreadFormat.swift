/// The formats that are not read, by name: what is wrong with a file is worth more than that something is.
enum UnreadFormat {
  static func refusal(of file: [UInt8]) -> Refusal {
    let start = ByteReader(bytes: Array(file.prefix(4096)))
    if let film = film(start) {
      return Refusal(reason: "it is a film (\(film)); take a picture out of it first: ffmpeg -i FILM -frames:v 1 x.png")
    }
    if let name = picture(start, file) { return .unread(name) }
    if let words = text(start) { return Refusal(reason: words) }
    return Refusal(
      reason: "its first bytes are none of a format that is read here (PNG, JPEG, WebP, HEIC, AVIF, TIFF, GIF, BMP,"
        + " QOI, PPM); convert it to PNG or JPEG first")
  }

  private static let pictures: [(signature: [UInt8], name: String)] = [
    ([0xFF, 0x0A], "a JPEG XL picture"), ([0, 0, 0, 12] + "JXL \r\n".utf8, "a JPEG XL picture"),
    ([0, 0, 0, 12] + "jP  \r\n".utf8, "a JPEG 2000 picture"), ([0xFF, 0x4F, 0xFF, 0x51], "a JPEG 2000 picture"),
    (Array("8BPS".utf8), "a Photoshop document"), (Array("gimp xcf".utf8), "a GIMP document"),
    ([0x76, 0x2F, 0x31, 0x01], "an OpenEXR picture"), (Array("#?RADIANCE".utf8), "a Radiance HDR picture"),
    (Array("#?RGBE".utf8), "a Radiance HDR picture"), (Array("DDS ".utf8), "a DDS texture"),
    (Array("icns".utf8), "an icon (ICNS)"),
    ([0x01, 0xDA], "an SGI picture"), ([0x59, 0xA6, 0x6A, 0x95], "a Sun raster picture"),
    (Array("P7\n".utf8), "a PAM picture"), (Array("PF\n".utf8), "a PFM picture"), (Array("Pf\n".utf8), "a PFM picture"),
    (Array("%PDF".utf8), "a PDF document"), (Array("%!PS".utf8), "a PostScript document"),
    ([0xC5, 0xD0, 0xD3, 0xC6], "a PostScript document"), (Array("AT&TFORM".utf8), "a DjVu document"),
    ([0x1F, 0x8B], "a gzip archive (such as an SVGZ drawing)"), (Array("PK\u{3}\u{4}".utf8), "a zip archive"),
    (Array("BPG".utf8) + [0xFB], "a BPG picture"), (Array("FLIF".utf8), "a FLIF picture"),
    (Array("SIMPLE  =".utf8), "a FITS picture"), ([0xD7, 0xCD, 0xC6, 0x9A], "a WMF drawing"),
    (Array("II+\0".utf8), "a BigTIFF picture"), (Array("MM\0+".utf8), "a BigTIFF picture"),
    (Array("II\u{BC}".unicodeScalars.map { UInt8($0.value) }), "a JPEG XR picture"),
    (Array("SDPX".utf8), "a DPX picture"), (Array("XPDS".utf8), "a DPX picture"),
    (Array("IIRO".utf8), rawName), (Array("IIRS".utf8), rawName), (Array("MMOR".utf8), rawName),
    (Array("IIU\0".utf8), rawName), (Array("FUJIFILMCCD-RAW".utf8), rawName), (Array("FOVb".utf8), rawName),
    (Array("\0MRM".utf8), rawName),
  ]

  static let rawName = "a camera's raw picture"

  private static func picture(_ start: ByteReader, _ file: [UInt8]) -> String? {
    if let known = pictures.first(where: { start.bytes.starts(with: $0.signature) }) { return known.name }
    if start.starts(with: "ftypcrx ", at: 4) { return rawName }
    if start.bytes.count > 3, start.bytes[0] == 10, [0, 2, 3, 4, 5].contains(start.bytes[1]), start.bytes[2] < 2 {
      return "a PCX picture"
    }
    if isTGA(start) || file.suffix(18).starts(with: "TRUEVISION-XFILE".utf8) { return "a TGA picture" }
    let isIcon = start.bytes.starts(with: [0, 0, 1, 0]) || start.bytes.starts(with: [0, 0, 2, 0])
    return isIcon && start.bytes.count > 22 ? "an icon (ICO) or cursor (CUR)" : nil
  }

  /// TGA has no signature: its kind, its lack of a colour map and its depth are told at known places.
  private static func isTGA(_ start: ByteReader) -> Bool {
    guard start.bytes.count > 18, [2, 3, 10, 11].contains(start.bytes[2]) else { return false }
    return start.bytes[1] == 0 && start.bytes[3..<8].allSatisfy { $0 == 0 }
      && [8, 16, 24, 32].contains(start.bytes[16])
  }

  private static func film(_ start: ByteReader) -> String? {
    if start.bytes.starts(with: [0x1A, 0x45, 0xDF, 0xA3]) { return "Matroska or WebM" }
    if start.starts(with: "RIFF"), start.starts(with: "AVI ", at: 8) { return "AVI" }
    if start.starts(with: "ftyp", at: 4) { return start.starts(with: "crx ", at: 8) ? nil : "MP4 or QuickTime" }
    if ["moov", "mdat", "wide", "skip", "free"].contains(where: { start.starts(with: $0, at: 4) }) {
      return "QuickTime"
    }
    if start.starts(with: "YUV4MPEG2 ") { return "YUV4MPEG2" }
    if start.starts(with: "OggS") { return "Ogg" }
    if start.starts(with: "FLV\u{1}") { return "FLV" }
    if start.starts(with: "DKIF") { return "IVF" }
    if start.bytes.starts(with: [0, 0, 1, 0xBA]) || start.bytes.starts(with: [0, 0, 1, 0xB3]) { return "MPEG" }
    if start.bytes.starts(with: [0x30, 0x26, 0xB2, 0x75]) { return "ASF" }
    let packets = [0, 188, 376].map { start.integer(at: $0, size: 1) }
    return packets.allSatisfy { $0 == 0x47 } ? "MPEG-TS" : nil
  }

  /// A sentence on a file that is text.
  private static func text(_ start: ByteReader) -> String? {
    guard !start.bytes.contains(0) else { return nil }
    let words = String(decoding: start.bytes, as: UTF8.self).lowercased()
    let head = words.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    if head.hasPrefix("version https://git-lfs") {
      return "it is a git-lfs pointer, not the picture; fetch the picture with git lfs pull"
    }
    if head.hasPrefix("<!doctype html") || head.hasPrefix("<html") {
      return "it is a web page, not a picture; download the picture itself"
    }
    if head.hasPrefix("<"), words.contains("<svg") { return Refusal.unread("an SVG drawing").reason }
    if head.hasPrefix("#extm3u") { return "it is a playlist, not a picture" }
    let printable = start.bytes.allSatisfy { $0 >= 0x20 || $0.isSpace || $0 == 0x1B }
    return printable ? "it is text, not a picture" : nil
  }
}
