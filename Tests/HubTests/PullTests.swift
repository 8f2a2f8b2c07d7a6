import Foundation
import TestHub
import TestSupport
import Testing

@testable import Hub

@Suite("A pull") struct PullTests {
  private let large = FakeHub.File("w.safetensors", noise(200_000), isLarge: true)

  @Test("leaves the files as Python's tools do: blobs by their digests, relative links, the commit")
  func layout() async throws {
    let files = someFiles() + [FakeHub.File("copy.json", Array("{}\n".utf8))]
    let bench = try await PullBench(files)
    let pulled = try await bench.pull()
    let (root, snapshot) = ("models--Owner--Some-Model/", "models--Owner--Some-Model/snapshots/\(FakeHub.commit)/")
    let locks = [files[0], files[1], files[2]].map { ".locks/\(root)\($0.blob).lock" }
    let blobs = [files[0], files[1], files[2]].map { "\(root)blobs/\($0.blob)" }
    let expected =
      locks + blobs + [
        "CACHEDIR.TAG", "\(root)refs/main", "\(snapshot)config.json -> ../../blobs/\(files[0].blob)",
        "\(snapshot)copy.json -> ../../blobs/\(files[0].blob)", "\(snapshot)empty.txt -> ../../blobs/\(files[2].blob)",
        "\(snapshot)sub/deep/w.safetensors -> ../../../../blobs/\(files[1].blob)",
      ]
    #expect(try bench.tree() == expected.sorted())
    #expect(try Golden.data(bench.cache.path + "/\(root)refs/main") == Data(FakeHub.commit.utf8))
    for file in files { #expect(try bench.bytes(file.path) == file.bytes) }
    #expect(pulled.folder == bench.cache.path + "/" + snapshot.dropLast())
    #expect(pulled.files == 4 && pulled.bytes == 300_003 && pulled.fetched == 300_003)
    #expect(bench.events.all.contains(.planned(files: 4, bytes: 300_003, present: 0)))
    #expect(bench.events.all.contains(.progress(done: 300_003, fetched: 300_003, bytes: 300_003)))
  }

  @Test("of what is there fetches nothing")
  func again() async throws {
    let bench = try await PullBench(someFiles())
    try await bench.pull()
    let before = bench.hub.calls.count
    #expect(try await bench.pull().fetched == 0)
    #expect(bench.hub.calls.count == before + 2)
  }

  @Test("mends a blob that has lost its end")
  func lost() async throws {
    let bench = try await PullBench([large])
    try await bench.pull()
    try FileManager.default.removeItem(atPath: bench.repository.blobs + "/" + large.blob)
    try Data(large.bytes.dropLast()).write(to: URL(fileURLWithPath: bench.repository.blobs + "/" + large.blob))
    try await bench.pull()
    #expect(try bench.bytes(large.path) == large.bytes)
  }

  @Test("shows the token to the hub, and to no other host")
  func token() async throws {
    let bench = try await PullBench(someFiles())
    try await bench.pull()
    let (hub, store) = (bench.hub.calls.filter { $0.host == "hub" }, bench.hub.calls.filter { $0.host == "store" })
    #expect(!store.isEmpty && store.allSatisfy { $0.call.headers["authorization"] == nil })
    #expect(hub.allSatisfy { $0.call.headers["authorization"] == "Bearer hf_secret" })
  }

  @Test("goes on where a connection broke off, as often as it brings something")
  func breaks() async throws {
    let bench = try await PullBench([large]) { call, usual in
      call.uri.hasPrefix("/blobs/") && call.number < 8 ? usual.breaking(after: 25_000) : nil
    }
    try await bench.pull(attempts: 3)
    #expect(try bench.bytes(large.path) == large.bytes)
    let starts = bench.hub.calls.filter { $0.host == "store" }.map { $0.call.rangeStart ?? 0 }
    #expect(starts == starts.sorted() && starts.count == 8 && starts[1] > 0)
  }

  @Test("gives up after attempts that bring nothing, and keeps what it has")
  func hopeless() async throws {
    let bench = try await PullBench([large]) { call, usual in
      call.uri.hasPrefix("/blobs/") ? call.number == 1 ? usual.breaking(after: 50_000) : usual.breaking(after: 0) : nil
    }
    await #expect {
      try await bench.pull()
    } throws: {
      "\($0)".contains("w.safetensors: 4 attempts failed") && "\($0)".contains("pull again to go on")
    }
    #expect(try bench.parts() == [large.blob + ".incomplete"])
    #expect(try bench.repository.presentBytes(of: listed(large)) > 0)
    #expect(bench.cache.models.map(\.isComplete) == [false])
  }

