// WebP (RFC 9649): a RIFF file of chunks: a name, a length, a payload padded to an even count.

extension CodedPicture {
  /// A still's pixels, or those of an animation's first frame, as the simplest file that holds them. Transparency is
  /// left out where it is apart from the pixels.
  init(webp file: [UInt8]) throws(Refusal) {
    var pixels: WebPPixels?
    var canvas: (width: Int, height: Int)?
    var frame: (left: Int, top: Int)?
    var stored = StoredOrientation()
    let reader = ByteReader(bytes: file, littleEndian: true)
    for chunk in RIFFChunks(reader: reader, offset: 12, end: 8 + (reader.integer(at: 4, size: 4) ?? 0)) {
      let start = chunk.payload.lowerBound
      switch chunk.name {
      case "VP8X":
        guard let width = reader.integer(at: start + 4, size: 3), let height = reader.integer(at: start + 7, size: 3)
        else { throw .damaged("its WebP header ends early") }
        canvas = (width + 1, height + 1)
      case "VP8 " where pixels == nil, "VP8L" where pixels == nil: pixels = try WebPPixels(chunk, reader)
      case "ANMF" where pixels == nil:
        guard let left = reader.integer(at: start, size: 3), let top = reader.integer(at: start + 3, size: 3) else {
          throw .damaged("its first frame ends early")
        }
        frame = (2 * left, 2 * top)
        let parts = RIFFChunks(reader: reader, offset: start + 16, end: chunk.payload.upperBound)
        guard let part = parts.first(where: { $0.name == "VP8 " || $0.name == "VP8L" }) else {
          throw .damaged("its first frame has no picture")
        }
        pixels = try WebPPixels(part, reader)
      case "EXIF" where stored.exif == nil: stored.exif = Array(file[chunk.payload])
      case "XMP " where stored.xmp == nil: stored.xmp = file[chunk.payload]
      default: break
      }
    }
    guard let pixels else { throw .damaged("it ends before its picture") }
    self.init(codec: .webp, stream: pixels.file, width: pixels.width, height: pixels.height)
    form = pixels.isLossy ? .planes(ChromaLayout(sampling: .quarter, rule: .webp)) : .rgb8
    if let frame, let canvas {
      guard frame.left + width <= canvas.width, frame.top + height <= canvas.height else {
        throw .damaged("its first frame reaches beyond the picture")
      }
      steps = PictureInset(frame.left, frame.top, in: canvas, fill: .black).steps(width, height)
    } else if let canvas, canvas != (width, height) {
      throw .damaged("its two sizes contradict each other")
    }
    steps += stored.steps
  }
}

/// One coded picture, in a file of its own.
private struct WebPPixels {
  let isLossy: Bool
  let file: [UInt8]
  let width: Int
  let height: Int

  init(_ chunk: RIFFChunks.Chunk, _ reader: ByteReader) throws(Refusal) {
    guard chunk.isWhole else { throw .damaged("it ends within its picture") }
    let start = chunk.payload.lowerBound
    isLossy = chunk.name == "VP8 "
    if isLossy, let width = reader.integer(at: start + 6, size: 2), let height = reader.integer(at: start + 8, size: 2)
    {
      (self.width, self.height) = (width & 0x3FFF, height & 0x3FFF)
    } else if !isLossy, let bits = reader.integer(at: start + 1, size: 4) {
      (width, height) = (bits & 0x3FFF + 1, bits >> 14 & 0x3FFF + 1)
    } else {
      throw .damaged("its picture ends early")
    }
    let body = Array("WEBP".utf8) + chunk.name.utf8 + Self.little(chunk.payload.count) + reader.bytes[chunk.payload]
    let padded = body + [UInt8](repeating: 0, count: body.count % 2)
    file = Array("RIFF".utf8) + Self.little(padded.count) + padded
  }

  private static func little(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
}

/// The chunks from a place on; the last one may be cut off.
private struct RIFFChunks: Sequence, IteratorProtocol {
  struct Chunk {
    let name: String
    let payload: Range<Int>
    let isWhole: Bool
  }

  let reader: ByteReader
  var offset: Int
  let end: Int

  mutating func next() -> Chunk? {
    let limit = Swift.min(end, reader.bytes.count)
    guard offset + 8 <= limit, let name = reader.name(at: offset), let length = reader.integer(at: offset + 4, size: 4)
    else { return nil }
    let payload = offset + 8..<Swift.min(offset + 8 + length, limit)
    offset += 8 + length + length % 2
    return Chunk(name: name, payload: payload, isWhole: payload.count == length)
  }
}
