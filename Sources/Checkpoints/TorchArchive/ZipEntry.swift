import Files

/// One file of a zip archive, which must be stored as it is; APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.5.3.
struct ZipEntry: Sendable {
  static let minimumByteCount = 46

  let name: String
  /// Where its local header begins.
  let start: Int
  /// Its content: bytes of the file.
  let range: Range<Int>

  /// Reads a record of the central directory, and the local header that it points to.
  ///
  /// - Parameter archive: spans the bytes in front of the central directory.
  init(parsing bytes: inout CheckpointCursor, archive: CheckpointCursor) throws(CheckpointError) {
    let record = bytes.position
    guard try bytes.integer(UInt32.self) == 0x0201_4B50 else {
      throw bytes.failure(
        "no record of the archive's directory here", at: record, advice: CheckpointError.downloadAgain)
    }
    _ = try (bytes.integer(UInt16.self), bytes.integer(UInt16.self))  // versions
    let flags = try bytes.integer(UInt16.self)
    let method = try bytes.integer(UInt16.self)
    try bytes.skip(4 + 4)  // time and date, checksum
    var compressed = try bytes.count(UInt32.self)
    var size = try bytes.count(UInt32.self)
    let (nameLength, extraLength, commentLength) = try (
      bytes.count(UInt16.self), bytes.count(UInt16.self), bytes.count(UInt16.self)
    )
    try bytes.skip(2 + 2 + 4)  // disk, attributes
    var offset = try bytes.count(UInt32.self)
    guard nameLength <= NameLimits.longest else {
      throw bytes.failure("an entry's name has \(nameLength) bytes", at: record, advice: CheckpointError.downloadAgain)
    }
    name = try bytes.text(nameLength)
    guard !NameLimits.isCostly(name) else {
      throw bytes.failure(
        "a name with more than \(NameLimits.longestRunOfMarks) combining marks in a row", at: record)
    }
    var extra = bytes
    try bytes.skip(extraLength)
    try Zip64Extra.widen(&size, &compressed, &offset, parsing: &extra, end: bytes.position)
    try bytes.skip(commentLength)
    guard flags & 1 == 0 else { throw archive.failure("the entry '\(name)' is encrypted", at: record) }
    guard method == 0, compressed == size else {
      throw archive.failure(
        "the entry '\(name)' is compressed", at: record,
        advice: Self.isOfTorch(name)
          ? "pack the archive again without compression, as torch.save does (zip -0)"
          : "this zip archive is not one of torch.save: unpack it and give what is inside")
    }
    start = offset
    range = try Self.content(of: name, size: size, localHeader: offset, archive: archive)
  }

  /// Whether torch.save gives its entries such names: `m/data.pkl`, `m/version`, `m/data/12`.
  private static func isOfTorch(_ name: String) -> Bool {
    let parts = name.split(separator: "/")
    return name.hasSuffix(".pkl") || parts.dropLast().last?.hasSuffix("data") == true
      || ["version", "byteorder", ".format_version", ".storage_alignment"].contains(parts.last)
  }

  private static func content(
    of name: String, size: Int, localHeader: Int, archive: CheckpointCursor
  ) throws(CheckpointError) -> Range<Int> {
    var bytes = try archive.moved(to: localHeader)
    guard try bytes.integer(UInt32.self) == 0x0403_4B50 else {
      throw archive.failure(
        "no local header of the entry '\(name)' here", at: localHeader, advice: CheckpointError.downloadAgain)
    }
    try bytes.skip(4)  // version, flags
    guard try bytes.integer(UInt16.self) == 0 else {
      throw archive.failure("the local header calls '\(name)' compressed", at: localHeader)
    }
    try bytes.skip(4 + 4 + 4 + 4)  // time and date, checksum and sizes, which may come behind the content
    let (nameLength, extraLength) = try (bytes.count(UInt16.self), bytes.count(UInt16.self))
    let localName = try bytes.text(min(nameLength, NameLimits.longest))
    guard localName.utf8.elementsEqual(name.utf8) else {
      throw archive.failure(
        "the local header names '\(localName)', the directory '\(name)'", at: localHeader,
        advice: CheckpointError.downloadAgain)
    }
    try bytes.skip(extraLength)
    let content = bytes.position
    try bytes.skip(size)
    return content..<bytes.position
  }
}

/// The extra field that holds what does not fit in 32 bits: section 4.5.3.
enum Zip64Extra {
  /// Replaces each of the numbers that is all ones by its 64-bit value.
  static func widen(
    _ size: inout Int, _ compressed: inout Int, _ offset: inout Int, parsing bytes: inout CheckpointCursor, end: Int
  ) throws(CheckpointError) {
    let isWide = [size, compressed, offset].map { $0 == Int(UInt32.max) }
    guard isWide.contains(true) else { return }
    while bytes.position + 4 <= end {
      let (tag, length) = try (bytes.integer(UInt16.self), bytes.count(UInt16.self))
      guard tag == 1 else {
        try bytes.skip(length)
        continue
      }
      if isWide[0] { size = try bytes.count(UInt64.self) }
      if isWide[1] { compressed = try bytes.count(UInt64.self) }
      if isWide[2] { offset = try bytes.count(UInt64.self) }
      guard bytes.position <= end else { break }
      return
    }
    throw bytes.failure("the zip64 sizes of an entry are missing", advice: CheckpointError.downloadAgain)
  }
}
