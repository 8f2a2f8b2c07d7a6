import Files
import Tensors

/// A zip archive of stored files, zip64 or not.
///
/// Checksums are not compared: that would read every element, and torch can be told not to write them.
struct ZipArchive: Sendable {
  let path: String
  let storage: Storage
  private(set) var entries: [String: ZipEntry] = [:]

  init(_ storage: Storage, path: String) throws(CheckpointError) {
    self.path = path
    self.storage = storage
    let file = CheckpointCursor(storage, in: 0..<storage.byteCount, path: path)
    let directory = try ZipDirectory(parsingEndOf: file)
    let archive = CheckpointCursor(storage, in: 0..<directory.range.lowerBound, path: path)
    var bytes = CheckpointCursor(storage, in: directory.range, path: path)
    for _ in 0..<directory.entryCount {
      let record = bytes.position
      let entry = try ZipEntry(parsing: &bytes, archive: archive)
      guard entries.updateValue(entry, forKey: entry.name) == nil else {
        throw bytes.failure("the archive holds '\(entry.name)' twice", at: record)
      }
    }
    try checkOverlaps()
  }

  /// A cursor over an entry's content.
  func open(_ entry: ZipEntry) -> CheckpointCursor {
    CheckpointCursor(storage, in: entry.range, path: path)
  }

  private func checkOverlaps() throws(CheckpointError) {
    var end = 0
    for entry in entries.values.sorted(by: { $0.start < $1.start }) {
      guard entry.start >= end else {
        throw CheckpointError(
          path: path, at: .byte(entry.start), "the archive's entry '\(entry.name)' overlaps another",
          advice: CheckpointError.downloadAgain)
      }
      end = entry.range.upperBound
    }
  }
}
