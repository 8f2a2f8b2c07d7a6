import Checkpoints
import Files
import Foundation
public import Sampling
import Tensors

/// A run that lies in a folder, to go on from there after whatever ended it: a kill, a power cut, a full disk.
///
/// `run.json` tells what is made, `state.safetensors` where the run stands, with checksums of itself. Each appears whole
/// in place of the one before. A lock keeps two programs from carrying out one run; it ends with the program.
public final class SavedRun: Sendable {
  /// As it was given.
  public let folder: String
  /// What is made.
  public let record: RunRecord
  private let lock: SharedLock?

  /// The file whose presence makes a folder a saved run.
  public static let recordName = "run.json"
  private static let (stateName, lockName) = ("state.safetensors", ".lock")
  /// A record holds a picture, perhaps, and its prompts.
  private static let largestRecord = 1 << 30

  private init(_ folder: String, _ record: RunRecord, _ lock: SharedLock?) {
    (self.folder, self.record, self.lock) = (folder, record, lock)
  }

  /// Whether a folder can take a run: it is empty, or it can be made. Nothing stays of the look.
  ///
  /// - Throws: ``SavedRunError``.
  public static func check(_ folder: String) throws(SavedRunError) {
    let folder = Paths.withoutSlashes(folder)
    if let status = FileStatus(path: folder) {
      guard status.kind == .folder else { throw SavedRunError(folder, "is no folder; name another") }
      guard !has(folder, recordName) else {
        throw SavedRunError(folder, "holds a saved run already: go on with it, remove it, or name another folder")
      }
    }
    do {
      // What a killed program left of a record goes with it.
      let target = FileStatus(path: folder) == nil ? folder : Paths.join(folder, recordName)
      try OutputFolder(beside: target).remove()
    } catch { throw SavedRunError(folder, "cannot be used: \(error)") }
    guard names(in: folder).allSatisfy({ $0 == lockName }) else {
      throw SavedRunError(folder, "holds other files; name an empty or a new folder")
    }
  }

  /// Makes a folder for a run, at its first step.
  ///
  /// - Throws: ``SavedRunError``.
  public static func create(_ folder: String, _ record: RunRecord) throws(SavedRunError) -> SavedRun {
    let folder = Paths.withoutSlashes(folder)
    try check(folder)
    do {
      try OutputFile.makeFolder(path: folder)
      let run = SavedRun(folder, record, try lock(folder))
      var isWhole = false
      defer { if !isWhole { run.remove() } }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.dateEncodingStrategy = .iso8601
      let bytes = Array(try encoder.encode(record))
      guard bytes.count <= largestRecord else {
        throw SavedRunError(
          folder, "would take \(bytes.count) bytes of pictures and frames; give fewer or smaller ones")
      }
      let file = try OutputFile(path: run.path(recordName))
      try file.write(bytes.span)
      try file.commit()
      isWhole = true
      return run
    } catch let error as SavedRunError { throw error } catch { throw SavedRunError(folder, "\(error)") }
  }

  /// Opens a run to go on with, for this program alone.
  ///
  /// - Throws: ``SavedRunError`` where there is none, it is damaged, or another program has it.
  public static func open(_ folder: String) throws(SavedRunError) -> SavedRun {
    let (folder, record) = (Paths.withoutSlashes(folder), try record(folder))
    return SavedRun(folder, record, try lock(folder))
  }

  /// What a folder's run makes; nothing is locked.
  ///
  /// - Throws: ``SavedRunError``.
  public static func record(_ folder: String) throws(SavedRunError) -> RunRecord {
    guard has(folder, recordName) else { throw SavedRunError(folder, "holds no saved run") }
    do {
      let file = try MappedFile(path: Paths.join(folder, recordName))
      guard file.byteCount <= largestRecord else { throw SavedRunError(folder, "\(recordName) is too large to be one") }
      let decoder = JSONDecoder()
      decoder.dateDecodingStrategy = .iso8601
      return try decoder.decode(RunRecord.self, from: Data(file.bytes(in: 0..<file.byteCount)))
    } catch let error as SavedRunError { throw error } catch {
      throw SavedRunError(folder, "\(recordName) cannot be read: \(error)")
    }
  }

  /// Whether another program carries out a folder's run now.
  public static func isBusy(_ folder: String) -> Bool {
    guard has(folder, lockName) else { return false }
    if case .busy = SharedLock.attempt(Paths.join(folder, lockName)) { return true }
    return false
  }

