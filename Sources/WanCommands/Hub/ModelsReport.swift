import Files
import Hub
import WanKit

/// The models on this machine.
struct ModelsReport: Encodable {
  /// The hub's cache.
  let cache: String
  let models: [Entry]

  /// One of them.
  struct Entry: Encodable {
    /// `OWNER/NAME`, or a folder's name.
    let name: String
    /// The folder that --model takes; of a model without a snapshot its folder in the cache.
    let path: String
    /// "hub" or "folder".
    let source: String
    /// The commit of the main branch.
    let revision: String?
    /// On the disk, parts included.
    let bytes: Int
    /// Whether no file is still to come.
    let complete: Bool
    /// Files that are still to come.
    let unfinished: Int
    /// What it is, where it is one of Wan's.
    let kind: String?
  }

  init(cache: HubCache, folders: [String]) {
    self.cache = cache.path
    let places = folders.flatMap { Self.isModel($0) ? [$0] : Self.children(of: $0) }
    models = cache.models.map(Entry.init) + places.compactMap(Entry.init)
  }

  private static func isModel(_ path: String) -> Bool { (try? ModelFolder(path: path)) != nil }

  private static func children(of folder: String) -> [String] {
    ((try? FolderNames(path: folder))?.names ?? []).filter { !$0.hasPrefix(".") }.map { Paths.join(folder, $0) }
  }

  /// For people.
  var lines: [String] {
    guard !models.isEmpty else {
      return ["no models in \(cache) and WAN_MODELS; 'wan pull ti2v-5b' downloads one"]
    }
    return ["\(cache):"].filter { _ in models.contains { $0.source == "hub" } } + models.map(\.line)
  }
}

extension ModelsReport.Entry {
  init(_ model: CachedModel) {
    (name, source) = (model.name.description, "hub")
    (path, revision) = (model.mainSnapshot ?? model.path, model.mainCommit)
    (bytes, complete, unfinished) = (model.bytes, model.isComplete, model.unfinished)
    kind = model.mainSnapshot.flatMap(ModelKind.words)
  }

  /// A folder or file of `WAN_MODELS`; `nil` for what is nothing of Wan's.
  init?(_ path: String) {
    guard let kind = ModelKind.words(for: path), let status = FileStatus(path: path) else { return nil }
    (name, self.path, source) = (Paths.name(of: path), path, "folder")
    (revision, complete, unfinished, self.kind) = (nil, true, 0, kind)
    bytes = status.kind == .file ? status.size : FolderSize(of: path).bytes
  }

  fileprivate var line: String {
    let state = complete ? "" : unfinished > 0 ? ", \(Format.count(unfinished, "file")) to come" : ", nothing is whole"
    let commit = revision.map { ", \($0.prefix(12))" } ?? ""
    let place = source == "folder" ? " (\(path))" : ""
    return "  \(name): \(Format.gibibytes(bytes))\(commit)\(state)" + (kind.map { ", \($0)" } ?? "") + place
  }
}

/// What a folder or file is, where it is something of Wan's.
enum ModelKind {
  static func words(for path: String) -> String? {
    if let model = try? ModelFolder(path: path) { return model.family.name }
    guard let inspection = try? Inspection(path: path) else { return nil }
    let parts = inspection.networks.filter(\.problems.isEmpty).map(\.role)
    return parts.isEmpty ? nil : "parts of Wan's: " + parts.joined(separator: ", ")
  }
}
