#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Several files that get their names together, in place of an older set: all of them, or none.
///
/// The new files wait in the hidden folder under their final names, in `waiting`. First every old file is moved to
/// `old`; then `waiting` is renamed to `placing`, from where the new ones move to their places. So whatever interrupts
/// this, the names tell on which side of the middle it happened, and ``recover(from:)`` goes back or forward.
///
/// One program at a time does this for a target: two sets that got their names together would be mixed.
public struct FileSet: Sendable {
  private let folder: OutputFolder
  private let target: String
  private var parent: String { Paths.folder(of: target) }

  /// Seconds that another program may take for its own set.
  private static let patience = 60

  /// - Parameter target: a path in the folder where the files will lie.
  public init(_ folder: OutputFolder, target: String) {
    (self.folder, self.target) = (folder, target)
  }

  /// Gives files of the hidden folder their names beside it.
  ///
  /// - Parameter extras: names of older files that would mix with the new ones, asked for when nobody else places any.
  /// - Throws: ``OutputError``; the new files are then still in the hidden folder, the old ones where they were.
  public func publish(
    _ files: [(partial: String, final: String)], removing extras: () -> [String]
  ) throws(OutputError) {
    let waiting = folder.file(Self.waiting)
    try make(waiting)
    try make(folder.file(Self.old))
    for file in files { try Self.move(folder.file(file.partial), to: Paths.join(waiting, file.final)) }
    for file in files { try Disk.synchronize(Paths.join(waiting, file.final)) }
    let marker = Temporary.marker(for: "set." + Paths.name(of: target), in: parent)
    // Without locks on this file system the programs do not know of each other.
    let lock = EntryLock.wait(for: marker, seconds: Self.patience)
    defer {
      if lock != nil { Removal.remove(marker) }
    }
    // From here on the hidden folder may hold the only copy of a file: if the program ends now, by whatever, the folder
    // stays for the next one to recover.
    Leftovers.forget(folder.path)
    do throws(OutputError) {
      for name in extras() + files.map(\.final) {
        guard let status = FileStatus(path: place(name), followingLinks: false) else { continue }
        guard status.kind == .file || status.kind == .link else { throw OutputError("'\(place(name))' is no file") }
        guard unsafe rename(place(name), Paths.join(folder.file(Self.old), name)) == 0 else {
          throw OutputError("'\(place(name))' cannot be replaced: \(systemReason())")
        }
      }
      try Self.move(waiting, to: folder.file(Self.placing))
      try place(files.map(\.final))
    } catch {
      goBack(files.map(\.final))
      throw error
    }
    Disk.synchronizeFolder(of: place(""))
  }

  /// Where all of so many new files lie when publishing failed; `nil` when some are elsewhere in the hidden folder.
  public func waitingFolder(of count: Int) -> String? {
    FolderEntries.names(in: folder.file(Self.waiting))?.count == count ? folder.file(Self.waiting) : nil
  }

  /// Ends what a killed program began in its hidden folder. What has come to a name since then stays there.
  ///
  /// - Returns: whether nothing of value is left in the folder.
  static func recover(from path: String) -> Bool {
    let parent = Paths.folder(of: path)
    let isForward = FileStatus(path: Paths.join(path, placing)) != nil
    let source = Paths.join(path, isForward ? placing : old)
    let names = FolderEntries.names(in: source) ?? []
    return names.filter { name in
      let place = Paths.join(parent, name)
      return FileStatus(path: place, followingLinks: false) != nil
        || (try? move(Paths.join(source, name), to: place)) == nil
    }.isEmpty
  }

  private func place(_ names: [String]) throws(OutputError) {
    for name in names { try Self.move(Paths.join(folder.file(Self.placing), name), to: place(name)) }
  }

  /// New files return to `waiting`, old ones to their places. What cannot be moved stays where it is.
  private func goBack(_ names: [String]) {
    let placing = folder.file(Self.placing)
    if FileStatus(path: placing) != nil { _ = try? Self.move(placing, to: folder.file(Self.waiting)) }
    let olds = FolderEntries.names(in: folder.file(Self.old)) ?? []
    let present = Set(FolderEntries.names(in: folder.file(Self.waiting)) ?? [])
    for name in names where !present.contains(name) {
      _ = try? Self.move(place(name), to: Paths.join(folder.file(Self.waiting), name))
    }
    for name in olds where (try? Self.move(Paths.join(folder.file(Self.old), name), to: place(name))) == nil {
      // The only copy of somebody's picture: the folder must not go with this program.
      folder.retain()
    }
  }

  private func place(_ name: String) -> String { Paths.join(parent, name) }

  private func make(_ path: String) throws(OutputError) {
    guard unsafe mkdir(path, 0o777) == 0 else { throw OutputError(systemReason()) }
  }

  private static func move(_ source: String, to target: String) throws(OutputError) {
    guard unsafe rename(source, target) == 0 else { throw OutputError("'\(target)': \(systemReason())") }
  }

  private static let (waiting, placing, old) = ("waiting", "placing", "old")
}
