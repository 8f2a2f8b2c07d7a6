import CPUBackend
import Checkpoints
import Foundation
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit

struct PromptCacheTests {
  /// Bits of a one-step run, and what the run told.
  private func run(
    _ precision: Precision = .f32, _ model: ModelFolder? = nil, cache folder: String?
  ) async throws -> (bits: [UInt32], notices: [String]) {
    let plan = try GenerationPlan(
      SmallRuns.request(precision, steps: 1), model: model ?? SmallRuns.model("ti2v"), on: .reference)
    let engine = Engine(backend: CPUBackend(threads: 2), promptCache: folder.map(PromptCache.init))
    let recorder = EventRecorder()
    let trace = try await engine.run(plan, keepTrace: true, onEvent: { recorder($0) }, frames: { _ in })
    return (try #require(trace).bits(), recorder.notices)
  }

  private func entries(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("prompt-") }.sorted()
      .map { folder + "/" + $0 }
  }

  private func edit(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
    var bytes = Array(try Golden.data(path))
    change(&bytes)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  @Test("a prompt that was kept gives the same bytes, and one of another precision is kept apart")
  func kept() async throws {
    let folder = try TemporaryFolder()
    let plain = try await run(cache: nil)
    #expect(try await run(cache: folder.path).bits == plain.bits)
    #expect(try entries(folder.path).count == 2)
    let again = try await run(cache: folder.path)
    #expect(again.bits == plain.bits && again.notices.isEmpty)
    _ = try await run(.bf16, cache: folder.path)
    #expect(try entries(folder.path).count == 4)
  }

  @Test("entries are really read: other vectors, sealed anew, give another clip")
  func read() async throws {
    let folder = try TemporaryFolder()
    let plain = try await run(cache: folder.path).bits
    for path in try entries(folder.path) {
      let file = try SafetensorsFile(path: path)
      let (context, ids) = (try file.tensor("context").converted(to: .f32), try file.tensor("ids"))
      let other = Tensor(context.floats().map { $0 + 1 }, shape: context.shape)
      var writer = try SealedSafetensorsWriter(
        path: path,
        entries: [
          .init(name: "context", shape: other.shape, dtype: .f32), .init(name: "ids", shape: ids.shape, dtype: .i32),
        ], metadata: file.metadata)
      try writer.write(other, as: "context")
      try writer.write(ids, as: "ids")
      try writer.finish()
    }
    let changed = try await run(cache: folder.path)
    #expect(changed.bits != plain && changed.notices.isEmpty)
  }

  @Test(
    "damage anywhere in an entry is told, and the entry is made anew",
    arguments: ["header", "metadata", "vectors", "ids", "checksums", "truncated", "empty", "longer", "exchanged"])
  func damaged(kind: String) async throws {
    let folder = try TemporaryFolder()
    let plain = try await run(cache: folder.path).bits
    let paths = try entries(folder.path)
    let whole = try paths.map(Golden.data)
    for path in paths {
      try edit(path) { bytes in
        let data = 8 + Int(bytes[0]) + Int(bytes[1]) << 8
        switch kind {
        case "header": bytes[2] ^= 1
        case "metadata": bytes[40] ^= 1
        case "vectors": bytes[data + 21] ^= 0x10
        case "ids": bytes[bytes.count - 26] ^= 1
        case "checksums": bytes[bytes.count - 10] ^= 1
        case "truncated": bytes.removeLast()
        case "empty": bytes = []
        case "longer": bytes.append(0)
        default: break
        }
      }
    }
    if kind == "exchanged" {
      for (path, bytes) in zip(paths, whole.reversed()) { try bytes.write(to: URL(fileURLWithPath: path)) }
    }
    let again = try await run(cache: folder.path)
    #expect(again.bits == plain)
    #expect(again.notices.count == (kind == "exchanged" ? 0 : 2), "\(again.notices)")
    #expect(again.notices.allSatisfy { $0.contains("is encoded anew") && $0.contains(folder.path) })
    #expect(try entries(folder.path).map(Golden.data) == whole)
    let last = try await run(cache: folder.path)
    #expect(last.bits == plain && last.notices.isEmpty)
  }

  @Test(
    "a folder that cannot be made or written costs a notice",
    arguments: ["/dev/null/prompts", "/proc/prompts", "file", ""])
  func unwritable(folder: String) async throws {
    let place = try TemporaryFolder()
    try Data([1]).write(to: place.url.appendingPathComponent("file"))
    let result = try await run(cache: folder == "file" ? place.path("file") : folder)
    #expect(result.bits == (try await run(cache: nil)).bits)
    #expect(result.notices.count == 1 && result.notices[0].hasPrefix("prompts are not kept: "), "\(result.notices)")
  }
}
