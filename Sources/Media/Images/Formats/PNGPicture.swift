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
    form = .rgb(isDeep: reader.integer(at: start + 8, size: 1) == 16)
  }
}

extension ByteReader {
  /// Four characters of Latin-1, as chunks and boxes are named.
  func name(at offset: Int) -> String? {
    guard offset >= 0, offset <= bytes.count - 4 else { return nil }
    return String(String.UnicodeScalarView(bytes[offset..<offset + 4].map { Unicode.Scalar($0) }))
  }
}

extension String {
  /// Without control characters, which a damaged file's names may hold.
  var printable: String {
    String(String.UnicodeScalarView(unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
  }
}
