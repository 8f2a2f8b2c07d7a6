import Files
import Foundation

/// The folder of one model in the hub's cache, as Python's tools lay it out: `blobs`, `refs`, `snapshots`.
struct RepositoryFolder: Sendable {
  let name: RepositoryName
  /// The cache around it.
  let cache: String

  var path: String { Paths.join(cache, name.folder) }
  var blobs: String { Paths.join(path, "blobs") }
  var references: String { Paths.join(path, "refs") }
  var snapshots: String { Paths.join(path, "snapshots") }
  /// Where programs meet that fetch the same blob.
  var locks: String { Paths.join(Paths.join(cache, ".locks"), name.folder) }

  static let unfinishedEnding = ".incomplete"

  func blob(_ identity: BlobIdentity) -> String { Paths.join(blobs, identity.name) }

  /// Where a blob lies until it is whole.
  func unfinished(_ identity: BlobIdentity) -> String { blob(identity) + Self.unfinishedEnding }

  func lock(_ identity: BlobIdentity) -> String { Paths.join(locks, identity.name + ".lock") }

  func snapshot(_ commit: String) -> String { Paths.join(snapshots, commit) }

  /// Makes the folders that a pull writes to.
  func make(commit: String) throws(HubError) {
    try reporting { () throws(FileError) in
      for folder in [blobs, references, snapshot(commit), locks] { try OutputFile.makeFolder(path: folder) }
      try markCache()
    }
  }

  /// Tells programs that save folders that this is a cache, https://bford.info/cachedir.
  private func markCache() throws(FileError) {
    let path = Paths.join(cache, "CACHEDIR.TAG")
    guard FileStatus(path: path, followingLinks: false) == nil else { return }
    let file = try OutputFile(path: path)
    let text =
      "Signature: 8a477f597d28d172789f06886806bc55\n# The hub's cache of models; see https://bford.info/cachedir\n"
    try file.write(Array(text.utf8).span)
    try file.commit()
  }

  /// Whether a blob is there with all its bytes.
  func has(_ file: ListedFile) -> Bool {
    let status = FileStatus(path: blob(file.identity))
    return status?.kind == .file && status?.size == file.size
  }

  /// Bytes of a blob that is not whole yet.
  func presentBytes(of file: ListedFile) -> Int {
    if has(file) { return file.size }
    let size = FileStatus(path: unfinished(file.identity), followingLinks: false)?.size ?? 0
    return size <= file.size ? size : 0
  }

  /// Gives a blob the name of a file in a snapshot: a link to `../../blobs/...`.
  func link(_ file: ListedFile, commit: String) throws(HubError) {
    let path = Paths.join(snapshot(commit), file.path)
    let target = String(repeating: "../", count: 2 + file.place.depth) + "blobs/" + file.identity.name
    try reporting { () throws(FileError) in try OutputFile.makeFolder(path: Paths.folder(of: path)) }
    let files = FileManager.default
    if (try? files.destinationOfSymbolicLink(atPath: path)) == target { return }
    do {
      try? files.removeItem(atPath: path)
      try files.createSymbolicLink(atPath: path, withDestinationPath: target)
    } catch {
      // Another program may have made it in between.
      guard (try? files.destinationOfSymbolicLink(atPath: path)) != target else { return }
      throw .cache(reason: "\(path): the link to its blob cannot be made (\(error.localizedDescription))")
    }
  }

  /// Writes down which commit a branch or tag is.
  func setReference(_ revision: String, to commit: String) throws(HubError) {
    guard revision != commit else { return }
    try reporting { () throws(FileError) in
      let path = Paths.join(references, revision)
      try OutputFile.makeFolder(path: Paths.folder(of: path))
      let file = try OutputFile(path: path)
      try file.write(Array(commit.utf8).span)
      try file.commit()
    }
  }

  /// The commit that a branch or tag was when it was pulled; a commit is itself.
  func commit(of revision: String) -> String? {
    if revision.isHexadecimal(40) { return revision }
    guard RelativePath(revision) != nil else { return nil }
    let text = try? String(contentsOfFile: Paths.join(references, revision), encoding: .utf8)
    return text.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.flatMap { $0.isHexadecimal(40) ? $0 : nil }
  }

  private func reporting<R>(_ body: () throws(FileError) -> R) throws(HubError) -> R {
    do throws(FileError) {
      return try body()
    } catch {
      throw .cache(reason: error.description)
    }
  }
}
