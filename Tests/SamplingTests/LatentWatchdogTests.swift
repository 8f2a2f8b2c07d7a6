import Sampling
import Tensors
import TestSupport
import Testing

@Suite("Latent watchdog")
struct LatentWatchdogTests {
  @Test("healthy latents pass")
  func healthy() throws {
    try LatentWatchdog.check(Tensor.random([4, 8], seed: 1, scale: 20), step: 1)
    try LatentWatchdog.check(Tensor.zeros([0, 8]), step: 1)
    try LatentWatchdog.check(Tensor([7], shape: [1]), step: 1)
  }

  @Test("the latents of every recorded run pass", arguments: try Golden.names(in: "runs", type: "safetensors"))
  func recordedRuns(run: String) throws {
    let latents = try #require(try Golden.tensors("runs/\(run).safetensors")["latents"])
    for step in 0..<latents.shape[0] { try LatentWatchdog.check(latents[step], step: step + 1) }
  }

  @Test("NaN and infinity stop the run, naming step and expert", arguments: [Float.nan, .infinity, -.infinity])
  func notFinite(value: Float) {
    let latents = Tensor([0, value, 1], shape: [3])
    #expect(throws: SamplingError.notFinite(step: 3, expert: "low", count: 1)) {
      try LatentWatchdog.check(latents, step: 3, expert: "low")
    }
    let text = "\(SamplingError.notFinite(step: 3, expert: "low", count: 1))"
    #expect(text == "step 3 (low expert): 1 latent values are NaN or infinite")
  }

  @Test("a runaway variance stops the run")
  func runaway() {
    let latents = Tensor.random([100], seed: 1, scale: 1000)
    #expect(throws: SamplingError.self) { try LatentWatchdog.check(latents, step: 1) }
    #expect(throws: SamplingError.self) {
      try LatentWatchdog.check(Tensor([.greatestFiniteMagnitude, 0], shape: [2]), step: 1)
    }
  }
}