  /// Everything in a folder, hidden or not; nothing where it is not there.
  private static func names(in folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }

  private static func has(_ folder: String, _ name: String) -> Bool {
    FileStatus(path: Paths.join(folder, name)) != nil
  }

  private static func lock(_ folder: String) throws(SavedRunError) -> SharedLock? {
    switch SharedLock.attempt(Paths.join(folder, lockName)) {
    case .taken(let lock): return lock
    case .busy: throw SavedRunError(folder, "is being carried out by another program")
    // A file system without locks keeps nobody from saving.
    case .unavailable: return nil
    }
  }

  private func path(_ name: String) -> String { Paths.join(folder, name) }

  /// Takes the run's files away, and the folder where nothing else is in it.
  public func remove() {
    let own = [Self.recordName, Self.stateName, Self.lockName]
    if Self.names(in: folder).allSatisfy({ own.contains($0) || Temporary.isTemporary($0) }),
      FileStatus(path: folder, followingLinks: false)?.kind == .folder, Temporary.remove(folder: folder)
    {
      return
    }
    // The record goes first: without it the rest is no run.
    for name in own {
      try? FileManager.default.removeItem(atPath: path(name))
    }
    // What a killed program left of a state goes too; what anybody else has put there stays.
    try? OutputFolder(beside: path(Self.recordName)).remove()
    if Self.names(in: folder).isEmpty { try? FileManager.default.removeItem(atPath: folder) }
  }

  /// Bytes that the run takes on the disk.
  public static func byteCount(_ folder: String) -> Int {
    [recordName, stateName].reduce(0) { $0 + (FileStatus(path: Paths.join(folder, $1))?.size ?? 0) }
  }
}

// MARK: Where it stands

extension SavedRun {
  /// Replaces where the run stands.
  ///
  /// - Throws: `CheckpointError` of a disk that is full or fails; what was there before stays.
  public func write(_ state: RunState) throws {
    let facts = String(decoding: try JSONEncoder().encode(state.facts), as: UTF8.self)
    var writer = try SealedSafetensorsWriter(
      path: path(Self.stateName),
      entries: state.tensors.map { .init(name: $0.name, shape: $0.tensor.shape, dtype: $0.tensor.dtype) },
      metadata: [("run", record.id.uuidString), ("facts", facts)])
    for (name, tensor) in state.tensors { try writer.write(tensor, as: name) }
    try writer.finish()
  }

  /// Where the run stands; `nil` before its first step was saved.
  ///
  /// - Throws: ``SavedRunError`` for a file that is damaged or another run's.
  public func state() throws(SavedRunError) -> RunState? {
    guard Self.has(folder, Self.stateName) else { return nil }
    do {
      let file = try SafetensorsFile(path: path(Self.stateName))
      try file.checkSeal()
      let texts = Dictionary(file.metadata.map { ($0.key, $0.value) }) { first, _ in first }
      guard texts["run"] == record.id.uuidString else {
        throw SavedRunError(folder, "\(Self.stateName) is another run's")
      }
      let facts = try JSONDecoder().decode(RunState.Facts.self, from: Data((texts["facts"] ?? "").utf8))
      var tensors: [String: Tensor] = [:]
      for name in file.names.dropLast() { tensors[name] = try file.tensor(name) }
      return try RunState(facts, tensors: tensors)
    } catch let error as SavedRunError { throw error } catch {
      let cause = (error as? CheckpointError)?.cause ?? "\(error)"
      throw SavedRunError(
        folder, "\(Self.stateName) is damaged (\(cause)); remove it, and the run begins at its first step")
    }
  }

  /// Steps that a folder's run has taken, as far as its state tells; 0 where it cannot be read.
  public static func stepsDone(_ folder: String) -> Int {
    guard let file = try? SafetensorsFile(path: Paths.join(folder, stateName)),
      let text = file.metadata.first(where: { $0.key == "facts" })?.value
    else { return 0 }
    return (try? JSONDecoder().decode(RunState.Facts.self, from: Data(text.utf8)))?.step ?? 0
  }
}

/// A folder that holds no run that can go on; says which and why.
public struct SavedRunError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The folder.
  public let folder: String
  /// The end of a sentence that begins with it.
  public let reason: String

  /// A failure of one's own.
  public init(_ folder: String, _ reason: String) { (self.folder, self.reason) = (folder, reason) }

  public var description: String { "saved run '\(folder)': \(reason)" }
}
