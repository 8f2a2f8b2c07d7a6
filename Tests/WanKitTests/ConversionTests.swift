import CPUBackend
import Checkpoints
import Foundation
import Layers
import Sampling
import Tensors
import TestSupport
import Testing
import Tokenization
import WanModels

@testable import WanKit

/// Models in other types and layouts.
struct ConversionTests {
  private let backend = CPUBackend(threads: 2)
  private static let formats = Golden.bundledFolder + "/formats/"

  private func convert(
    _ input: String, _ folder: TemporaryFolder, _ name: String, _ format: StorageFormat, _ layout: StorageLayout? = nil,
    loras: [AdapterRequest] = []
  ) throws -> (path: String, report: ConversionReport) {
    let path = folder.path(name)
    let request = ConversionRequest(input: input, output: path, format: format, layout: layout, adapters: loras)
    return (path, try Conversion(request).run(on: backend))
  }

  private func latents(_ model: ModelFolder, loras: [AdapterRequest] = []) async throws -> [Float] {
    var request = SmallRuns.request(steps: 2)
    request.adapters = loras
    if model.family.conditioning == .channels { request.image = SmallRuns.image }
    return try #require(try await SmallRuns.trace(model, request, backend: backend).latents.last).floats()
  }

  @Test(
    "a model in float32 is the same model in every layout, with the same tokens",
    arguments: [
      (StorageLayout.official, "ti2v"), (.diffusers, "ti2v"), (.diffusers, "t2v"), (.comfy, "i2v"), (.comfy, "ti2v"),
      (.gguf, "t2v"), (.gguf, "ti2v"),
    ])
  func layouts(layout: StorageLayout, name: String) async throws {
    let folder = try TemporaryFolder()
    let original = try SmallRuns.model(name)
    let (path, report) = try convert(original.path, folder, "model", .fp32, layout)
    #expect(report.files.allSatisfy { $0.largestError == nil })
    let model = try ModelFolder(path: path)
    #expect(model.family == original.family && model.boundary == original.boundary)
    #expect(model.transformers.configuration == original.transformers.configuration)
    #expect(model.autoencoder?.configuration == original.autoencoder?.configuration)
    // Inside single files the pieces have sentencepiece's own ids; of plain words they are the same.
    let ids = try model.openTokenizer().encode("A red ball bounces.", maximumLength: 64)
    #expect(ids == (try original.openTokenizer().encode("A red ball bounces.", maximumLength: 64)))
    #expect(try await latents(model) == latents(original))
    // And back, byte for byte as if it had never been elsewhere.
    let back = try convert(path, folder, "back", .fp32, .official).path
    let direct = try convert(original.path, folder, "direct", .fp32, .official).path
    for file in try FileManager.default.subpathsOfDirectory(atPath: direct).sorted()
    where file.hasSuffix("VAE.safetensors") || file.contains("diffusion_pytorch_model") {
      let (one, other) = (try SafetensorsFile(path: "\(back)/\(file)"), try SafetensorsFile(path: "\(direct)/\(file)"))
      #expect(Set(one.names) == Set(other.names))
      for name in one.names { #expect(try one.tensor(name).floats() == other.tensor(name).floats(), "\(name)") }
    }
  }

  @Test("what diffusers does not know of a model goes with it all the same, and is told")
  func textLength() throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.set("text_len", to: "64")
    let folder = try TemporaryFolder()
    let conversion = try Conversion(
      ConversionRequest(input: copy.path, output: folder.path("model"), format: .bf16, layout: .diffusers))
    #expect(conversion.notices.contains { $0.contains("64 rows") })
    _ = try conversion.run(on: backend)
    #expect(try ModelFolder(path: folder.path("model")).transformers.configuration.textLength == 64)
  }

