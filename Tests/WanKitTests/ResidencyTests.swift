import Layers
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

/// One large network is in memory at a time.
struct ResidencyTests {
  @Test("text encoder, experts and autoencoder follow each other and never meet")
  func oneAtATime() async throws {
    let model = try SmallRuns.model("t2v")
    let counter = CountingBackend()
    let largest = try [encoder, transformer(.high), transformer(.low), autoencoder].map { load in
      counter.reset()
      try load(model, counter)
      return counter.mostAlive
    }.max()
    counter.reset()
    _ = try await SmallRuns.trace(model, SmallRuns.request(steps: 4), backend: counter)
    #expect(counter.mostAlive == largest)
  }

  private var encoder: (ModelFolder, any Backend) throws -> Void {
    { model, backend in _ = try model.textEncoder.load(on: backend, precision: .f32) }
  }

  private var autoencoder: (ModelFolder, any Backend) throws -> Void {
    { model, backend in _ = try #require(model.autoencoder).decoder.load(on: backend, precision: .f32) }
  }

  private func transformer(_ expert: Expert) -> (ModelFolder, any Backend) throws -> Void {
    { model, backend in _ = try model.transformers[expert].load(on: backend, precision: .f32) }
  }
}
