import Foundation
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit

/// A way to spoil a model folder, and what the error must say.
struct BadModel: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Which golden model is spoilt.
  let model: String
  /// Parts of the error's text: the file, tensor or field, and what to do.
  let says: [String]
  let spoil: @Sendable (ModelCopy) throws -> Void

  init(_ what: String, model: String = "ti2v", says: [String], spoil: @escaping @Sendable (ModelCopy) throws -> Void) {
    testDescription = what
    self.model = model
    self.says = says
    self.spoil = spoil
  }
}

/// Every way in which a model folder can be wrong ends in an error that names the place.
struct BadModelTests {
  static let files = [
    BadModel("no config.json", says: ["not a Wan2.2 model folder", "expected config.json"]) {
      try $0.remove("config.json")
    },
    BadModel("one expert alone", model: "t2v", says: ["low_noise_model/ is missing", "both experts"]) {
      try $0.remove("low_noise_model")
    },
    BadModel("the other alone", model: "t2v", says: ["high_noise_model/ is missing", "both experts"]) {
      try $0.remove("high_noise_model")
    },
    BadModel(
      "an expert without config.json", model: "t2v", says: ["low_noise_model: config.json is missing", "copy it"]
    ) {
      try $0.remove("low_noise_model/config.json")
    },
    BadModel("no transformer", says: ["holds no safetensors file", "download"]) {
      try $0.remove(ModelCopy.transformer)
    },
    BadModel("no autoencoder", says: ["autoencoder (Wan2.2_VAE.pth or .safetensors) is missing", "copy it"]) {
      try $0.remove("Wan2.2_VAE.pth")
    },
    BadModel("no text encoder", says: ["text encoder (models_t5_umt5-xxl-enc-bf16.pth", "copy it"]) {
      try $0.remove(ModelCopy.textEncoder)
    },
    BadModel("no tokenizer", says: ["google/umt5-xxl/tokenizer.json", "copy the tokenizer"]) {
      try $0.remove("google/umt5-xxl")
    },
    BadModel("a tokenizer folder without tokenizer", says: ["google/umt5-xxl/tokenizer.json (or spiece.model)"]) {
      try $0.remove("google/umt5-xxl/tokenizer.json")
      try $0.remove("google/umt5-xxl/spiece.model")
    },
    BadModel("an empty transformer", says: [ModelCopy.transformer]) { try $0.write("", to: ModelCopy.transformer) },
    BadModel("half a transformer", says: [ModelCopy.transformer, "download"]) {
      let whole = try Data(contentsOf: URL(fileURLWithPath: $0.path + "/" + ModelCopy.transformer))
      try $0.write(whole.prefix(whole.count / 2), to: ModelCopy.transformer)
    },
    BadModel("half an autoencoder", says: ["Wan2.2_VAE.pth"]) {
      let whole = try Data(contentsOf: URL(fileURLWithPath: $0.path + "/Wan2.2_VAE.pth"))
      try $0.write(whole.prefix(whole.count / 2), to: "Wan2.2_VAE.pth")
    },
    BadModel("a missing shard", says: ["index.json", "00002-of-", "shards is missing", "download it"]) {
      try $0.shard(ModelCopy.transformer, byteCount: 500_000)
      let second = try $0.folder.allContents().first { $0.contains("00002-of-") }
      try $0.remove(second ?? "no second shard")
    },
    BadModel("a shard that lacks a tensor", says: ["00001-of-", "lacks tensors", "'head.head.bias'", "download"]) {
      try $0.shard(ModelCopy.transformer, byteCount: 500_000)
      let first = try $0.folder.allContents().first { $0.contains("00001-of-") } ?? "no shard"
      let index = ModelCopy.transformer + ".index.json"
      let text = try String(contentsOfFile: $0.path + "/" + index, encoding: .utf8)
      let entry = text.split(separator: "\n").first { $0.contains("\"head.head.bias\"") } ?? ""
      try $0.replace(String(entry), by: "    \"head.head.bias\": \"\(first)\",", in: index)
    },
    BadModel("two transformers in one folder", says: ["several checkpoints"]) {
      try $0.rewrite(ModelCopy.transformer, as: "a.safetensors")
      try $0.write(try Data(contentsOf: URL(fileURLWithPath: $0.path + "/a.safetensors")), to: "b.safetensors")
    },
  ]

