import Files
import Foundation
import WanKit

/// What a folder of many clips tells of their making, beside them: which are finished, of what, and the seeds that nobody
/// chose, so that a second start makes the same clips.
struct BatchManifest: Codable {
  /// The file in the folder.
  static let name = "wan-batch.json"
  private static let largest = 1 << 30

  struct Clip: Codable {
    /// Of the noise.
    let seed: UInt64
    /// Whether nobody chose it.
    let isDrawn: Bool
    /// What the clip depends on.
    let fingerprint: RunFingerprint
    var isFinished: Bool
  }

  /// By the names of the clips' files.
  var clips: [String: Clip] = [:]

  /// Reads that of a folder; an empty one where there is none.
  ///
  /// - Throws: `CommandError` for a file that is damaged.
  init(folder: String) throws(CommandError) {
    let path = Paths.join(folder, Self.name)
    guard FileStatus(path: path) != nil else { return }
    do {
      let file = try MappedFile(path: path)
      guard file.byteCount <= Self.largest else { throw CommandError("it is too large to be one") }
      self = try JSONDecoder().decode(BatchManifest.self, from: Data(file.bytes(in: 0..<file.byteCount)))
    } catch {
      throw CommandError(
        "\(path) cannot be read (\(error)); remove it, and clips that are there already must go elsewhere too")
    }
  }

  /// Replaces the folder's.
  func write(in folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let file = try OutputFile(path: Paths.join(folder, Self.name))
    try file.write(Array(encoder.encode(self)).span)
    try file.commit()
  }
}

extension RunFingerprint {
  /// What makes another clip of a finished one: the version and the processor that made it do not.
  func recipeDifferences(from before: RunFingerprint) -> [String] {
    differences(from: before).filter { !$0.hasPrefix("version: ") && !$0.hasPrefix("arithmetic: ") }
  }
}

/// A folder that one start makes clips in.
final class BatchFolder {
  let path: String
  private let isNew: Bool
  private var lock: SharedLock?

  private static let lockName = ".wan-batch.lock"

  /// Makes it where it is not there, and keeps others from it.
  ///
  /// - Throws: `CommandError`.
  init(_ path: String) throws(CommandError) {
    self.path = path
    isNew = FileStatus(path: path) == nil
    do throws(FileError) { try OutputFile.makeFolder(path: path) } catch {
      throw CommandError("--output \(path)/: cannot \(error.operation): \(error.reason)")
    }
    switch SharedLock.attempt(Paths.join(path, Self.lockName)) {
    case .taken(let lock): self.lock = lock
    case .busy:
      throw CommandError("another wan makes clips in '\(path)' now; wait for it, or name another folder with --output")
    // A file system without locks keeps nobody from making clips.
    case .unavailable: lock = nil
    }
  }

  /// Lets others in; a folder that was made for nothing goes.
  func leave() {
    guard lock != nil else { return }
    try? FileManager.default.removeItem(atPath: Paths.join(path, Self.lockName))
    lock = nil
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [""]
    if isNew, names.isEmpty { try? FileManager.default.removeItem(atPath: path) }
  }

  deinit { leave() }
}
