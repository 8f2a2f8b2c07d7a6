import Foundation
import Layers
import Sampling
import Tensors
import TestSupport
import Testing
import Tokenization
import WanKit
import WanModels

/// Where the parts of a model are found, and which pairs are refused.
struct LayoutTests {
  private static let formats = Golden.bundledFolder + "/formats/"
  private static let high = formats + "comfy/diffusion_models/wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors"
  private static let low = formats + "comfy/diffusion_models/wan2.2_t2v_low_noise_14B_fp8_e4m3fn.safetensors"
  private static let encoder = formats + "comfy/text_encoders/umt5_xxl_fp8_e4m3fn_scaled.safetensors"
  private static let vae = formats + "comfy/vae/wan_2.1_vae.safetensors"

  /// A folder of links to files, as people sort them.
  private func folder(_ files: [(place: String, file: String)]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (place, file) in files {
      let path = URL(fileURLWithPath: folder.path(place))
      try FileManager.default.createDirectory(
        at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: path.path, withDestinationPath: file)
    }
    return folder
  }

  private func refusal(_ path: String?, _ parts: PartPaths = PartPaths()) throws -> String {
    try #require(throws: ModelError.self) { _ = try ModelFolder(path: path, parts: parts) }.description
  }

  @Test("a folder of ComfyUI's with one pair in it is a model, whatever the files are called")
  func comfy() throws {
    let folder = try folder([
      ("diffusion_models/a_HIGH.safetensors", Self.high), ("diffusion_models/b-LowNoise.safetensors", Self.low),
      ("vae/x.safetensors", Self.vae), ("text_encoders/y.safetensors", Self.encoder),
    ])
    let model = try ModelFolder(path: folder.path)
    #expect(model.family == .t2vA14B && model.transformers.all.map(\.expert) == [.high, .low])
    #expect(model.transformers[.high].source.location.hasSuffix("a_HIGH.safetensors"))
    #expect(model.foundParts.count == 5 && model.foundParts.allSatisfy { !$0.isNamed })
    #expect(try model.openTokenizer().vocabularySize > 300)
    // One file is enough where the other is called alike.
    let third = folder.path("diffusion_models/a_LOW.safetensors")
    try FileManager.default.createSymbolicLink(atPath: third, withDestinationPath: Self.low)
    #expect(try refusal(folder.path).contains("3 transformers"))
    let pair = try ModelFolder(path: folder.path("diffusion_models/a_HIGH.safetensors"))
    #expect(pair.transformers[.low].source.location.hasSuffix("a_LOW.safetensors"))
  }

  @Test("parts that are missing are found in the folders that are searched")
  func searched() throws {
    let parts = try folder([("deep/vae/x.safetensors", Self.vae), ("deep/clip/y.safetensors", Self.encoder)])
    let alone = try folder([("a_high.safetensors", Self.high), ("a_low.safetensors", Self.low)])
    let model = try ModelFolder(
      path: nil,
      parts: PartPaths(
        highNoise: alone.path("a_high.safetensors"), lowNoise: alone.path("a_low.safetensors"),
        searched: [parts.path("deep")]))
    #expect(model.latents.channels == 16)
    #expect(try refusal(alone.path).contains("an autoencoder of t2v-a14b (Wan2.1_VAE) is missing"))
    let apart = try folder([("x.safetensors", Self.vae)])
    let encoded = try refusal(alone.path, PartPaths(autoencoder: apart.path("x.safetensors")))
    #expect(encoded.contains("a text encoder (UMT5-XXL) is missing"), "\(encoded)")
    let old = Self.formats + "comfy/text_encoders/umt5-xxl-enc-fp8_e4m3fn.safetensors"
    #expect(try refusal(alone.path, PartPaths(autoencoder: Self.vae, textEncoder: old)).contains("the tokenizer"))
  }

  @Test("a model's file and the other expert make a pair")
  func pairs() throws {
    let parts = PartPaths(lowNoise: Self.low, autoencoder: Self.vae, textEncoder: Self.encoder)
    #expect(try ModelFolder(path: Self.high, parts: parts).transformers.all.count == 2)
    #expect(try ModelFolder(path: Golden.bundledFolder + "/t2v", parts: parts).foundParts.count == 4)
  }

  @Test("what does not belong together is refused with the reason")
  func wrongPairs() throws {
    #expect(try refusal(nil, PartPaths(highNoise: Self.low, lowNoise: Self.high)).contains("are the two swapped?"))
    #expect(try refusal(nil, PartPaths(highNoise: Self.high)).contains("only one expert of a pair"))
    let lone = try folder([("x.safetensors", Self.high)])
    #expect(try refusal(lone.path("x.safetensors")).contains("has two experts"))
    let named = try folder([("x_high.safetensors", Self.high)])
    #expect(try refusal(named.path("x_high.safetensors")).contains("the other is not beside it ('x_low.safetensors')"))
    let other = try refusal(Golden.bundledFolder + "/ti2v", PartPaths(autoencoder: Self.vae))
    #expect(other.contains("takes 48 and gives 48 latent channels, the autoencoder has 16"))
    #expect(
      try refusal(Golden.bundledFolder + "/ti2v", PartPaths(transformer: Self.high, highNoise: Self.high))
        .contains("both named"))
  }

  @Test("snapshots of links are diffusers' folders too")
  func links() throws {
    let root = Self.formats + "diffusers/t2v"
    let names = try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0.contains(".") }
    let snapshot = try folder(names.map { ("snapshots/1/" + $0, root + "/" + $0) })
    let model = try ModelFolder(path: snapshot.path("snapshots/1"))
    #expect(model.boundary == 0.875 && model.schedulerShift == 3 && model.transformers.all.count == 2)
  }
}
