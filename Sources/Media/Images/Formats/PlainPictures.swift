// The formats whose size stands at a fixed place.

extension CodedPicture {
  init(qoi file: [UInt8]) throws(Refusal) {
    let reader = ByteReader(bytes: file)
    guard let width = reader.integer(at: 4, size: 4), let height = reader.integer(at: 8, size: 4) else {
      throw .damaged("it ends within its QOI header")
    }
    // The end mark: ffmpeg takes what is missing before it for grey.
    guard file.suffix(8).elementsEqual([0, 0, 0, 0, 0, 0, 0, 1]) else { throw .damaged("it ends early") }
    self.init(codec: .qoi, stream: file, width: width, height: height)
  }

  init(bmp file: [UInt8]) throws(Refusal) {
    let reader = ByteReader(bytes: file, littleEndian: true)
    let isShort = reader.integer(at: 14, size: 4) == 12
    guard let width = reader.integer(at: 18, size: isShort ? 2 : 4),
      let stored = reader.integer(at: isShort ? 20 : 22, size: isShort ? 2 : 4),
      let bits = reader.integer(at: isShort ? 24 : 28, size: 2)
    else { throw .damaged("it ends within its BMP header") }
    // Rows from the top down are told by a negative height.
    let height = isShort ? stored : abs(Int(Int32(truncatingIfNeeded: stored)))
    let compression = isShort ? 0 : reader.integer(at: 30, size: 4) ?? 0
    switch (compression, bits) {
    case (0, 1), (0, 4), (0, 8), (0, 16), (0, 24), (0, 32), (1, 8), (2, 4), (3, 16), (3, 32): break
    case (4, _), (5, _): throw .unread("a JPEG or PNG picture inside a BMP")
    default: throw .unread("a BMP picture of \(bits) bits with compression \(compression)")
    }
    guard width > 0, height > 0 else { throw Refusal(reason: "its header says \(width)x\(height)") }
    // For runs the header tells how many bytes they take.
    let isRuns = compression == 1 || compression == 2
    let row = isRuns ? reader.integer(at: 34, size: 4) ?? 0 : (width * bits + 31) / 32 * 4
    guard let start = reader.integer(at: 10, size: 4), start <= file.count, row > 0,
      row <= (file.count - start) / (isRuns ? 1 : height)
    else { throw .damaged("it ends within its BMP picture") }
    self.init(codec: .bmp, stream: file, width: width, height: height)
  }

  /// Netpbm's binary formats. Text ones, and depths between 8 and 16 bits, are scaled differently by every reader.
  init(pixmap file: [UInt8]) throws(Refusal) {
    let codecs: [PictureCodec?] = [nil, nil, nil, nil, .pbm, .pgm, .ppm]
    let kind = Int(file[1]) - 0x30
    guard codecs.indices.contains(kind), let codec = codecs[kind] else {
      throw .unread("a Netpbm picture written as text")
    }
    let (numbers, start) = Self.pixmapNumbers(file, kind == 4 ? 2 : 3)
    guard numbers.count == (kind == 4 ? 2 : 3) else { throw .damaged("its Netpbm header has no size") }
    let largest = kind == 4 ? 1 : numbers[2]
    guard [1, 255, 65_535].contains(largest), largest > 1 || kind == 4 else {
      throw .unread("a Netpbm picture whose largest value is \(largest)")
    }
    let (width, height) = (numbers[0], numbers[1])
    let row = kind == 4 ? (width + 7) / 8 : width * (kind == 6 ? 3 : 1) * (largest == 65_535 ? 2 : 1)
    let rows = (file.count - start) / max(row, 1)
    guard rows >= height || row == 0 else { throw .damaged("it is cut short after \(rows) of \(height) rows") }
    self.init(codec: codec, stream: file, width: width, height: height)
    form = largest == 65_535 ? .rgb16 : .rgb8
  }

  /// The first whole numbers behind the signature, comments skipped, and the place behind them.
  private static func pixmapNumbers(_ file: [UInt8], _ count: Int) -> (numbers: [Int], end: Int) {
    var numbers: [Int] = []
    var number: Int?
    var isComment = false
    var end = 2
    for byte in file.dropFirst(2).prefix(65_536) {
      end += 1
      if isComment || byte == UInt8(ascii: "#") {
        isComment = byte != 0x0A && byte != 0x0D
      } else if (0x30...0x39).contains(byte), number ?? 0 < 1 << 32 {
        number = (number ?? 0) * 10 + Int(byte) - 0x30
      } else if byte.isSpace {
        if let number { numbers.append(number) }
        number = nil
        if numbers.count == count { break }
      } else {
        break
      }
    }
    return (numbers, end)
  }
}
