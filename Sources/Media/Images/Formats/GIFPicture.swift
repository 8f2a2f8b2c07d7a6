extension CodedPicture {
  /// The first frame alone, without the note that a colour is transparent: Pillow shows that colour, ffmpeg white.
  init(gif file: [UInt8]) throws(Refusal) {
    let reader = ByteReader(bytes: file, littleEndian: true)
    guard let screenWidth = reader.integer(at: 6, size: 2), let screenHeight = reader.integer(at: 8, size: 2),
      let flags = reader.integer(at: 10, size: 1)
    else { throw .damaged("it ends within its GIF header") }
    let globalTable = 13..<13 + GIFFrame.tableSize(flags)
    let frame = try GIFFrame(reader, from: globalTable.upperBound)
    let table = frame.table ?? globalTable
    let canvas = (
      width: max(screenWidth, frame.left + frame.width), height: max(screenHeight, frame.top + frame.height)
    )
    let colour = table.lowerBound + 3 * (frame.clear ?? 0)
    // Without a table colours are greys.
    let fill = colour + 3 <= table.upperBound ? Pixel(Array(file[colour..<colour + 3])) : .black
    var stream = Array(file[..<globalTable.upperBound]) + file[frame.place] + [0x3B]
    // The frame is the whole screen, at its upper left corner.
    stream.replaceSubrange(6..<10, with: file[frame.place.lowerBound + 5..<frame.place.lowerBound + 9])
    stream.replaceSubrange(globalTable.upperBound + 1..<globalTable.upperBound + 5, with: [0, 0, 0, 0])
    self.init(codec: .gif, stream: stream, width: frame.width, height: frame.height)
    steps = PictureInset(frame.left, frame.top, in: canvas, fill: fill).steps(width, height)
  }
}

/// The first image of a GIF and the extension before it.
private struct GIFFrame {
  private(set) var left = 0
  private(set) var top = 0
  private(set) var width = 0
  private(set) var height = 0
  /// The image's own colours.
  private(set) var table: Range<Int>?
  /// The index of the colour that is to be transparent.
  private(set) var clear: Int?
  private(set) var place = 0..<0

  init(_ reader: ByteReader, from start: Int) throws(Refusal) {
    var offset = start
    while let kind = reader.integer(at: offset, size: 1), kind != 0x2C {
      guard kind == 0x21 else { throw .damaged("it ends before its picture") }
      if reader.integer(at: offset + 1, size: 1) == 0xF9, let flags = reader.integer(at: offset + 3, size: 1) {
        clear = flags & 1 == 1 ? reader.integer(at: offset + 6, size: 1) : nil
      }
      offset = try Self.end(ofBlocks: offset + 2, reader)
    }
    guard let left = reader.integer(at: offset + 1, size: 2), let top = reader.integer(at: offset + 3, size: 2),
      let width = reader.integer(at: offset + 5, size: 2), let height = reader.integer(at: offset + 7, size: 2),
      let flags = reader.integer(at: offset + 9, size: 1)
    else { throw .damaged("it ends before its picture") }
    (self.left, self.top, self.width, self.height) = (left, top, width, height)
    let colours = offset + 10..<offset + 10 + Self.tableSize(flags)
    if !colours.isEmpty { table = colours }
    place = offset..<(try Self.end(ofBlocks: colours.upperBound + 1, reader))
  }

  static func tableSize(_ flags: Int) -> Int { flags & 0x80 == 0 ? 0 : 3 << (flags & 7 + 1) }

  /// Behind the empty block that ends a row of blocks.
  private static func end(ofBlocks start: Int, _ reader: ByteReader) throws(Refusal) -> Int {
    var offset = start
    while let count = reader.integer(at: offset, size: 1) {
      offset += 1 + count
      if count == 0 { return offset }
    }
    throw .damaged("it ends within its GIF blocks")
  }
}
