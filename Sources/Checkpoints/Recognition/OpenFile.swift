import Files
import Foundation
public import Tensors

/// Maps a file of a model after telling what it is not: a part of a download, a link into nothing, a folder, a web page,
/// a pointer of git-lfs, and the like. Its reader has the last word on the rest.
///
/// - Throws: ``CheckpointError`` with a sentence for each of these.
public func openFile(path: String, expecting expected: ExpectedContent) throws(CheckpointError) -> Storage {
  try UnfinishedDownload.refuse(path)
  let storage = Storage(try MappedFile(checkpoint: path))
  guard storage.byteCount > 0 else { throw CheckpointError(emptyFile: path) }
  if let found = ForeignContent(storage, path: path, expected: expected) {
    throw CheckpointError(path: path, "this is \(found.what)", advice: found.advice)
  }
  return storage
}

extension MappedFile {
  convenience init(checkpoint path: String) throws(CheckpointError) {
    do throws(FileError) {
      try self.init(path: path)
    } catch {
      throw CheckpointError(unopened: error)
    }
  }
}

extension CheckpointError {
  /// Why a file could not be opened, where the system's own word for it says little.
  init(unopened error: FileError) {
    let path = error.path
    if let link = Self.brokenLink(path) {
      self = link
    } else if (try? FolderNames(path: path)) != nil {
      self.init(
        path: path, "a folder lies where a file is expected, which is not a regular file",
        advice: "put the file of that name in its place")
    } else if !FileManager.default.fileExists(atPath: path), let unfinished = UnfinishedDownload.error(path) {
      self = unfinished
    } else if error.reason == "Permission denied" {
      self.init(path: path, "cannot \(error.operation): \(error.reason)", advice: "check who may read it (ls -l)")
    } else {
      self.init(error)
    }
  }

  /// The error of a link whose target is not there; `nil` for everything else.
  public static func brokenLink(_ path: String) -> CheckpointError? {
    let files = FileManager.default
    guard !files.fileExists(atPath: path), let target = try? files.destinationOfSymbolicLink(atPath: path) else {
      return nil
    }
    let isOfHub = target.contains("blobs/")
    return CheckpointError(
      path: path, "this is a link to '\(target)', which is not there",
      advice: isOfHub
        ? "the download is unfinished, or the folder was copied without its blobs: download it again, or copy with cp -rL"
        : "put its target back, or the file itself in its place")
  }

  fileprivate init(emptyFile path: String) {
    self =
      UnfinishedDownload.error(path)
      ?? CheckpointError(
        path: path, "the file is empty", advice: CheckpointError.downloadAgain)
  }
}
