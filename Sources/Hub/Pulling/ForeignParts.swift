import Files
import Foundation

/// What other programs have left of a blob: Python's tools give their parts names of their own,
/// `blobs/NAME.0123abcd.incomplete`, and a killed one leaves them.
struct ForeignParts {
  private let file: ListedFile
  private let folder: RepositoryFolder

  init(_ file: ListedFile, in folder: RepositoryFolder) {
    (self.file, self.folder) = (file, folder)
  }

  /// Makes the largest part the one to go on with, and removes the others. Whoever calls this has the blob's lock, so
  /// that no other program writes to them.
  func adopt() {
    let own = folder.unfinished(file.identity)
    let parts = names.map { Paths.join(folder.blobs, $0) }.compactMap { path in
      FileStatus(path: path, followingLinks: false).flatMap { $0.kind == .file ? (path, $0.size) : nil }
    }
    let ownSize = FileStatus(path: own, followingLinks: false)?.size ?? 0
    let best = parts.filter { $0.1 > ownSize && $0.1 <= file.size }.max { $0.1 < $1.1 }
    if let best { ResumedFile.move(best.0, to: own) }
    for (path, _) in parts where path != best?.0 { ResumedFile.remove(path) }
  }

  private var names: [String] {
    let (start, end) = (file.identity.name + ".", RepositoryFolder.unfinishedEnding)
    return ((try? FolderNames(path: folder.blobs))?.names ?? []).filter { name in
      let middle = name.dropFirst(start.utf8.count).dropLast(end.utf8.count)
      return name.hasPrefix(start) && name.hasSuffix(end) && String(middle).isHexadecimal(8)
    }
  }
}