  static let tensors = [
    BadModel("a missing tensor", says: [ModelCopy.transformer, "'blocks.1.ffn.2.bias' is missing"]) {
      try $0.rewrite(ModelCopy.transformer) { $0.removeAll { $0.name == "blocks.1.ffn.2.bias" } }
    },
    BadModel("a missing tensor that sizes are read from", says: ["'blocks.0.ffn.0.weight' is missing"]) {
      try $0.rewrite(ModelCopy.transformer) { $0.removeAll { $0.name == "blocks.0.ffn.0.weight" } }
    },
    BadModel(
      "a wrong shape", says: ["'blocks.1.self_attn.norm_q.weight' has shape [95], expected [96]"]
    ) {
      try $0.rewrite(ModelCopy.transformer) { $0.replace("blocks.1.self_attn.norm_q.weight") { _ in .zeros([95]) } }
    },
    BadModel("a tensor of integers", says: ["'head.head.bias'", "I32 is not a float"]) {
      try $0.rewrite(ModelCopy.transformer) { $0.replace("head.head.bias") { .zeros($0.shape, dtype: .i32) } }
    },
    BadModel("unknown tensors", says: ["2 tensors that this model does not know", "'lora.a', 'lora.b'"]) {
      try $0.rewrite(ModelCopy.transformer) { $0 += [("lora.a", .zeros([1])), ("lora.b", .zeros([1]))] }
    },
    BadModel("several problems", says: ["'head.head.bias' is missing", "'patch_embedding.bias'", "'extra'"]) {
      try $0.rewrite(ModelCopy.transformer) {
        $0.removeAll { $0.name == "head.head.bias" }
        $0.replace("patch_embedding.bias") { _ in .zeros([3]) }
        $0.append(("extra", .zeros([1])))
      }
    },
    BadModel("an autoencoder that lacks a tensor", says: ["Wan2.2_VAE.safetensors", "'conv2.bias' is missing"]) {
      try $0.rewrite("Wan2.2_VAE.pth", as: "Wan2.2_VAE.safetensors") { $0.removeAll { $0.name == "conv2.bias" } }
    },
    BadModel("an autoencoder that does not double time", says: ["Wan2.2_VAE.safetensors", "decoder.upsamples"]) {
      try $0.rewrite("Wan2.2_VAE.pth", as: "Wan2.2_VAE.safetensors") {
        $0.removeAll { $0.name.hasPrefix("decoder.") && $0.name.contains("time_conv") }
      }
    },
    BadModel("a text encoder that lacks a tensor", says: ["models_t5", "'norm.weight' is missing"]) {
      try $0.rewrite(ModelCopy.textEncoder, as: "models_t5_umt5-xxl-enc-bf16.safetensors") {
        $0.removeAll { $0.name == "norm.weight" }
      }
    },
    BadModel("experts of different sizes", model: "t2v", says: ["two experts differ", "one model"]) {
      try $0.set("eps", to: "1e-5", in: "low_noise_model/config.json")
    },
    BadModel("another model's autoencoder", says: ["latent channels", "autoencoder has 16", "one model"]) {
      let other = try ModelCopy(of: "t2v")
      try $0.write(try Data(contentsOf: URL(fileURLWithPath: other.path + "/Wan2.1_VAE.pth")), to: "Wan2.2_VAE.pth")
    },
  ]

  static func configuration(
    _ field: String, _ value: String, says: [String], model: String = "ti2v", file: String = "config.json"
  ) -> BadModel {
    BadModel("\(field) \(value.prefix(30))", model: model, says: says) { try $0.set(field, to: value, in: file) }
  }

  static let heads = ["0", "-2", "\"4\"", "1.5", "true", "[4]", "1e30"].map {
    configuration("num_heads", $0, says: ["config.json", "'num_heads' must be a whole number from 1"])
  }

