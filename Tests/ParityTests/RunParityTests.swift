import CPUBackend
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit

/// Whole generations against the published code's, every recorded run of the golden folder.
@Suite(.serialized)
struct RunParityTests {
  static let runs = RecordedRuns.paths(in: "runs") + RecordedRuns.paths(in: "nano")
  /// Runs of other people's files.
  static let foreign = RecordedRuns.paths(in: "formats/runs")

  /// A run of each model.
  static let models = Dictionary(grouping: runs) { RecordedRuns.task(of: $0) }.values.compactMap(\.first).sorted()

  @Test("a float32 run equals the published code's", arguments: runs + foreign)
  func float32(path: String) async throws {
    try await expectPublished(path, on: CPUBackend(threads: 2))
  }

  @Test(
    "a float32 run of each model equals the published code's where the host cannot look at a tensor",
    arguments: models)
  func remote(path: String) async throws {
    try await expectPublished(path, on: RemoteBackend(behind: CPUBackend(threads: 2)))
  }

  private func expectPublished(_ path: String, on backend: any Backend) async throws {
    let (run, trace) = try await RecordedRuns.rerun(path, precision: .f32, backend: backend)
    let golden = try Golden.tensors(path + ".safetensors")
    #expect(trace.promptIDs == run.prompt_ids)
    // A run without guidance reads no negative prompt.
    #expect(trace.negativeIDs == (run.guidance.value == GuidanceScales(1) ? [] : run.negative_ids))
    #expect(trace.experts.map(\.rawValue) == run.experts)
    #expect(trace.timesteps == golden["timesteps"]?.floats())
    #expect(trace.sigmas == golden["sigmas"]?.floats())
    for (name, tolerance) in [
      ("context", 1e-5), ("context_null", 1e-5), ("noise", 1e-6), ("latents", 1e-4), ("video", 1e-4),
    ] {
      // Runs of other people's files were recorded with what differs alone.
      if name != "latents", Self.foreign.contains(path), golden[name] == nil { continue }
      try expectClose(trace, golden, name, within: tolerance)
    }
  }

  @Test("a bf16 run stays near the published code's", arguments: runs)
  func bfloat16(path: String) async throws {
    let (_, trace) = try await RecordedRuns.rerun(path, precision: .bf16)
    let golden = try Golden.tensors(path + ".safetensors")
    try expectClose(trace, golden, "latents", within: 1e-2)
    try expectClose(trace, golden, "video", within: 2e-2)
  }

  @Test("an int8 run stays near the published code's", arguments: runs)
  func int8(path: String) async throws {
    let (_, trace) = try await RecordedRuns.rerun(path, precision: .int8)
    let golden = try Golden.tensors(path + ".safetensors")
    // The bundled model's attention is sharper than that of random weights, and bytes lose more of it.
    try expectClose(trace, golden, "latents", within: path.hasPrefix("nano/") ? 8e-2 : 5e-2)
  }

  private func expectClose(
    _ trace: GenerationTrace, _ golden: [String: Tensor], _ name: String, within tolerance: Double
  ) throws {
    let actual = try #require(trace.named.first { $0.name == name }?.tensor, "\(name) was not traced")
    let expected = try #require(golden[name], "\(name) is not in the golden file")
    try #require(actual.shape == expected.shape, "\(name)")
    let error = relativeError(actual, expected)
    #expect(error <= tolerance, "\(name): relative error \(error)")
  }
}