  @Test("a boundary of diffusers' folder goes with the model, and stays beside the folder's own defaults")
  func boundary() throws {
    let copy = try ModelCopy(linking: Self.formats + "diffusers/t2v")
    try copy.replace("0.875", by: "0.6", in: "model_index.json")
    try copy.write(#"{"steps": 7}"#, to: "generation_config.json")
    let folder = try TemporaryFolder()
    for layout in [StorageLayout.official, .comfy, .diffusers] {
      let model = try ModelFolder(path: convert(copy.path, folder, layout.rawValue, .bf16, layout).path)
      #expect(model.boundary == 0.6 && model.defaults.steps == 7, "\(layout)")
    }
  }

  @Test("diffusers' folder has the names and the configuration that diffusers writes", arguments: ["t2v", "ti2v"])
  func diffusersNames(name: String) throws {
    let folder = try TemporaryFolder()
    let golden = Self.formats + "diffusers/" + name
    let path = try convert(golden, folder, "model", .bf16, .diffusers).path
    for part in ["transformer", "vae", "text_encoder"] {
      let (made, expected) = (
        try openCheckpoint(path: "\(path)/\(part)"), try openCheckpoint(path: "\(golden)/\(part)")
      )
      #expect(Set(made.names) == Set(expected.names), "\(part)")
      for name in made.names { #expect(made.descriptor(name)?.shape == expected.descriptor(name)?.shape) }
      let (own, theirs) = (try json("\(path)/\(part)/config.json"), try json("\(golden)/\(part)/config.json"))
      for (key, value) in own where !["_diffusers_version", "scalable_attention", "tokenizer_class"].contains(key) {
        #expect(value == theirs[key], "\(part) \(key)")
      }
    }
    let index = try json("\(path)/model_index.json")
    for (key, value) in try json("\(golden)/model_index.json") where key != "_diffusers_version" {
      #expect(index[key] == value, "\(key)")
    }
    let scheduler = try json("\(golden)/scheduler/scheduler_config.json")
    for (key, value) in try json("\(path)/scheduler/scheduler_config.json") where key != "_diffusers_version" {
      #expect(scheduler[key] == value, "\(key)")
    }
  }

  private func json(_ path: String) throws -> [String: NSObject] {
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
    return try #require(object as? [String: NSObject])
  }

  @Test(
    "every type keeps the numbers as well as its bits allow, and the model runs with it",
    arguments: [
      (StorageFormat.fp16, 0.0005), (.fp8, 0.03), (.int8, 0.012), (.q8_0, 0.008), (.q4_1, 0.12),
    ])
  func types(format: StorageFormat, bound: Double) async throws {
    let folder = try TemporaryFolder()
    let (path, report) = try convert(Golden.bundledFolder + "/t2v", folder, "model", format)
    for file in report.files { #expect((file.largestError ?? 0) < bound, "\(file)") }
    let (model, original) = (try ModelFolder(path: path), try SmallRuns.model("t2v"))
    #expect(relativeError(try await latents(model), try await latents(original)) < 30 * bound)
    for (expert, part) in model.transformers.all {
      let reference = original.transformers[expert].source
      for request in part.demand.requests {
        let (made, exact) = (try part.source.matrix(request.name).dense, try reference.tensor(request.name))
        let error = relativeError(made.floats(), exact.floats())
        #expect(error < bound, "\(request.name): \(error)")
        if request.use == .parameter { #expect(made.floats() == exact.floats(), "\(request.name)") }
      }
    }
  }

  @Test("types of 256 are taken where rows have whole blocks, and Q8_0 where not")
  func wideTypes() throws {
    let folder = try TemporaryFolder()
    let wide = Self.formats + "gguf/Wan2.2-T2V-A14B-HighNoise-mixed_K.gguf"
    for format in [StorageFormat.q2_k, .q3_k, .q4_k, .q5_k, .q6_k] {
      let (path, report) = try convert(wide, folder, "high_\(format.rawValue).gguf", format)
      let coding = try #require(format.blocks)
      #expect((report.files[0].types[coding.rawValue] ?? 0) >= 8, "\(report.files)")
      #expect(try GGUFFile(path: path).text("general.architecture") == "wan")
    }
    let narrow = Golden.bundledFolder + "/ti2v/diffusion_pytorch_model.safetensors"
    #expect(try convert(narrow, folder, "a.gguf", .q4_k).report.files[0].types["Q8_0"] == 20)
  }

  @Test("the texts of shards, which are all alike, are kept once")
  func shards() throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.shard(ModelCopy.transformer, byteCount: 300_000)
    let folder = try TemporaryFolder()
    let path = try convert(copy.path, folder, "model", .bf16, .comfy).path
    let file = try SafetensorsFile(path: path + "/diffusion_models/wan2.2_ti2v_5B_bf16.safetensors")
    #expect(file.metadata.map(\.key) == ["format"] && file.names.count == 69)
  }

  @Test("what is stored as asked for is copied, code by code")
  func copies() throws {
    let folder = try TemporaryFolder()
    let original = Self.formats + "gguf/Wan2.2-T2V-A14B-HighNoise-Q8_0.gguf"
    let (path, report) = try convert(original, folder, "high_copy.gguf", .q8_0)
    #expect(report.files[0].largestError == nil || report.files[0].largestError ?? 1 < 1e-3)
    let (made, source) = (try GGUFFile(path: path), try GGUFFile(path: original))
    for name in source.names {
      guard case .encoded(let codes) = try source.matrix(name), case .encoded(let copy) = try made.matrix(name) else {
        continue
      }
      #expect(
        codes.codes.withBytes { s in s.indices.map { s[$0] } } == copy.codes.withBytes { s in s.indices.map { s[$0] } })
    }
  }

  @Test(
    "merged LoRAs of every kind do what applied ones do",
    arguments: [
      "kohya/style_", "lokr/style_", "dora/style_",
      "lightx2v/Wan2.2-T2V-A14B-4steps-lora-rank4-Seko-V1.1/",
    ])
  func merging(name: String) async throws {
    let folder = try TemporaryFolder()
    let pairs = Self.formats + "lora/" + name
    let listing = Paths.folder(pairs)
    let files = try FileManager.default.contentsOfDirectory(atPath: listing).filter { $0.hasSuffix(".safetensors") }
    let loras = files.sorted().map { AdapterRequest(path: listing + "/" + $0, strength: 0.8) }
    try #require(!loras.isEmpty)
    let original = try SmallRuns.model("t2v")
    let path = try convert(original.path, folder, "merged", .fp32, loras: loras).path
    let (merged, applied) = (try await latents(ModelFolder(path: path)), try await latents(original, loras: loras))
    #expect(relativeError(merged, applied) < 1e-5)
    #expect(relativeError(merged, try await latents(original)) > 1e-4)
    let high = try SafetensorsFile(path: path + "/high_noise_model/diffusion_pytorch_model.safetensors")
    #expect(high.metadata.contains { $0.key == "merged_adapters" && $0.value.contains("0.8") })
  }

  private enum Paths {
    /// The folder of a path that may end in the beginning of a name.
    static func folder(_ path: String) -> String { String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) }
  }

  @Test("a header's texts stay, and the recipe that an old name told is written down")
  func texts() throws {
    let folder = try TemporaryFolder()
    let comfy = Self.formats + "comfy/diffusion_models/"
    let (path, _) = try convert(comfy + "wan2.2_t2v_high_noise_14B_bf16.safetensors", folder, "high.safetensors", .fp8)
    #expect(try SafetensorsFile(path: path).metadata.map(\.key) == ["format"])
    let mixed = comfy + "wan2.2_t2v_high_noise_14B_mixed_mxfp8_nvfp4.safetensors"
    let lora = AdapterRequest(path: Self.formats + "lora/kohya/style_high_noise.safetensors")
    let gguf = try GGUFFile(path: convert(mixed, folder, "high.gguf", .q8_0, loras: [lora]).path)
    #expect(gguf.text("general.merged_adapters")?.hasPrefix("style_high_noise.safetensors") == true)
    // What was merged before stays named.
    let again = try convert(gguf.location, folder, "high_again.safetensors", .bf16, loras: [lora]).path
    let texts = try SafetensorsFile(path: again).metadata
    #expect(texts.filter { $0.key == "format" }.count == 1 && Set(texts.map(\.key)).count == texts.count)
    #expect(gguf.text("general.architecture") == "wan" && gguf.text("general._quantization_metadata") == nil)
    let distilled = Self.formats + "lora/lightx2v/Wan2.2-T2V-A14B-4steps-lora-rank4-Seko-V1.1"
    let model = try convert(
      Golden.bundledFolder + "/t2v", folder, "distilled", .bf16, .comfy, loras: [AdapterRequest(path: distilled)]
    ).path
    let plan = try GenerationPlan(SmallRuns.request(.f32), model: ModelFolder(path: model), on: .reference)
    #expect(plan.recipe?.recipe == .lightx2v && plan.recipe?.toldBy?.hasSuffix("generation_config.json") == true)
    let conversion = try Conversion(
      ConversionRequest(
        input: comfy + "wan2.2_t2v_A14b_low_noise_int8_lightx2v_4step.safetensors",
        output: folder.path("low.safetensors"),
        format: .bf16))
    #expect(conversion.notices.count == 1 && conversion.notices[0].contains("lightx2v"))
  }

  struct BadConversion: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let says: String
    let make: @Sendable (TemporaryFolder) throws -> ConversionRequest

    init(_ what: String, says: String, _ make: @escaping @Sendable (TemporaryFolder) throws -> ConversionRequest) {
      (testDescription, self.says, self.make) = (what, says, make)
    }
  }

