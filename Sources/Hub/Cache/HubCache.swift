import Files
import Foundation

/// The folder in which Python's hub tools and this one keep models.
public struct HubCache: Sendable, Hashable {
  /// The folder; it need not be there yet.
  public let path: String

  /// A cache in a folder.
  public init(path: String) { self.path = path }

  /// The cache that Python's tools would take: `$HF_HUB_CACHE`, else `$HF_HOME/hub`, else
  /// `$XDG_CACHE_HOME/huggingface/hub`, else `~/.cache/huggingface/hub`.
  public init(environment: [String: String]) {
    path = HubEnvironment(environment).cache
  }

  /// The models in it by name; none where there is no cache.
  public var models: [CachedModel] {
    let names = (try? FolderNames(path: path))?.names ?? []
    return names.compactMap { RepositoryName(folder: $0) }.sorted().compactMap(model)
  }

  /// A model that was pulled, whole or in part, by whichever program.
  public func model(_ name: RepositoryName) -> CachedModel? {
    let folder = RepositoryFolder(name: name, cache: path)
    return FileStatus(path: folder.path)?.kind == .folder ? CachedModel(folder) : nil
  }

  /// Removes a model with all its revisions.
  ///
  /// - Returns: the bytes that this freed.
  /// - Throws: ``HubError`` where there is no such model, a program is fetching it, or a file of it cannot be removed.
  public func remove(_ name: RepositoryName) throws(HubError) -> Int {
    let folder = RepositoryFolder(name: name, cache: path)
    guard let status = FileStatus(path: folder.path, followingLinks: false) else {
      throw .cache(reason: "there is no '\(name)' in \(path); 'wan models' lists what there is")
    }
    guard status.kind == .folder else {
      throw .cache(reason: "\(folder.path): this is a link or a file, not the folder of a model; remove it by hand")
    }
    let locks = try heldLocks(of: folder)
    defer { withExtendedLifetime(locks) {} }
    let bytes = FolderSize(of: folder.path).bytes
    do {
      try FileManager.default.removeItem(atPath: folder.path)
      if FileStatus(path: folder.locks) != nil { try FileManager.default.removeItem(atPath: folder.locks) }
    } catch {
      let left = FolderSize(of: folder.path).bytes
      throw .cache(
        reason: "\(folder.path): not all of it can be removed (\(error.localizedDescription)); \(left) bytes are left")
    }
    return bytes
  }

  /// The locks of all blobs, so that nobody fetches one meanwhile.
  private func heldLocks(of folder: RepositoryFolder) throws(HubError) -> [SharedLock] {
    var held: [SharedLock] = []
    for name in (try? FolderNames(path: folder.locks))?.names ?? [] where name.hasSuffix(".lock") {
      switch SharedLock.attempt(Paths.join(folder.locks, name)) {
      case .taken(let lock): held.append(lock)
      case .unavailable: continue
      case .busy: throw .cache(reason: "'\(folder.name)' is being pulled; wait for that, or stop it")
      }
    }
    return held
  }
}

/// What the files in a folder take, without what its links lead to.
public struct FolderSize: Sendable, Hashable {
  /// Bytes of all files.
  public private(set) var bytes = 0

  /// Counts the files in a folder and the folders in it; what cannot be listed counts nothing.
  public init(of path: String) { add(path, depth: 64) }

  private mutating func add(_ path: String, depth: Int) {
    for name in (try? FolderNames(path: path))?.names ?? [] {
      let entry = Paths.join(path, name)
      guard let status = FileStatus(path: entry, followingLinks: false) else { continue }
      if status.kind == .file { bytes += status.size }
      if status.kind == .folder, depth > 0 { add(entry, depth: depth - 1) }
    }
  }
}
