import Files

/// The part of a blob that is there, on the disk and as a digest.
final class PartialBlob {
  private let file: ListedFile
  private let folder: RepositoryFolder
  private let meter: PullMeter
  private let disk: ResumedFile
  private var digest: Digest
  /// Bytes that are there.
  private(set) var count = 0

  private static let block = 1 << 20

  init(_ file: ListedFile, in folder: RepositoryFolder, meter: PullMeter) throws(HubError) {
    (self.file, self.folder, self.meter) = (file, folder, meter)
    digest = file.identity.start(size: file.size)
    do throws(FileError) {
      disk = try ResumedFile(path: folder.unfinished(file.identity))
    } catch {
      throw .cache(reason: error.description)
    }
  }

  /// Whether all bytes are there and are the right ones.
  var isSound: Bool { count == file.size && digest.hexadecimal == file.identity.name }

  /// Reads what an earlier run has left; more bytes than the blob has are none of it.
  func readPresent() throws {
    let size = disk.size
    guard size <= file.size else { return try restart() }
    try reporting { () throws(FileError) in try disk.rewind() }
    var block = [UInt8](repeating: 0, count: Self.block)
    while count < size {
      try Task.checkCancellation()
      let read = try reporting { () throws(FileError) in try disk.read(into: &block) }
      guard read > 0, read <= size - count else { break }
      digest.add(block.span.extracting(0..<read))
      count += read
      meter.add(read)
    }
    try reporting { () throws(FileError) in try disk.cut(to: count) }
  }

  /// Goes on with bytes of the network.
  func add(_ bytes: Span<UInt8>) throws(HubError) {
    try reporting { () throws(FileError) in try disk.write(bytes) }
    digest.add(bytes)
    count += bytes.count
    meter.add(bytes.count, areFetched: true)
  }

  /// Gives up what is there.
  func restart() throws(HubError) {
    try reporting { () throws(FileError) in try disk.cut(to: 0) }
    meter.add(-count)
    count = 0
    digest = file.identity.start(size: file.size)
  }

  /// Gives the blob its name.
  func publish() throws(HubError) {
    try reporting { () throws(FileError) in try disk.publish(as: folder.blob(file.identity)) }
  }

  /// Deletes what is there.
  func discard() {
    meter.add(-count)
    count = 0
    ResumedFile.remove(disk.path)
  }

  private func reporting<R>(_ body: () throws(FileError) -> R) throws(HubError) -> R {
    do throws(FileError) {
      return try body()
    } catch {
      throw .cache(reason: error.description + "; what has come stays, pull again to go on")
    }
  }
}
