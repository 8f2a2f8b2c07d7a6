import CPUBackend
import Foundation
import Layers
import Sampling
import Tensors
import TestSupport
import Testing
import Tokenization
import WanKit
import WanModels

/// Networks out of other people's files against what their writers' own readers make of them, float32.
struct FormatParityTests {
  static let tolerance = 1e-5

  struct Expectation: Decodable {
    let kind: String
    let expert: String?
    let timestep: Float?
    let expected: Text

    enum Text: Decodable {
      case one(String), several

      init(from decoder: any Decoder) throws {
        self = (try? .one(decoder.singleValueContainer().decode(String.self))) ?? .several
      }
    }
  }

  static func files(_ folder: String, kind: String) -> [String] {
    let all = try? Golden.json("formats/\(folder)/expected.json", as: [String: Expectation].self)
    return (all ?? [:]).filter { $0.value.kind == kind }.keys.sorted().map { "\(folder)/\($0)" }
  }

  static let transformers = files("comfy", kind: "transformer") + files("gguf", kind: "transformer")
  static let textEncoders = files("comfy", kind: "umt5") + files("gguf", kind: "umt5")

  static func expectation(of file: String) throws -> (Expectation, Tensor) {
    let parts = file.split(separator: "/", maxSplits: 1).map(String.init)
    let all = try Golden.json("formats/\(parts[0])/expected.json", as: [String: Expectation].self)
    let expectation = try #require(all[parts[1]])
    guard case .one(let name) = expectation.expected else { throw CocoaError(.featureUnsupported) }
    let tensors = try Golden.tensors("formats/\(parts[0])/expected.safetensors")
    return (expectation, try #require(tensors[name]))
  }

  static func path(_ file: String) -> String { Golden.folder() + "/formats/" + file }

  /// The golden pair with a file in an expert's place; a file of other sizes has a model of its own.
  private func model(with file: String, expert: Expert) throws -> ModelFolder {
    let path = Self.path(file)
    if file.contains("mixed_K") {
      // Heads of 128 and no configuration, as real files have it.
      let folder = try TemporaryFolder()
      let other = folder.path("lownoise.gguf")
      try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: path)
      // The file is mapped when the model is open; the link may go.
      defer { withExtendedLifetime(folder) {} }
      let encoder = Golden.folder() + "/t2v/models_t5_umt5-xxl-enc-bf16.pth"
      return try ModelFolder(
        path: nil,
        parts: PartPaths(
          highNoise: path, lowNoise: other, autoencoder: Golden.folder() + "/t2v/Wan2.1_VAE.pth", textEncoder: encoder,
          tokenizer: Golden.folder() + "/t2v/google/umt5-xxl"))
    }
    return try ModelFolder(
      path: Golden.folder() + "/t2v",
      parts: expert == .high ? PartPaths(highNoise: path) : PartPaths(lowNoise: path))
  }

  @Test("a transformer in any stored form gives the velocities of its numbers", arguments: transformers)
  func transformer(file: String) throws {
    let (expectation, expected) = try Self.expectation(of: file)
    let golden = try Golden.tensors("parts/t2v.safetensors")
    let expert = expectation.expert.flatMap(Expert.init) ?? .high
    let backend = CPUBackend(threads: 2)
    let part = try model(with: file, expert: expert).transformers[expert]
    let network = try part.load(on: backend, precision: .f32)
    let x = try #require(golden["x"])
    let grid = TokenGrid(latents: x.shape)
    // A wider model reads the same prompt's vectors through its own text embedding.
    let context = try network.context([try #require(golden["context"])])
    let actual = try network(
      x, timesteps: TokenTimesteps(try #require(expectation.timestep), tokens: grid.count),
      rotary: RotaryTable(headDimension: network.configuration.headDimension, grid: grid, on: backend),
      context: context)[0]
    let error = relativeError(actual, expected)
    #expect(error <= Self.tolerance, "relative error \(error)")
  }

  @Test("a text encoder in any stored form gives the embedding of its numbers", arguments: textEncoders)
  func textEncoder(file: String) throws {
    let (_, expected) = try Self.expectation(of: file)
    let model = try ModelFolder(
      path: Golden.folder() + "/t2v",
      parts: PartPaths(textEncoder: Self.path(file), tokenizer: Golden.folder() + "/t2v/google/umt5-xxl"))
    let network = try model.textEncoder.load(on: CPUBackend(threads: 2), precision: .f32)
    let ids = try TextParityTests.cases()[0].ids
    let error = relativeError(try network(ids), expected)
    #expect(error <= Self.tolerance, "relative error \(error)")
  }

  @Test("diffusers' folders give what diffusers gives", arguments: ["t2v", "ti2v"])
  func diffusers(family: String) throws {
    let model = try ModelFolder(path: Self.path("diffusers/" + family))
    #expect(model.family.modelType == family && model.foundParts.isEmpty)
    let expected = try Golden.tensors("formats/diffusers/\(family).expected.safetensors")
    let backend = CPUBackend(threads: 2)
    let text = try model.textEncoder.load(on: backend, precision: .f32)
    try compare(text(TextParityTests.cases()[0].ids), expected["context_0"], "context")
    let decoder = try #require(model.autoencoder).decoder.load(on: backend, precision: .f32)
    try compare(frames(decoder, try #require(expected["vae_latent"])), expected["vae_decoded"], "decoded")
    let encoder = try #require(model.autoencoder).encoder.load(on: backend, precision: .f32)
    try compare(encoder(try #require(expected["vae_video"])), expected["vae_encoded"], "encoded")
  }

  @Test("a folder of ComfyUI's has an autoencoder that gives what diffusers' gives")
  func autoencoder() throws {
    let model = try ModelFolder(
      path: Golden.folder() + "/t2v", parts: PartPaths(autoencoder: Self.path("comfy/vae/wan_2.1_vae.safetensors")))
    let expected = try Golden.tensors("formats/diffusers/t2v.expected.safetensors")
    let decoder = try #require(model.autoencoder).decoder.load(on: CPUBackend(threads: 2), precision: .f32)
    try compare(frames(decoder, try #require(expected["vae_latent"])), expected["vae_decoded"], "decoded")
  }

  @Test(
    "a tokenizer inside a text encoder's file gives sentencepiece's tokens",
    arguments: ["comfy/text_encoders/umt5_xxl_fp8_e4m3fn_scaled.safetensors", "gguf/umt5-xxl-encoder-Q8_0.gguf"])
  func tokenizer(file: String) throws {
    struct Case: Decodable {
      let cleaned: String
      let ids: [Int32]
    }
    let model = try ModelFolder(
      path: Golden.folder() + "/t2v",
      parts: PartPaths(textEncoder: Self.path(file)))
    #expect(model.foundParts.map(\.part) == ["text encoder", "tokenizer"])
    let tokenizer = try model.openTokenizer()
    for item in try Golden.json("formats/text_sentencepiece.json", as: [Case].self) {
      #expect(try tokenizer.encode(item.cleaned, maximumLength: model.textLength) == item.ids, "\(item.cleaned)")
    }
  }

  private func frames(_ decoder: VAEDecoder, _ latent: Tensor) throws -> Tensor {
    var trace = GenerationTrace()
    var decoding = decoder.decoding(latent, values: .held)
    while let part = try decoding.next() { trace.frames.append(part.frames) }
    return try #require(trace.video)
  }

  private func compare(_ actual: Tensor, _ expected: Tensor?, _ what: String) throws {
    let error = relativeError(actual, try #require(expected))
    #expect(error <= Self.tolerance, "\(what): relative error \(error)")
  }
}
