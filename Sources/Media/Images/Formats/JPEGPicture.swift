// JPEG (ITU-T T.81, annex B): segments of a marker, a length and a payload up to the scans.

extension CodedPicture {
  /// Keeps the first picture's coding segments and the note on its colours (APP14); orientation is taken from EXIF or
  /// XMP. Profiles, previews and comments are left out.
  init(jpeg file: [UInt8]) throws(Refusal) {
    var head = JPEGHead()
    let offset = try head.read(file)
    guard let frame = head.frame else { throw .damaged("it ends before its picture") }
    guard let end = Self.endOfJPEG(file, from: offset) else { throw .damaged("it ends within its JPEG picture") }
    // In a JFIF file colours are YCbCr, whatever Adobe's note says.
    if frame.components.count == 3, head.isJFIF { head.adobe = nil }
    let note = head.adobe.map { Array(file[$0]) } ?? []
    let transform = head.adobe.map { Int(file[$0.lowerBound + 15]) }
    let stream = [0xFF, 0xD8] + note + head.kept + file[offset..<end]
    self.init(codec: .jpeg, stream: stream, width: frame.width, height: frame.height)
    form = try frame.form(transform, isJFIF: head.isJFIF)
    steps = head.stored.steps
  }
}

/// The segments before the first scan.
private struct JPEGHead {
  var frame: JPEGFrame?
  /// The segments that the decoder needs.
  var kept: [UInt8] = []
  /// The segment with Adobe's note on the colours.
  var adobe: Range<Int>?
  var isJFIF = false
  var stored = StoredOrientation()

  /// The place of the first scan.
  mutating func read(_ file: [UInt8]) throws(Refusal) -> Int {
    let reader = ByteReader(bytes: file)
    var offset = 2
    while let marker = reader.integer(at: offset, size: 2), marker >> 8 == 0xFF {
      switch marker & 0xFF {
      case 0xFF: offset += 1  // A fill byte.
      case 0x01, 0xD0...0xD8: offset += 2  // Markers without a payload.
      case 0xD9, 0xDA: return offset
      default:
        guard let length = reader.integer(at: offset + 2, size: 2), length >= 2, offset + 2 + length <= file.count
        else { throw .damaged("it ends within its JPEG header") }
        try read(marker & 0xFF, reader, segment: offset..<offset + 2 + length)
        offset += 2 + length
      }
    }
    throw .damaged("it ends before its picture")
  }

  private mutating func read(_ marker: Int, _ reader: ByteReader, segment: Range<Int>) throws(Refusal) {
    let payload = segment.lowerBound + 4
    switch marker {
    case 0xE0 where reader.starts(with: "JFIF\0", at: payload): isJFIF = true
    case 0xE1 where reader.starts(with: "Exif\0\0", at: payload):
      // What a segment has no room for goes on in the next; so the directory is that of the first.
      if stored.exif == nil { stored.exif = [] }
      stored.exif?.append(contentsOf: reader.bytes[payload..<segment.upperBound].dropFirst(6))
    case 0xE1 where reader.starts(with: "http://ns.adobe.com/xap/1.0/\0", at: payload):
      stored.xmp = reader.bytes[segment]
    case 0xEE where reader.starts(with: "Adobe", at: payload) && segment.count >= 16: adobe = segment
    case 0xE0...0xEF, 0xFE: break
    case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF, 0xF7:
      guard frame == nil else { throw .damaged("it has two JPEG frames") }
      let header = try JPEGFrame(reader, marker, at: segment.lowerBound)
      kept += header.segment(Array(reader.bytes[segment]))
      frame = header
    default: kept += reader.bytes[segment]
    }
  }
}

extension CodedPicture {
  /// Behind the end mark of the first picture; nil when it is cut off, which ffmpeg does not always notice.
  private static func endOfJPEG(_ file: [UInt8], from start: Int) -> Int? {
    var offset = start
    while offset + 1 < file.count {
      // Within a scan a marker's first byte is followed by zero when it is none.
      if file[offset] == 0xFF, file[offset + 1] == 0xD9 { return offset + 2 }
      let isSegment = file[offset] == 0xFF && (0xC0...0xFE).contains(file[offset + 1])
      if isSegment, !(0xD0...0xD7).contains(file[offset + 1]) {
        // A segment between scans, whose payload may hold anything.
        offset += 2 + (ByteReader(bytes: file).integer(at: offset + 2, size: 2) ?? 0)
      } else {
        offset += 1
      }
    }
    return nil
  }
}

