import CPUBackend
import Foundation
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit

struct PromptCacheTests {
  private func run(_ precision: Precision = .f32, cache folder: String) async throws -> GenerationTrace {
    let plan = try GenerationPlan(SmallRuns.request(precision, steps: 1), model: SmallRuns.model("ti2v"))
    let generator = Generator(backend: CPUBackend(threads: 2), promptCache: PromptCache(folder: folder))
    return try #require(try await generator.run(plan, keepTrace: true) { _ in })
  }

  private func entries(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { folder + "/" + $0 }
  }

  @Test("a prompt that was kept gives the same bytes, and one of another precision is kept apart")
  func kept() async throws {
    let folder = try TemporaryFolder()
    let plain = try await SmallRuns.trace(SmallRuns.model("ti2v"), SmallRuns.request(steps: 1)).bits()
    #expect(try await run(cache: folder.path).bits() == plain)
    #expect(try entries(folder.path).count == 2)
    #expect(try await run(cache: folder.path).bits() == plain)
    _ = try await run(.bf16, cache: folder.path)
    #expect(try entries(folder.path).count == 4)
  }

  @Test("entries are really read: other vectors in them give another clip")
  func read() async throws {
    let folder = try TemporaryFolder()
    let plain = try await run(cache: folder.path).bits()
    for path in try entries(folder.path) {
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      let header = 8 + Int(bytes[0]) + Int(bytes[1]) << 8
      // The vectors come first: some elements become 1.
      for i in 0..<32 { bytes.replaceSubrange(header + 4 * i..<header + 4 * i + 4, with: [0, 0, 0x80, 0x3F]) }
      try bytes.write(to: URL(fileURLWithPath: path))
    }
    #expect(try await run(cache: folder.path).bits() != plain)
  }

  @Test("damaged entries are made anew, and a folder that cannot be made is no failure")
  func damaged() async throws {
    let folder = try TemporaryFolder()
    let plain = try await run(cache: folder.path).bits()
    for path in try entries(folder.path) { try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path)) }
    #expect(try await run(cache: folder.path).bits() == plain)
    for path in try entries(folder.path) {
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count > 64)
    }
    #expect(try await run(cache: "/dev/null/prompts").bits() == plain)
  }
}
