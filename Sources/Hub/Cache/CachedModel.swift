import Files
import Foundation

/// A model in the hub's cache.
public struct CachedModel: Sendable {
  /// Its name on the hub.
  public var name: RepositoryName { folder.name }
  /// Its folder in the cache.
  public var path: String { folder.path }
  /// Branches and tags with the commits that they were when they were pulled.
  public let revisions: [String: String]
  /// The commits of which files are there.
  public let commits: [String]
  /// Bytes on the disk, of whole files and of parts.
  public let bytes: Int
  /// Files that were begun and are not whole.
  public let unfinished: Int

  private let folder: RepositoryFolder

  init(_ folder: RepositoryFolder) {
    self.folder = folder
    let references = Self.files(below: folder.references)
    revisions = references.reduce(into: [:]) { result, name in
      if let commit = folder.commit(of: name) { result[name] = commit }
    }
    commits = ((try? FolderNames(path: folder.snapshots))?.names ?? []).filter { $0.isHexadecimal(40) }
    let blobs = (try? FolderNames(path: folder.blobs))?.names ?? []
    unfinished = blobs.count { $0.hasSuffix(RepositoryFolder.unfinishedEnding) }
    bytes = FolderSize(of: folder.path).bytes
  }

  /// Whether every file that was asked for is there.
  public var isComplete: Bool { unfinished == 0 && !commits.isEmpty }

  /// The commit that `main` was; without it the one commit that there is, if it is but one.
  public var mainCommit: String? {
    revisions["main"].flatMap { commits.contains($0) ? $0 : nil } ?? (commits.count == 1 ? commits.first : nil)
  }

  /// The folder of the files of ``mainCommit``.
  public var mainSnapshot: String? { mainCommit.map(snapshot) }

  /// The folder of a commit's files.
  public func snapshot(_ commit: String) -> String { folder.snapshot(commit) }

  /// The commit that a branch or tag was when it was pulled, if its files are there.
  public func commit(of revision: String) -> String? {
    folder.commit(of: revision).flatMap { commits.contains($0) ? $0 : nil }
  }

  /// How many files of a commit are there.
  public func files(of commit: String) -> Int { Self.files(below: folder.snapshot(commit)).count }

  /// Paths of all that is no folder, links as they are.
  private static func files(below path: String) -> [String] {
    ((try? FolderNames(path: path))?.names ?? []).flatMap { name in
      let entry = Paths.join(path, name)
      guard FileStatus(path: entry, followingLinks: false)?.kind == .folder else { return [name] }
      return files(below: entry).map { Paths.join(name, $0) }
    }
  }
}
