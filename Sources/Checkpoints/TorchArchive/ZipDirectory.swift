import Files
import Tensors

/// Where a zip archive's central directory lies, from the records at the archive's end.
///
/// APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16.
struct ZipDirectory {
  private static let endByteCount = 22
  private static let locatorByteCount = 20

  let entryCount: Int
  /// Bytes of the file.
  let range: Range<Int>

  /// Reads the end records of the archive that the cursor spans.
  init(parsingEndOf archive: CheckpointCursor) throws(CheckpointError) {
    let end = try Self.findEnd(archive)
    var bytes = try archive.moved(to: end + 4)
    try Self.checkOneDisk(bytes.integer(UInt16.self), bytes.integer(UInt16.self), in: bytes)
    _ = try bytes.integer(UInt16.self)
    var count = try bytes.count(UInt16.self)
    var size = try bytes.count(UInt32.self)
    var start = try bytes.count(UInt32.self)
    var limit = end
    if let record = try Self.findZip64(archive, before: end) {
      bytes = try archive.moved(to: record + 4)
      try bytes.skip(8 + 2 + 2)
      try Self.checkOneDisk(bytes.integer(UInt32.self), bytes.integer(UInt32.self), in: bytes)
      _ = try bytes.integer(UInt64.self)
      count = try bytes.count(UInt64.self)
      size = try bytes.count(UInt64.self)
      start = try bytes.count(UInt64.self)
      limit = record
    }
    guard start <= limit, size <= limit - start, count <= size / ZipEntry.minimumByteCount else {
      throw archive.failure(
        "the archive's directory, \(count) entries in \(size) bytes at byte \(start), does not fit in front of byte \(limit)",
        at: end, advice: CheckpointError.downloadAgain)
    }
    entryCount = count
    range = start..<start + size
  }

  /// The last "end of central directory" whose comment reaches the end of the file.
  private static func findEnd(_ archive: CheckpointCursor) throws(CheckpointError) -> Int {
    var start = archive.end - endByteCount
    let first = max(archive.position, start - Int(UInt16.max))
    while start >= first {
      var bytes = try archive.moved(to: start)
      if try bytes.integer(UInt32.self) == 0x0605_4B50 {
        try bytes.skip(endByteCount - 6)
        if try bytes.count(UInt16.self) == bytes.remaining { return start }
      }
      start -= 1
    }
    let tail = try archive.moved(to: max(archive.position, archive.end - endByteCount))
    let endsInZeros = (tail.position..<tail.end).allSatisfy { archive.source[byteAt: $0] == 0 }
    throw archive.failure(
      "the zip archive has no end record: the file \(endsInZeros ? "ends in zeros" : "is cut short")", at: archive.end,
      advice: CheckpointError.unfinished)
  }

  private static func findZip64(_ archive: CheckpointCursor, before end: Int) throws(CheckpointError) -> Int? {
    guard end - locatorByteCount >= archive.position else { return nil }
    var bytes = try archive.moved(to: end - locatorByteCount)
    guard try bytes.integer(UInt32.self) == 0x0706_4B50 else { return nil }
    _ = try bytes.integer(UInt32.self)
    let record = try bytes.count(UInt64.self)
    guard record < end - locatorByteCount else {
      throw bytes.failure("the zip64 record lies behind its locator", advice: CheckpointError.downloadAgain)
    }
    var target = try archive.moved(to: record)
    guard try target.integer(UInt32.self) == 0x0606_4B50 else {
      throw archive.failure("no zip64 end record here", at: record, advice: CheckpointError.downloadAgain)
    }
    return record
  }

  private static func checkOneDisk(
    _ disk: some BinaryInteger, _ directoryDisk: some BinaryInteger, in bytes: CheckpointCursor
  ) throws(CheckpointError) {
    guard disk == 0, directoryDisk == 0 else {
      throw bytes.failure("the archive is split over several disks", advice: "join its parts first")
    }
  }
}