  private func listed(_ file: FakeHub.File) throws -> ListedFile {
    ListedFile(
      size: file.bytes.count, identity: try #require(BlobIdentity(sha256: file.blob)),
      place: try #require(RelativePath(file.path)))
  }

  @Test("notices a connection on which nothing comes")
  func stalls() async throws {
    let bench = try await PullBench([large]) { call, usual in
      call.uri.hasPrefix("/blobs/") && call.number == 1 ? usual.stalling(after: 60_000) : nil
    }
    try await bench.pull(idle: 2)
    #expect(try bench.bytes(large.path) == large.bytes)
    #expect(
      bench.events.all.contains {
        if case .retrying(_, let why, _) = $0 { why.contains("nothing came") } else { false }
      })
    // On a busy machine nothing may come for two seconds of a connection that is alive, too: each goes on from the last.
    let starts = bench.hub.calls.filter { $0.host == "store" }.map { $0.call.rangeStart ?? 0 }
    #expect(starts == starts.sorted() && starts.count > 1 && (0...60_000).contains(starts[1]))
  }

  @Test("waits for a slow hub that brings something now and then")
  func slow() async throws {
    let bench = try await PullBench([FakeHub.File("a.bin", noise(30_000), isLarge: true)]) { call, usual in
      call.uri.hasPrefix("/blobs/") ? usual.slow(250) : nil
    }
    try await bench.pull(idle: 6)
    #expect(bench.hub.calls.count { $0.host == "store" } == 1)
  }

  @Test("asks again where the hub is busy, and waits as long as it says", arguments: [429, 503, 500, 502])
  func busy(_ status: Int) async throws {
    let bench = try await PullBench(someFiles()) { call, _ in
      call.number == 1 ? Reply(status, [], headers: call.uri.contains("/blobs/") ? ["Retry-After": "1"] : [:]) : nil
    }
    let started = ContinuousClock.now
    try await bench.pull()
    #expect(try bench.bytes("config.json") == Array("{}\n".utf8))
    if [429, 503].contains(status) { #expect(ContinuousClock.now - started > .seconds(1)) }
  }

  @Test("does not wait for hours")
  func wish() async throws {
    let bench = try await PullBench(someFiles()) { _, _ in Reply(429, [], headers: ["Retry-After": "7200"]) }
    await #expect(throws: HubError.tooManyRequests(host: "127.0.0.1", seconds: 7200)) { try await bench.pull() }
  }

  @Test("takes a file from its start where the hub does not heed ranges")
  func ranges() async throws {
    let bytes = large.bytes
    let bench = try await PullBench([large]) { call, usual in
      call.uri.hasPrefix("/blobs/") ? call.number == 1 ? usual.breaking(after: 70_000) : Reply(200, bytes) : nil
    }
    let pulled = try await bench.pull()
    #expect(try bench.bytes(large.path) == bytes && pulled.fetched > bytes.count)
    #expect(bench.events.all.contains(.progress(done: 200_000, fetched: pulled.fetched, bytes: 200_000)))
  }

  @Test("does not put bytes where they do not belong")
  func otherRange() async throws {
    let bytes = large.bytes
    let bench = try await PullBench([large]) { call, usual in
      guard call.uri.hasPrefix("/blobs/") else { return nil }
      switch call.number {
      case 1: return usual.breaking(after: 70_000)
      case 2: return Reply(206, Array(bytes[5...]), headers: ["Content-Range": "bytes 5-199999/200000"])
      default: return nil
      }
    }
    try await bench.pull()
    #expect(try bench.bytes(large.path) == bytes)
  }

  @Test("deletes wrong bytes and fetches the file once more", arguments: ["large", "small", "long", "short", "range"])
  func damaged(_ kind: String) async throws {
    let file = kind == "small" ? FakeHub.File("a.json", noise(5000)) : large
    var wrong = file.bytes
    if kind == "long" { wrong.append(0) } else if kind == "short" { wrong.removeLast() } else { wrong[3000] ^= 1 }
    let bytes = wrong
    let bench = try await PullBench([file]) { call, usual in
      guard call.uri.hasPrefix("/blobs/") || call.uri.hasSuffix("a.json"), call.number == 1 else { return nil }
      return kind == "range"
        ? Reply(206, bytes, headers: ["Content-Range": "bytes 0-199999/300000"]) : Reply(200, bytes)
    }
    try await bench.pull()
    #expect(try bench.bytes(file.path) == file.bytes)
    #expect(bench.events.all.contains(.damaged(file: file.path)))
    #expect(try bench.parts().isEmpty)
  }

  @Test("names a file that comes damaged twice, and leaves nothing of it")
  func damagedTwice() async throws {
    var wrong = large.bytes
    wrong[0] ^= 1
    let bytes = wrong
    let bench = try await PullBench([large]) { call, _ in call.uri.hasPrefix("/blobs/") ? Reply(200, bytes) : nil }
    await #expect {
      try await bench.pull()
    } throws: {
      "\($0)".hasPrefix("w.safetensors: its bytes came damaged twice")
        && "\($0)".contains("/resolve/\(FakeHub.commit)/")
    }
    #expect(bench.hub.calls.count { $0.host == "store" } == 2)
    #expect(try FileManager.default.contentsOfDirectory(atPath: bench.repository.blobs).isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: bench.repository.references).isEmpty)
  }

