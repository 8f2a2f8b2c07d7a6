// PNG (ISO 15948): a signature, then chunks of a length, a name, a payload and a checksum.

extension CodedPicture {
  /// Keeps the chunks that make the first picture. Profiles, gamma, texts and later frames are left out: Pillow ignores
  /// them, and a damaged profile is no reason to refuse a sound picture.
  init(png file: [UInt8]) throws(Refusal) {
    let reader = ByteReader(bytes: file)
    self.init(codec: .png, stream: Array(file.prefix(8)), width: 0, height: 0)
    var notes = PNGNotes()
    var offset = 8
    var hasData = false
    while let length = reader.integer(at: offset, size: 4), let name = reader.name(at: offset + 4) {
      guard length <= file.count - offset - 12 else { throw .damaged("it ends within the PNG chunk \(name.printable)") }
      let payload = offset + 8..<offset + 8 + length
      switch name {
      case "CgBI":
        throw Refusal(reason: "it is in Apple's own PNG variant of iOS apps; convert it to PNG or JPEG first")
      case "IHDR": try readPNGHeader(reader, payload)
      case "IDAT": hasData = true
      default: notes.read(name, file[payload])
      }
      if ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"].contains(name) { stream += file[offset..<payload.upperBound + 4] }
      offset = payload.upperBound + 4
      if name == "IEND" { break }
    }
    guard hasData, width > 0 else { throw .damaged("it ends before its picture") }
    steps = try notes.orientation().steps
  }

  private mutating func readPNGHeader(_ reader: ByteReader, _ payload: Range<Int>) throws(Refusal) {
    let start = payload.lowerBound
    guard payload.count == 13, width == 0,
      let width = reader.integer(at: start, size: 4), let height = reader.integer(at: start + 4, size: 4)
    else { throw .damaged("its PNG header is not one") }
    guard width > 0, height > 0 else { throw Refusal(reason: "its header says \(width)x\(height)") }
    (self.width, self.height) = (width, height)
    form = reader.integer(at: start + 8, size: 1) == 16 ? .rgb16 : .rgb8
  }
}

/// What a PNG says of its orientation: EXIF in a chunk of its own, or as the hexadecimal text that older programs write,
/// and XMP as a text. Of notes of one kind the last counts, as for Pillow.
private struct PNGNotes {
  private var exif: ArraySlice<UInt8>?
  private var exifText: PNGText?
  private var xmp: PNGText?

  mutating func read(_ name: String, _ payload: ArraySlice<UInt8>) {
    if name == "eXIf" { exif = payload }
    guard let text = PNGText(name, payload) else { return }
    if text.keyword.elementsEqual("Raw profile type exif".utf8) { exifText = text }
    if text.keyword.elementsEqual("XML:com.adobe.xmp".utf8) { xmp = text }
  }

  /// - Throws: when the orientation may stand in a compressed text, which is not inflated here.
  func orientation() throws(Refusal) -> StoredOrientation {
    var stored = StoredOrientation()
    if let exif {
      stored.exif = Array(exif)
    } else if let exifText {
      stored.exif = Self.profile(try exifText.plain())
    }
    if stored.exifOrientation == nil { stored.xmp = try xmp?.plain() }
    return stored
  }

  /// The bytes of a profile as text: an empty line, its kind, its length, then hexadecimal digits in lines.
  private static func profile(_ text: ArraySlice<UInt8>) -> [UInt8] {
    let lines = text.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
    guard lines.count == 4 else { return [] }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in lines[3] where !character.isSpace {
      guard let digit = Character(Unicode.Scalar(character)).hexDigitValue else { break }
      if let upper = high {
        bytes.append(upper << 4 | UInt8(digit))
        high = nil
      } else {
        high = UInt8(digit)
      }
    }
    return bytes
  }
}

/// A keyword and a text: the chunks tEXt, zTXt and iTXt.
private struct PNGText {
  let keyword: ArraySlice<UInt8>
  let isCompressed: Bool
  let body: ArraySlice<UInt8>

  /// Nil for other chunks, and for those that end before their text.
  init?(_ chunk: String, _ payload: ArraySlice<UInt8>) {
    guard ["tEXt", "zTXt", "iTXt"].contains(chunk), let end = payload.firstIndex(of: 0) else { return nil }
    keyword = payload[..<end]
    var rest = payload[(end + 1)...]
    if chunk == "iTXt" {
      // Whether and how it is compressed; the language; the keyword in that language.
      guard let flag = rest.first else { return nil }
      isCompressed = flag != 0
      rest = rest.dropFirst(2)
      for _ in 0..<2 {
        guard let end = rest.firstIndex(of: 0) else { return nil }
        rest = rest[(end + 1)...]
      }
    } else {
      isCompressed = chunk == "zTXt"
    }
    body = rest
  }

  func plain() throws(Refusal) -> ArraySlice<UInt8> {
    guard !isCompressed else {
      let name = String(decoding: keyword, as: UTF8.self)
      throw Refusal(
        reason: "it is a PNG whose orientation is compressed, in its text \"\(name)\", which is not read here;"
          + " save it again as JPEG")
    }
    return body
  }
}
