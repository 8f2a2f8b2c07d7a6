import CPUBackend
import Layers
import Sampling
import Tensors
import TestSupport
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
    guard let part = folder.transformers[expert] else { throw MissingExpert(name: expert.rawValue) }
    let weights = Weights(part.source, backend: backend, precision: precision)
    let model = WanTransformer(weights, part.configuration)
    try weights.finish()
    return model
  }

  func autoencoder() throws -> WanVAE {
    let weights = Weights(folder.autoencoder.source, backend: backend, precision: precision)
    let vae = WanVAE(weights, folder.autoencoder.configuration)
    try weights.finish()
    return vae
  }

  func textEncoder() throws -> UMT5Encoder {
    let weights = Weights(folder.textEncoder.source, backend: backend, precision: precision)
    let encoder = UMT5Encoder(weights, folder.textEncoder.configuration)
    try weights.finish()
    return encoder
  }
}

struct MissingExpert: Error {
  let name: String
}
