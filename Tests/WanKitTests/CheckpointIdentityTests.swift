import CPUBackend
import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing
import WanKit

/// Whether entries of a cache are taken for the checkpoint that they were made of, and for no other.
struct CheckpointIdentityTests {
  private static let encoder = "models_t5_umt5-xxl-enc-bf16.safetensors"

  /// A model whose text encoder is a file of its own, old enough for its stamp to be kept.
  private func model(shards: Bool = false) async throws -> ModelCopy {
    let model = try ModelCopy(of: "ti2v")
    try model.rewrite(ModelCopy.textEncoder, as: Self.encoder)
    if shards { try model.shard(Self.encoder, byteCount: 100_000) }
    try await Task.sleep(for: .seconds(3))
    return model
  }

  /// Bits of a run and how many prompts it had to encode.
  private func run(_ model: ModelCopy, _ cache: TemporaryFolder) async throws -> (bits: [UInt32], made: Int) {
    let before = prompts(cache)
    let plan = try GenerationPlan(SmallRuns.request(steps: 1), model: ModelFolder(path: model.path), on: .reference)
    let engine = Engine(backend: CPUBackend(threads: 2), promptCache: PromptCache(folder: cache.path))
    let trace = try await engine.run(plan, keepTrace: true) { _ in }
    return (try #require(trace).bits(), prompts(cache) - before)
  }

  private func prompts(_ cache: TemporaryFolder) -> Int { cache.contents.filter { $0.hasPrefix("prompt-") }.count }

  private func records(_ cache: TemporaryFolder) -> [String] { cache.contents.filter { $0.hasSuffix(".identity") } }

  /// Changes a number in the encoder's file, whose size, date and number stay.
  private func change(_ path: String) throws {
    let date = try #require(FileManager.default.attributesOfItem(atPath: path)[.modificationDate])
    let file = try SafetensorsFile(path: path)
    let name = try #require(file.names.first { $0.hasSuffix("ffn.fc2.weight") })
    let tensor = try file.tensor(name).withBytes { bytes in Data(bytes.indices.map { bytes[$0] }) }
    let start = try #require(try Golden.data(path).range(of: tensor)).lowerBound + tensor.count / 2 + 200
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try handle.seek(toOffset: UInt64(start))
    for _ in 0..<4 { handle.write(Data([0x3F])) }
    try handle.close()
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
  }

  @Test("other contents of equal size and date are not taken for the ones that were kept", arguments: [false, true])
  func changed(shards: Bool) async throws {
    let (model, cache) = (try await model(shards: shards), try TemporaryFolder())
    let first = try await run(model, cache)
    #expect(first.made == 2 && records(cache).count == 1)
    #expect(try await run(model, cache).made == 0)
    let names = try model.folder.allContents().filter { $0.hasPrefix("models_t5") && $0.hasSuffix(".safetensors") }
    #expect((names.count > 1) == shards)
    let changed = try #require(
      names.first {
        (try? SafetensorsFile(path: model.path + "/" + $0))?.names.contains { $0.hasSuffix("ffn.fc2.weight") } == true
      })
    try change(model.path + "/" + changed)
    let second = try await run(model, cache)
    #expect(second.made == 2 && second.bits != first.bits)
  }

  @Test("the same contents elsewhere, touched or copied, need no encoding")
  func moved() async throws {
    let (model, cache) = (try await model(), try TemporaryFolder())
    let first = try await run(model, cache)
    let path = model.path + "/" + Self.encoder
    try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: path)
    #expect(try await run(model, cache).made == 0)
    let bytes = try Golden.data(path)
    try model.write(bytes, to: Self.encoder)
    #expect(try await run(model, cache).made == 0)
    let other = try ModelCopy(of: "ti2v")
    try other.remove(ModelCopy.textEncoder)
    try other.write(bytes, to: Self.encoder)
    let elsewhere = try await run(other, cache)
    #expect(elsewhere.made == 0 && elsewhere.bits == first.bits)
  }

  @Test("a file that was written just now is read again at the next start")
  func fresh() async throws {
    let (model, cache) = (try ModelCopy(of: "ti2v"), try TemporaryFolder())
    try model.rewrite(ModelCopy.textEncoder, as: Self.encoder)
    #expect(try await run(model, cache).made == 2)
    #expect(records(cache).isEmpty)
  }

  @Test("a damaged record is made anew", arguments: ["", "\n\n\n", "wan checkpoint identity 1\n0\n", "\u{0}", "{}"])
  func record(text: String) async throws {
    let (model, cache) = (try await model(), try TemporaryFolder())
    _ = try await run(model, cache)
    let path = cache.path(try #require(records(cache).first))
    let whole = try Golden.data(path)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    #expect(try await run(model, cache).made == 0)
    #expect(try Golden.data(path) == whole)
    // Another checksum in a record that is otherwise right.
    var lines = String(decoding: whole, as: UTF8.self).split(separator: "\n")
    lines[1] = "12345"
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path))
    #expect(try await run(model, cache).made == 0)
    #expect(try Golden.data(path) == whole)
  }
}
