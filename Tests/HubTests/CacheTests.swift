import Files
import Foundation
import TestHub
import TestSupport
import Testing

@testable import Hub

@Suite("The hub's cache") struct CacheTests {
  @Test("tells what is in it")
  func models() async throws {
    let bench = try await PullBench(someFiles())
    #expect(bench.cache.models.isEmpty)
    try await bench.pull()
    let model = try #require(bench.cache.models.first)
    #expect(model.name.description == FakeHub.model && model.isComplete && model.unfinished == 0)
    #expect(model.revisions == ["main": FakeHub.commit] && model.commits == [FakeHub.commit])
    #expect(model.bytes == 300_003 + 40 && model.files(of: FakeHub.commit) == 3)
    #expect(try model.mainSnapshot == bench.repository.snapshot(FakeHub.commit))
  }

  @Test("knows a model without a main branch by its one commit, and no commit that is none")
  func references() async throws {
    let bench = try await PullBench(someFiles())
    try await bench.pull()
    let main = try bench.repository.references + "/main"
    try Data("../../../x".utf8).write(to: URL(fileURLWithPath: main))
    let model = try #require(bench.cache.models.first)
    #expect(model.revisions.isEmpty && model.mainCommit == FakeHub.commit)
    #expect(model.commit(of: "main") == nil && model.commit(of: "../refs/main") == nil)
  }

  @Test("loses a model with all that belongs to it, and nothing else")
  func removal() async throws {
    let bench = try await PullBench(someFiles())
    try await bench.pull()
    let other = bench.cache.path + "/models--a--b"
    try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
    // A link in the model must not take with it what it leads to.
    let kept = bench.folder.path("kept")
    try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
    try Data([1]).write(to: URL(fileURLWithPath: kept + "/a"))
    try FileManager.default.createSymbolicLink(atPath: bench.repository.path + "/link", withDestinationPath: kept)
    #expect(try bench.cache.remove(#require(RepositoryName(FakeHub.model))) == 300_043)
    #expect(try bench.tree() == ["CACHEDIR.TAG"])
    #expect(FileManager.default.fileExists(atPath: other) && FileManager.default.fileExists(atPath: kept + "/a"))
    #expect(throws: HubError.self) { try bench.cache.remove(#require(RepositoryName(FakeHub.model))) }
  }

  @Test("keeps a model that is being pulled, and one that is a link")
  func kept() async throws {
    let bench = try await PullBench(someFiles())
    try await bench.pull()
    let name = try #require(RepositoryName(FakeHub.model))
    let path = try bench.repository.locks + "/" + someFiles()[0].blob + ".lock"
    guard case .taken(let lock) = SharedLock.attempt(path) else { return #expect(Bool(false), "no lock") }
    #expect { try bench.cache.remove(name) } throws: { "\($0)".contains("is being pulled") }
    withExtendedLifetime(lock) {}
    let link = bench.cache.path + "/models--a--b"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: bench.repository.path)
    #expect { try bench.cache.remove(#require(RepositoryName("a/b"))) } throws: {
      "\($0)".contains("remove it by hand")
    }
    #expect(try bench.bytes("config.json").count == 3)
  }
}
