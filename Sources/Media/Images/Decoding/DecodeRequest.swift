/// How ffmpeg is asked for one picture, and how its answer is read.
struct DecodeRequest {
  let picture: CodedPicture

  /// ffmpeg's arguments; the stream is its standard input. It guesses nothing: demuxer and decoders are named, the
  /// others barred, and it may open no file.
  var arguments: [String] {
    let codec = picture.codec
    var list = ["-nostdin", "-hide_banner", "-loglevel", "error", "-xerror", "-err_detect", "+crccheck+explode"]
    list += ["-protocol_whitelist", "pipe", "-format_whitelist", codec.demuxer, "-codec_whitelist", codec.decoders]
    // Decoders round sides up to whole blocks.
    let area = (picture.width + 256) * (picture.height + 256)
    list += ["-max_pixels", "\(min(area, Int(Int32.max)))", "-threads", "1", "-noautorotate", "-f", codec.demuxer]
    if codec.isWhole { list += ["-frame_size", "\(picture.stream.count)"] }
    list += ["-i", "pipe:0", "-map", "0:v:0", "-frames:v", "\(picture.frames)"]
    switch picture.form {
    case .planes(let chroma):
      return list + ["-vf", "format=" + chroma.pixelFormats.joined(separator: "|"), "-f", "rawvideo", "pipe:1"]
    case .rgb8: return list + Self.pixmap("rgb24")
    case .rgb16: return list + Self.pixmap("rgb48be")
    }
  }

  private static func pixmap(_ format: String) -> [String] {
    let flags = "accurate_rnd+full_chroma_int+full_chroma_inp+bicubic+bitexact"
    return ["-vf", "scale=flags=\(flags),format=\(format)", "-c:v", "ppm", "-f", "image2pipe", "pipe:1"]
  }

  /// The bytes of the answer, with room for a header.
  var outputLimit: Int {
    switch picture.form {
    case .planes(let chroma): frameBytes(chroma) * picture.frames
    case .rgb8: picture.width * picture.height * 3 + 64
    case .rgb16: picture.width * picture.height * 6 + 64
    }
  }

  /// The finished picture; nil unless the answer is exactly what the file's header promised.
  func image(_ output: [UInt8]) -> RGBImage? {
    guard let decoded = decoded(output) else { return nil }
    return picture.steps.reduce(decoded) { $0.applying($1) }
  }

  private func decoded(_ output: [UInt8]) -> RGBImage? {
    guard case .planes(let chroma) = picture.form else {
      guard let image = RGBImage(pixmap: output) else { return nil }
      return image.width == picture.width && image.height == picture.height ? image : nil
    }
    let size = frameBytes(chroma)
    guard output.count == size * picture.frames else { return nil }
    let tiles = (0..<picture.frames).compactMap { i in
      RGBImage(
        planes: output[i * size..<(i + 1) * size], width: picture.width, height: picture.height, chroma: chroma)
    }
    guard let grid = picture.grid else { return tiles.first }
    return RGBImage(tiles: tiles, grid: grid)
  }

  private func frameBytes(_ chroma: ChromaLayout) -> Int {
    chroma.byteCount(width: picture.width, height: picture.height)
  }
}

/// The memory and the time that ffmpeg may take for one picture.
struct DecodeBounds: Sendable, Equatable {
  /// Address space, which the libraries of an ffmpeg alone fill by some hundred MiB.
  var kibibytes: Int
  var seconds: Int
}

extension DecodeRequest {
  var bounds: DecodeBounds {
    let area = picture.largest.width * picture.largest.height
    // Measured: at most 300 MiB and 28 bytes a pixel, for 16 bits a channel; frames lie in the decoder, in the
    // converter and in the answer.
    let bytes = 768 << 20 + 40 * area + 4 * picture.stream.count
    return DecodeBounds(kibibytes: bytes >> 10, seconds: 60 + area / 500_000)
  }
}

extension ProcessResult {
  /// Why no picture came of it.
  func reason(bounds: DecodeBounds) -> String {
    let words = log.lines.joined(separator: "; ")
    if words.contains("Cannot allocate memory") || words.contains("Out of memory") {
      return "ffmpeg needs more than \(bounds.kibibytes >> 10) MiB for it (\(words))"
    }
    if words.contains("ecoder") && words.contains("not found") || words.contains("Unknown input format") {
      return "this ffmpeg cannot decode its format; convert it to PNG or JPEG first (\(words))"
    }
    return "ffmpeg finds no intact picture in it" + (words.isEmpty ? succeeded ? "" : " (\(status))" : " (\(words))")
  }
}

extension RGBImage {
  /// A picture in the form in which ffmpeg hands one over with its size, Netpbm's binary pixmap (P6). Nil unless `bytes`
  /// are one whole pixmap of 8 or 16 bits; of 16 the high byte is kept.
  init?(pixmap bytes: [UInt8]) {
    let header = bytes.prefix(64).split(separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false)
    guard header.count == 4, header[0].elementsEqual("P6".utf8) else { return nil }
    let sides = header[1].split(separator: UInt8(ascii: " ")).map { Int(String(decoding: $0, as: UTF8.self)) }
    guard sides.count == 2, let width = sides[0], let height = sides[1], width > 0, height > 0 else { return nil }
    let depth = header[2].elementsEqual("65535".utf8) ? 2 : 1
    let start = header[3].startIndex
    guard bytes.count - start == width * height * 3 * depth else { return nil }
    let pixels = depth == 1 ? Array(bytes[start...]) : stride(from: start, to: bytes.count, by: 2).map { bytes[$0] }
    self.init(width: width, height: height, pixels: pixels)
  }
}