  private static let model = Golden.bundledFolder + "/ti2v"
  private static let file = model + "/" + ModelCopy.transformer

  @Test(
    "what cannot be converted is refused before anything is written",
    arguments: [
      BadConversion("blocks in safetensors", says: "must end in .gguf") {
        .init(input: file, output: $0.path("a.safetensors"), format: .q8_0)
      },
      BadConversion("floats of 8 bits for diffusers", says: "take the layout comfy or official") {
        .init(input: model, output: $0.path("a"), format: .fp8, layout: .diffusers)
      },
      BadConversion("an autoencoder in GGUF", says: "no place in a GGUF file") {
        .init(input: model + "/Wan2.2_VAE.pth", output: $0.path("a.gguf"), format: .q8_0)
      },
      BadConversion("a model into one file", says: "a model is several files") {
        .init(input: model, output: $0.path("a.safetensors"), format: .bf16)
      },
      BadConversion("a folder in use", says: "it is not empty") {
        try Data().write(to: $0.url.appendingPathComponent("x"))
        return .init(input: model, output: $0.path, format: .bf16)
      },
      BadConversion("a link", says: "it is a link") {
        try FileManager.default.createSymbolicLink(atPath: $0.path("link"), withDestinationPath: $0.path)
        return .init(input: model, output: $0.path("link") + "/", format: .bf16)
      },
      BadConversion("a folder that is not there", says: "there is no folder") {
        .init(input: file, output: $0.path("no/a.safetensors"), format: .bf16)
      },
      BadConversion("a LoRA", says: "one network, or a model's folder, can be converted") {
        .init(
          input: formats + "lora/kohya/style_high_noise.safetensors", output: $0.path("a.safetensors"), format: .bf16)
      },
      BadConversion("a LoRA for a text encoder", says: "LoRAs are merged into transformers") {
        .init(
          input: model + "/" + ModelCopy.textEncoder, output: $0.path("a.safetensors"), format: .bf16,
          adapters: [AdapterRequest(path: formats + "lora/kohya/style_high_noise.safetensors")])
      },
      BadConversion("a LoRA of another model", says: "does not fit") {
        .init(
          input: file, output: $0.path("a.safetensors"), format: .bf16,
          adapters: [AdapterRequest(path: formats + "lora/kohya/style_high_noise.safetensors")])
      },
      BadConversion("nothing", says: "No such file") {
        .init(input: $0.path("none.safetensors"), output: $0.path("a.safetensors"), format: .bf16)
      },
    ])
  func refusals(bad: BadConversion) throws {
    let folder = try TemporaryFolder()
    let request = try bad.make(folder)
    let before = try folder.allContents()
    let error = try #require(throws: (any Error).self) { _ = try Conversion(request) }
    #expect("\(error)".contains(bad.says), "\(error)")
    #expect(try folder.allContents() == before)
  }

