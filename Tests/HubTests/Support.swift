import Foundation
import Synchronization
import TestHub
import TestSupport
import Testing

@testable import Hub

/// A cache in a folder of its own, and a hub to fill it from.
struct PullBench {
  let folder: TemporaryFolder
  let hub: FakeHub
  let events = EventLog()
  var cache: HubCache { HubCache(path: folder.path("hub")) }
  var repository: RepositoryFolder {
    get throws { RepositoryFolder(name: try #require(RepositoryName(FakeHub.model)), cache: cache.path) }
  }

  init(_ files: [FakeHub.File], pageSize: Int = 1000, twist: @escaping FakeHub.Twist = { _, _ in nil }) async throws {
    folder = try TemporaryFolder()
    hub = try await FakeHub(files, pageSize: pageSize, twist: twist)
  }

  func request() throws -> PullRequest { try PullRequest(#require(RepositoryName(FakeHub.model))) }

  /// Pulls with little patience.
  @discardableResult
  func pull(
    _ request: PullRequest? = nil, token: String = "hf_secret", idle: Double = 5, attempts: Int = 4
  ) async throws -> PulledModel {
    var settings = try HubSettings(environment: ["HF_TOKEN": token, "HF_HOME": folder.path], endpoint: hub.address)
    settings.patience.firstPause = 0.01
    settings.patience.attempts = attempts
    settings.patience.idle = idle
    let log = events
    return try await Pull(request ?? self.request(), into: cache, from: settings).run { log.add($0) }
  }

  /// The file of the snapshot, through its link.
  func bytes(_ path: String) throws -> [UInt8] {
    Array(try Golden.data(repository.snapshot(FakeHub.commit) + "/" + path))
  }

  /// Everything in the cache, links with what they lead to.
  func tree() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: cache.path).sorted().compactMap { path in
      let full = cache.path + "/" + path
      if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: full) { return "\(path) -> \(target)" }
      var isFolder: ObjCBool = false
      _ = unsafe FileManager.default.fileExists(atPath: full, isDirectory: &isFolder)
      return isFolder.boolValue ? nil : path
    }
  }

  /// Whatever ends so among the blobs.
  func parts() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: repository.blobs).filter { $0.hasSuffix(".incomplete") }
  }
}

/// What a pull told.
final class EventLog: Sendable {
  private let events = Mutex<[PullEvent]>([])

  func add(_ event: PullEvent) { events.withLock { $0.append(event) } }
  var all: [PullEvent] { events.withLock { $0 } }
}

/// Bytes that differ from their neighbours.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var random = SeededGenerator(seed: seed)
  return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
}

/// A small file, a large one in a folder, and an empty one.
func someFiles() -> [FakeHub.File] {
  [
    FakeHub.File("config.json", Array("{}\n".utf8)),
    FakeHub.File("sub/deep/w.safetensors", noise(300_000), isLarge: true),
    FakeHub.File("empty.txt", []),
  ]
}