  @Test("reads a listing of several pages")
  func pages() async throws {
    let files = (0..<25).map { FakeHub.File("f\($0).txt", Array("file \($0)".utf8)) }
    let bench = try await PullBench(files, pageSize: 10)
    #expect(try await bench.pull().files == 25)
    for file in files { #expect(try bench.bytes(file.path) == file.bytes) }
    #expect(bench.hub.calls.count { $0.call.uri.contains("/tree/") } == 3)
  }

  @Test("refuses a listing without an end, and one that goes on elsewhere")
  func endless() async throws {
    let circle = try await PullBench(someFiles()) { call, usual in
      guard call.uri.contains("/tree/") else { return nil }
      return Reply(200, Array("[]".utf8), headers: ["Link": "<\(call.uri)>; rel=\"next\""])
    }
    await #expect { try await circle.pull() } throws: { "\($0)".contains("the listing has no end") }
    let away = try await PullBench(someFiles()) { call, _ in
      call.uri.contains("/tree/")
        ? Reply(200, Array("[]".utf8), headers: ["Link": "<http://x.example/a>; rel=\"next\""]) : nil
    }
    await #expect { try await away.pull() } throws: { "\($0)".contains("its next page lies elsewhere") }
  }

  @Test(
    "refuses names that would leave the cache, and writes nothing", arguments: ["../../x", "/tmp/x", "a/../../../x"])
  func hostile(_ path: String) async throws {
    let bench = try await PullBench([FakeHub.File(path, [1])])
    await #expect(throws: HubError.self) { try await bench.pull() }
    #expect(bench.folder.contents.isEmpty)
  }

  @Test("says what to do where a model is gated, private, misspelt or has no such revision")
  func refused() async throws {
    for (status, code, token, says) in [
      (403, "GatedRepo", "t", "no access yet"), (401, "GatedRepo", "", "accept its terms at http"),
      (401, "RepoNotFound", "", "check the spelling"), (401, "", "t", "does not take the access token"),
      (401, "", "", "HF_TOKEN"), (404, "", "t", "check the spelling"),
      (404, "RevisionNotFound", "", "no revision 'main'"),
    ] {
      let bench = try await PullBench(someFiles()) { _, _ in Reply(status, [], headers: ["X-Error-Code": code]) }
      await #expect { try await bench.pull(token: token) } throws: { "\($0)".contains(says) }
      #expect(bench.folder.contents.isEmpty && bench.hub.calls.count == 1)
    }
  }

  @Test("of a gated file tells so, too")
  func gatedFile() async throws {
    let bench = try await PullBench(someFiles()) { call, _ in
      call.uri.contains("/resolve/") ? Reply(403, [], headers: ["X-Error-Code": "GatedRepo"]) : nil
    }
    await #expect { try await bench.pull() } throws: { "\($0)".contains("is gated") }
  }

  @Test("takes only the files that are wanted")
  func patterns() async throws {
    let bench = try await PullBench(someFiles())
    var request = try bench.request()
    request.include = [FilePattern("*.json"), FilePattern("sub/")]
    request.exclude = [FilePattern("*.json")]
    #expect(try await bench.pull(request).files == 1)
    #expect(try bench.bytes("sub/deep/w.safetensors").count == 300_000)
    request.include = [FilePattern("*.gguf")]
    await #expect { try await bench.pull(request) } throws: { "\($0)".contains("it has config.json") }
  }

  @Test("asks for room before anything is written")
  func space() async throws {
    let listing = """
      [{"type":"file","path":"a","size":130,"oid":"\(String(repeating: "a", count: 40))",
      "lfs":{"oid":"\(String(repeating: "b", count: 64))","size":1000000000000000000}}]
      """
    let bench = try await PullBench([]) { call, _ in call.uri.contains("/tree/") ? Reply(200, Array(listing.utf8)) : nil
    }
    await #expect { try await bench.pull() } throws: { "\($0)".contains("1000000000000000000 bytes are needed") }
    #expect(bench.folder.contents.isEmpty)
  }

  @Test("that is cancelled keeps what it has, and the next one goes on from there")
  func cancelled() async throws {
    let bench = try await PullBench([large]) { call, usual in
      call.uri.hasPrefix("/blobs/") && call.number == 1 ? usual.slow(20) : nil
    }
    let task = Task { try await bench.pull() }
    while !bench.events.all.contains(where: { if case .progress(let done, _, _) = $0 { done > 5000 } else { false } }) {
      try await Task.sleep(for: .milliseconds(5))
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    let kept = try bench.repository.presentBytes(of: listed(large))
    #expect(kept > 5000 && kept < 200_000)
    #expect(try await bench.pull().fetched == 200_000 - kept)
    #expect(try bench.bytes(large.path) == large.bytes)
  }

  @Test("goes on with what another program has left, whatever it called it")
  func foreign() async throws {
    let bench = try await PullBench([large])
    let blobs = try bench.repository.blobs
    try FileManager.default.createDirectory(atPath: blobs, withIntermediateDirectories: true)
    for (name, count) in [(".incomplete", 10_000), (".0123abcd.incomplete", 150_000), (".76543210.incomplete", 90)] {
      try Data(large.bytes.prefix(count)).write(to: URL(fileURLWithPath: blobs + "/" + large.blob + name))
    }
    #expect(try await bench.pull().fetched == 50_000)
    #expect(try bench.bytes(large.path) == large.bytes && bench.parts().isEmpty)
  }

  @Test("of a part with wrong bytes takes the file anew", arguments: [10_000, 200_000, 250_000])
  func wrongPart(_ count: Int) async throws {
    let bench = try await PullBench([large])
    let blobs = try bench.repository.blobs
    try FileManager.default.createDirectory(atPath: blobs, withIntermediateDirectories: true)
    try Data(count: count).write(to: URL(fileURLWithPath: blobs + "/" + large.blob + ".incomplete"))
    try await bench.pull()
    #expect(try bench.bytes(large.path) == large.bytes && bench.parts().isEmpty)
  }

  @Test("beside another of the same model fetches each file once")
  func twice() async throws {
    let files = (0..<6).map { FakeHub.File("f\($0).bin", noise(20_000, seed: UInt64($0)), isLarge: true) }
    let bench = try await PullBench(files) { call, usual in call.uri.hasPrefix("/blobs/") ? usual.slow(5) : nil }
    async let one = bench.pull()
    async let other = bench.pull()
    let fetched = try await one.fetched + other.fetched
    #expect(fetched == 120_000)
    for file in files { #expect(try bench.bytes(file.path) == file.bytes) }
    #expect(try bench.parts().isEmpty)
  }

  @Test("without a hub gives what is whole, and nothing else")
  func offline() async throws {
    let bench = try await PullBench(someFiles())
    let settings = try HubSettings(environment: ["HF_HUB_OFFLINE": "1"], endpoint: bench.hub.address)
    await #expect { try await Pull(bench.request(), into: bench.cache, from: settings).run() } throws: {
      "\($0)".contains("HF_HUB_OFFLINE")
    }
    #expect(bench.hub.calls.isEmpty)
    let pulled = try await bench.pull()
    #expect(try await Pull(bench.request(), into: bench.cache, from: settings).run().folder == pulled.folder)
  }

  @Test("tells where there is no hub")
  func nobody() async throws {
    let folder = try TemporaryFolder()
    var settings = try HubSettings(environment: ["HOME": folder.path], endpoint: "http://127.0.0.1:1")
    (settings.patience.firstPause, settings.patience.attempts) = (0.01, 2)
    let request = try PullRequest(#require(RepositoryName("a/b")))
    await #expect { try await Pull(request, into: HubCache(path: folder.path), from: settings).run() } throws: {
      "\($0)".contains("2 attempts failed") && "\($0)".contains("no connection (Connection refused)")
    }
  }
}
