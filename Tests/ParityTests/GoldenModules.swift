import CPUBackend
import Layers
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

/// The networks of a golden model folder, loaded for one test.
struct GoldenModules {
  let folder: ModelFolder
  let backend: any Backend
  let precision: Precision

  init(family: String, backend: any Backend = CPUBackend(threads: 2), precision: Precision = .f32) throws {
    folder = try ModelFolder(path: Golden.folder() + "/" + family)
    self.backend = backend
    self.precision = precision
  }

  func transformer(_ expert: Expert) throws -> WanTransformer {
    try folder.transformers[expert].load(on: backend, precision: precision)
  }

  func encoder() throws -> VAEEncoder {
    try #require(folder.autoencoder).encoder.load(on: backend, precision: precision)
  }

  func decoder() throws -> VAEDecoder {
    try #require(folder.autoencoder).decoder.load(on: backend, precision: precision)
  }

  func textEncoder() throws -> UMT5Encoder {
    try folder.textEncoder.load(on: backend, precision: precision)
  }
}
