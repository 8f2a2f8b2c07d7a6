import Checkpoints
import Dispatch
import Files
import Synchronization
import Tensors

/// What a checkpoint is known by, wherever it lies and whatever its files' dates say: a checksum of all their bytes.
///
/// Reading all of a checkpoint takes as long as its disk does, so the result is kept in a record, which serves for as
/// long as the system says that none of the files was touched (``FileStatus/stamp``) and samples of every tensor are the same.
struct CheckpointIdentity {
  private let source: any WeightSource
  private let record: String

  /// - Parameter record: the file that the result is kept in; one that cannot be written is no failure.
  init(_ source: any WeightSource, record: String) {
    self.source = source
    self.record = record
  }

  /// The checksum as text; `nil` where the source has no files that can be read.
  ///
  /// - Throws: `CancellationError` when the task is cancelled while the files are read.
  func contents() throws -> String? {
    let started = FileStatus.now
    guard let before = try? stamps(), let samples = try? samples() else { return nil }
    let known = before.map(\.stamp) + [samples]
    if let contents = Record(path: record, known: known)?.contents { return contents }
    guard let contents = try checksum() else { return nil }
    // A file that was touched just now may be touched again without its time's telling.
    if let after = try? stamps(), after.map(\.stamp) == before.map(\.stamp),
      before.allSatisfy({ $0.changed < started - Self.settled })
    {
      try? Record(contents: contents, known: known).write(to: record)
    }
    return contents
  }

  /// How long ago a file must have been touched for its stamp to stand for it: more than the clock of any file system
  /// takes to go on.
  private static let settled = 2_500_000_000

  private func stamps() throws(FileError) -> [FileStatus] {
    try source.files.map { path throws(FileError) in try FileStatus.of(path) }
  }

  /// Names, types, shapes, and some bytes of each tensor.
  private func samples() throws(WeightError) -> String {
    var checksum = Checksum()
    for name in source.names.sorted() {
      guard let descriptor = source.descriptor(name) else { continue }
      checksum.add("\(name) \(descriptor.format.name) \(descriptor.shape)")
      let stored: Tensor
      switch try source.matrix(name) {
      case .dense(let tensor): stored = tensor
      case .scaledRows(let rows): stored = rows.values
      case .encoded(let matrix): stored = matrix.codes
      }
      stored.withBytes { bytes in
        for part in 0..<Self.samples {
          let start = max(0, bytes.count - Self.sampleBytes) * part / (Self.samples - 1)
          checksum.add(bytes.extracting(start..<min(bytes.count, start + Self.sampleBytes)))
        }
      }
    }
    return String(checksum.value, radix: 16)
  }

  private static let (samples, sampleBytes) = (4, 64)

  /// Of all bytes, on all processors; `nil` where a file cannot be read.
  private func checksum() throws -> String? {
    var checksum = Checksum()
    for path in source.files {
      guard let file = try? MappedFile(path: path) else { return nil }
      checksum.add(UInt64(file.byteCount))
      for start in stride(from: 0, to: file.byteCount, by: Self.batch) {
        try Task.checkCancellation()
        let batch = start..<min(file.byteCount, start + Self.batch)
        for sum in Self.sums(file, batch) { checksum.add(sum) }
        file.discard(batch)
      }
    }
    return String(checksum.value, radix: 16)
  }

  /// Bytes that one processor reads at a time, and all of them.
  private static let (piece, batch) = (4 << 20, 256 << 20)

  /// One checksum for each piece.
  private static func sums(_ file: MappedFile, _ batch: Range<Int>) -> [UInt64] {
    let count = (batch.count + piece - 1) / piece
    let sums = Mutex([UInt64](repeating: 0, count: count))
    DispatchQueue.concurrentPerform(iterations: count) { index in
      let start = batch.lowerBound + index * piece
      let sum = file.withSpan(in: start..<min(batch.upperBound, start + piece)) { Checksum($0).value }
      sums.withLock { $0[index] = sum }
    }
    return sums.withLock { $0 }
  }
}

/// A checksum of a checkpoint and what was known of its files when it was taken, as lines of a text file.
private struct Record {
  let contents: String
  private let known: [String]
  private static let title = "wan checkpoint identity 1"

  init(contents: String, known: [String]) {
    (self.contents, self.known) = (contents, known)
  }

  /// The record in a file, if it is whole and of what is known now.
  init?(path: String, known: [String]) {
    guard let file = try? MappedFile(path: path), file.byteCount <= 1 << 20,
      let text = String(validating: file.bytes(in: 0..<file.byteCount), as: UTF8.self)
    else { return nil }
    let lines = text.split(separator: "\n").map(String.init)
    guard lines.count > 1 else { return nil }
    self.init(contents: lines[1], known: known)
    guard self.text == text else { return nil }
  }

  func write(to path: String) throws(FileError) {
    let file = try OutputFile(path: path)
    try file.write(Array(text.utf8).span)
    try file.commit()
  }

  private var text: String {
    let lines = ([Self.title, contents] + known).joined(separator: "\n") + "\n"
    return lines + String(Checksum(Array(lines.utf8).span).value, radix: 16) + "\n"
  }
}

extension CheckpointError {
  /// Without advice, which is for files that were downloaded: those of a cache are made anew.
  var cause: String { CheckpointError(path: path, at: place, problem).description }
}
