import Files

/// A page of the hub's listing (`/api/models/OWNER/NAME/tree/SHA?recursive=true`), and the commit that a revision is.
enum ListingReader {
  /// The most files that a model may have: the largest on the hub have some ten thousand.
  static let mostFiles = 100_000

  /// The files of a page; its folders are left out.
  ///
  /// - Throws: ``HubError`` for a page that is no such listing, and for a path that would leave the model's folder.
  static func files(_ page: [UInt8], from source: String) throws(HubError) -> [ListedFile] {
    do throws(ListingProblem) {
      var files: [ListedFile] = []
      var json = JSONReader<ListingProblem>(page, path: source)
      try json.array { (json: inout JSONReader) throws(ListingProblem) in
        guard files.count < mostFiles else { throw json.failure("it lists more than \(mostFiles) files") }
        if let file = try entry(&json) { files.append(file) }
      }
      try json.end()
      return files
    } catch {
      throw .badAnswer(source: source, reason: error.reason)
    }
  }

  /// The commit that a revision is, from `/api/models/OWNER/NAME/revision/REV`.
  static func commit(_ page: [UInt8], from source: String) throws(HubError) -> String {
    do throws(ListingProblem) {
      var commit: String?
      var json = JSONReader<ListingProblem>(page, path: source)
      try json.object { (json: inout JSONReader, key: String) throws(ListingProblem) in
        if key == "sha" { commit = try json.string(limit: 64) } else { try json.skip() }
      }
      try json.end()
      guard let commit, commit.isHexadecimal(40) else { throw json.failure("it names no commit") }
      return commit
    } catch {
      throw .badAnswer(source: source, reason: error.reason)
    }
  }

  /// What an entry says, as far as it is needed.
  private struct Entry {
    var type, path, git, sha256: String?
    var size, largeSize: Int?
  }

  private static func entry(_ json: inout JSONReader<ListingProblem>) throws(ListingProblem) -> ListedFile? {
    var entry = Entry()
    try json.object { (json: inout JSONReader, key: String) throws(ListingProblem) in
      switch key {
      case "type": entry.type = try json.string(limit: 64)
      case "path": entry.path = try json.string(limit: 4096)
      case "oid": entry.git = try json.string(limit: 128)
      case "size": entry.size = try json.integer()
      case "lfs" where json.peek() == UInt8(ascii: "{"): try large(&json, &entry)
      default: try json.skip()
      }
    }
    guard entry.type == "file" else { return nil }
    return try file(entry, json)
  }

  private static func large(
    _ json: inout JSONReader<ListingProblem>, _ entry: inout Entry
  ) throws(ListingProblem) {
    var (sha256, size): (String?, Int?) = (nil, nil)
    try json.object { (json: inout JSONReader, key: String) throws(ListingProblem) in
      switch key {
      case "oid": sha256 = try json.string(limit: 128)
      case "size": size = try json.integer()
      default: try json.skip()
      }
    }
    (entry.sha256, entry.largeSize) = (sha256 ?? "", size)
  }

  private static func file(
    _ entry: Entry, _ json: JSONReader<ListingProblem>
  ) throws(ListingProblem) -> ListedFile {
    guard let path = entry.path, let size = entry.largeSize ?? entry.size else {
      throw json.failure("a file without a path or a size")
    }
    guard let place = RelativePath(path) else {
      throw json.failure("the path '\(path)' would leave the model's folder, or is none")
    }
    let name = entry.sha256 ?? entry.git ?? ""
    let identity = entry.sha256 == nil ? BlobIdentity(git: name) : BlobIdentity(sha256: name)
    guard let identity else { throw json.failure("the file '\(path)' has no digest that is known: '\(name)'") }
    return ListedFile(size: size, identity: identity, place: place)
  }
}

/// What is wrong with an answer of the hub.
private struct ListingProblem: ReadingFailure {
  let reason: String

  init(_ problem: ReadingProblem) { reason = "byte \(problem.offset): \(problem.reason)" }
}