  static let configurations =
    heads + [
      configuration("num_heads", "5", says: ["num_heads 5", "does not cut dim 96"]),
      configuration("num_heads", "96", says: ["num_heads 96", "even heads"]),
      configuration("num_heads", "null", says: ["config.json", "'num_heads' is missing"]),
      configuration("num_heads", "1e400", says: ["config.json"]),
      configuration("dim", "128", says: ["config.json says dim 128, the tensors say 96"]),
      configuration("num_layers", "3", says: ["config.json says num_layers 3, the tensors say 2"]),
      configuration("in_dim", "0", says: ["'in_dim' must be a whole number from 1"]),
      configuration("text_len", "0", says: ["'text_len' must be a whole number from 1"]),
      configuration("text_len", "1e9", says: ["'text_len' must be a whole number from 1"]),
      configuration("eps", "NaN", says: ["config.json", "is not a JSON object"]),
      configuration("eps", "-1e-6", says: ["'eps' must be a number from"]),
      configuration("eps", "\"small\"", says: ["'eps' must be a number from"]),
      configuration("model_type", "\"s2v\"", says: ["model_type 's2v', known are t2v, i2v, ti2v"]),
      configuration("model_type", "null", says: ["model_type '', known are t2v, i2v, ti2v"]),
      configuration("model_type", "7", says: ["config.json", "'model_type' must be a text"]),
      configuration("model_type", "\"t2v\"", says: ["model_type 't2v' has two experts, the folder has 1"]),
      BadModel("config.json of an array", says: ["config.json: is not a JSON object; fetch"]) {
        try $0.write("[1, 2]", to: "config.json")
      },
      BadModel("config.json of text", says: ["config.json: this is text, not JSON: 'num_heads = 4'"]) {
        try $0.write("num_heads = 4", to: "config.json")
      },
      BadModel("an empty config.json", says: ["config.json: the file is empty; "]) {
        try $0.write("", to: "config.json")
      },
      BadModel("config.json of two megabytes", says: ["config.json: 2000000 bytes are too many"]) {
        try $0.write(String(repeating: " ", count: 2_000_000), to: "config.json")
      },
      BadModel("config.json nested a hundred thousand deep", says: ["config.json"]) {
        try $0.write(String(repeating: "[", count: 100_000), to: "config.json")
      },
      BadModel("config.json that is a folder", says: ["config.json:", "not a regular file"]) {
        try $0.remove("config.json")
        try FileManager.default.createDirectory(atPath: $0.path + "/config.json", withIntermediateDirectories: true)
      },
      BadModel("config.json that never ends", says: ["config.json:", "not a regular file"]) {
        try $0.remove("config.json")
        try FileManager.default.createSymbolicLink(atPath: $0.path + "/config.json", withDestinationPath: "/dev/zero")
      },
    ]

  static let generation = [
    ("{\"size\": 0}", "'size' must be 2 numbers from 1"), ("{\"size\": [128]}", "'size' must be 2 numbers"),
    ("{\"size\": [128, \"x\", 128]}", "'size' must be 2 numbers"), ("{\"size\": [128.5, 128]}", "whole numbers"),
    ("{\"frames\": 0}", "'frames' must be a whole number from 1"), ("{\"fps\": 1000}", "'fps' must be"),
    ("{\"steps\": -1}", "'steps' must be a whole number"), ("{\"steps\": \"many\"}", "'steps' must be a whole number"),
    ("{\"shift\": 0}", "'shift' must be a number"), ("{\"guidance\": [1, 2, 3]}", "'guidance' must be 2 numbers"),
    ("{\"guidance\": true}", "'guidance' must be 2 numbers"),
    ("{\"solver\": \"magic\"}", "'solver' must be one of unipc, dpm++, euler"), ("[]", "is not a JSON object"),
  ].map { text, reason in
    BadModel("generation_config.json " + text, says: ["generation_config.json", reason]) {
      try $0.write(text, to: "generation_config.json")
    }
  }

  @Test("a folder with", arguments: files + tensors + configurations + generation)
  func folder(bad: BadModel) throws {
    let copy = try ModelCopy(of: bad.model)
    try bad.spoil(copy)
    let before = try copy.folder.allContents()
    let error = try #require(throws: ModelError.self) { _ = try ModelFolder(path: copy.path) }
    for part in bad.says { #expect(error.description.contains(part), "\(error)") }
    #expect(error.description.contains(copy.path))
    #expect(error.description.utf8.count < 3000)
    #expect(try copy.folder.allContents() == before)
  }

  @Test("a path that is no folder")
  func path() throws {
    let empty = try TemporaryFolder()
    let cases = [
      (empty.path + "/absent", "there is no such model folder"), (empty.path, "found nothing"),
      (#filePath, "this is a file where a folder is expected"), ("", "there is no such model folder"),
    ]
    for (path, reason) in cases {
      let error = try #require(throws: ModelError.self) { _ = try ModelFolder(path: path) }
      #expect(error.description.hasPrefix(path) && error.description.contains(reason), "\(error)")
    }
    #expect(try empty.allContents() == [])
  }

  @Test("a generation_config.json overrides the family, field by field")
  func overrides() throws {
    let copy = try ModelCopy(of: "ti2v")
    #expect(try ModelFolder(path: copy.path).defaults == ModelFamily.ti2v5B.defaults)
    try copy.write(
      "{\"size\": 64, \"guidance\": [2, 3], \"solver\": \"euler\", \"x\": 1}", to: "generation_config.json")
    let defaults = try ModelFolder(path: copy.path).defaults
    #expect(defaults.width == 64 && defaults.height == 64)
    #expect(defaults.guidance == GuidanceScales(low: 2, high: 3))
    #expect(defaults.solver == .euler)
    #expect(defaults.frames == ModelFamily.ti2v5B.defaults.frames)
  }
}