  @Test("numbers that a type cannot hold end the conversion, and nothing is left")
  func numbers() throws {
    for (value, format) in [(Float.nan, StorageFormat.q8_0), (.infinity, .fp8), (1e20, .fp16), (1e33, .q4_0)] {
      let copy = try ModelCopy(of: "ti2v")
      try copy.rewrite(ModelCopy.transformer) { tensors in
        tensors.replace("blocks.1.ffn.0.weight") { tensor in
          var numbers = tensor.floats()
          numbers[100] = value
          return Tensor(numbers, shape: tensor.shape)
        }
      }
      let folder = try TemporaryFolder()
      let name = format.blocks == nil ? "a.safetensors" : "a.gguf"
      let error = try #require(throws: ModelError.self) {
        _ = try convert(copy.path + "/" + ModelCopy.transformer, folder, name, format)
      }
      #expect(error.description.contains("blocks.1.ffn.0.weight"), "\(error)")
      #expect(try folder.allContents() == [], "\(format)")
      // Of a whole model nothing is left either, however deep its folders are.
      let layout = format.blocks == nil ? StorageLayout.official : .gguf
      #expect(throws: ModelError.self) { _ = try convert(copy.path, folder, "model", format, layout) }
      #expect(try folder.allContents() == [], "\(format)")
    }
  }

  @Test("an older file of the name is replaced when the new one is whole")
  func replacement() throws {
    let folder = try TemporaryFolder()
    try Data("old".utf8).write(to: folder.url.appendingPathComponent("a.safetensors"))
    let (path, _) = try convert(Self.file, folder, "a.safetensors", .fp16)
    #expect(try SafetensorsFile(path: path).names.count == 69)
    #expect(try folder.allContents() == ["a.safetensors"])
    // A folder's name may end in a slash.
    _ = try convert(Golden.bundledFolder + "/ti2v", folder, "model/", .bf16)
    #expect(try ModelFolder(path: folder.path("model")).family == .ti2v5B)
  }
}