/// What a frame header says; only kinds that every ffmpeg decodes rightly are let through.
private struct JPEGFrame {
  let width: Int
  let height: Int
  /// The identifiers and sampling factors of the components.
  let components: [(name: Int, sampling: Int)]

  init(_ reader: ByteReader, _ marker: Int, at offset: Int) throws(Refusal) {
    switch marker {
    case 0xC0, 0xC1, 0xC2: break
    case 0xC3, 0xCB: throw .unread("a lossless JPEG picture")
    case 0xC9, 0xCA: throw .unread("a JPEG picture in arithmetic coding")
    case 0xF7: throw .unread("a JPEG-LS picture")
    default: throw .unread("a JPEG picture in layers")
    }
    guard let bits = reader.integer(at: offset + 4, size: 1), let height = reader.integer(at: offset + 5, size: 2),
      let width = reader.integer(at: offset + 7, size: 2), let count = reader.integer(at: offset + 9, size: 1)
    else { throw .damaged("it ends within its JPEG header") }
    guard bits == 8 else { throw .unread("a JPEG picture of \(bits) bits per channel") }
    guard width > 0, height > 0 else { throw Refusal(reason: "its header says \(width)x\(height)") }
    (self.width, self.height) = (width, height)
    components = (0..<min(count, 4)).compactMap { i in
      guard let name = reader.integer(at: offset + 10 + 3 * i, size: 1),
        let sampling = reader.integer(at: offset + 11 + 3 * i, size: 1)
      else { return nil }
      return (name, sampling)
    }
    guard [1, 3, 4].contains(count), components.count == count else {
      throw .unread("a JPEG picture of \(count) channels")
    }
  }

  /// The frame header as decoders agree on it: a single channel has no ratio to others, whatever its factors.
  func segment(_ bytes: [UInt8]) -> [UInt8] {
    guard components.count == 1, bytes.count > 11 else { return bytes }
    var bytes = bytes
    bytes[11] = 0x11
    return bytes
  }

  /// - Parameter transform: Adobe's note: 0 colours as they are, 1 YCbCr, 2 YCCK.
  func form(_ transform: Int?, isJFIF: Bool) throws(Refusal) -> PixelForm {
    if components.count == 1 { return .planes(ChromaLayout(sampling: .grey, rule: .jpeg)) }
    let names = components.map(\.name)
    let isNamedRGB = names == Array("RGB".utf8).map(Int.init)
    let isNamedCMYK = names == Array("CMYK".utf8).map(Int.init)
    // Readers disagree on whether the names of the channels count.
    if isNamedCMYK && transform ?? 0 != 0 || isNamedRGB && (isJFIF || transform == 1) {
      throw .unread("a JPEG picture with contradictory notes on its colours")
    }
    let isRGB = components.count == 3 && (transform == 0 || isNamedRGB)
    guard components.count == 4 || isRGB else { return try chromaForm() }
    guard Set(components.map(\.sampling)).count == 1 else {
      throw .unread("a \(isRGB ? "RGB" : "CMYK") JPEG picture with halved channels")
    }
    return .rgb8
  }

  private func chromaForm() throws(Refusal) -> PixelForm {
    let samplings: [[Int]: ChromaLayout.Sampling] = [
      [0x11, 0x11, 0x11]: .full, [0x21, 0x11, 0x11]: .halfWidth, [0x12, 0x11, 0x11]: .halfHeight,
      [0x14, 0x12, 0x12]: .halfHeight, [0x22, 0x11, 0x11]: .quarter, [0x41, 0x11, 0x11]: .quarterWidth,
    ]
    guard let sampling = samplings[Self.reduced(components.map(\.sampling))] else {
      throw .unread("a JPEG picture of unusual sampling")
    }
    return .planes(ChromaLayout(sampling: sampling, rule: .jpeg))
  }

  /// Only ratios count: 22 12 12 is 21 11 11. No ffmpeg reduces by more than two, nor four and two.
  private static func reduced(_ factors: [Int]) -> [Int] {
    let across = factors.allSatisfy { $0 >> 4 == 2 } ? 0x10 : 0
    let down = factors.allSatisfy { $0 & 15 == 2 } ? 0x01 : 0
    return factors.map { $0 - across - down }
  }
}
