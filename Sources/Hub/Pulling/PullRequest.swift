/// Which files of which model are wanted.
public struct PullRequest: Sendable {
  /// The model.
  public let name: RepositoryName
  /// A branch, a tag or a commit.
  public let revision: String
  /// Files that are wanted; all where there are none.
  public var include: [FilePattern] = []
  /// Files that are not wanted, of those.
  public var exclude: [FilePattern] = []
  /// How many files are fetched at a time.
  public var jobs = 4

  /// All files of a revision.
  ///
  /// - Throws: ``HubError`` for a revision that cannot be one.
  public init(_ name: RepositoryName, revision: String = "main") throws(HubError) {
    guard RelativePath(revision) != nil else {
      throw .badSetting(reason: "the revision '\(revision)' is no branch, tag or commit")
    }
    (self.name, self.revision) = (name, revision)
  }

  /// Whether a file is wanted.
  func wants(_ file: ListedFile) -> Bool {
    (include.isEmpty || include.contains { $0.matches(file.path) }) && !exclude.contains { $0.matches(file.path) }
  }
}

/// What happens while a model is pulled.
public enum PullEvent: Sendable, Hashable {
  /// What will be done, known before the first byte of a file; `present` bytes of `bytes` are there already.
  case planned(files: Int, bytes: Int, present: Int)
  /// So many bytes of the whole are there; `fetched` of them came over the network.
  case progress(done: Int, fetched: Int, bytes: Int)
  /// A file is whole and has its name.
  case finished(file: String)
  /// An attempt failed; the next one comes in so many seconds.
  case retrying(file: String, reason: String, seconds: Double)
  /// A file's bytes were not what they should be, and were deleted; it is fetched once more.
  case damaged(file: String)
  /// Another program is fetching the file.
  case waiting(file: String)
}

/// A model that lies in the cache.
public struct PulledModel: Sendable, Hashable {
  /// The model.
  public let name: RepositoryName
  /// The commit that the revision is.
  public let commit: String
  /// The folder of its files.
  public let folder: String
  /// How many files were wanted, and their bytes.
  public let files, bytes: Int
  /// The bytes that came over the network.
  public let fetched: Int
}
