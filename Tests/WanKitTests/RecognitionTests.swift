import Foundation
import Tensors
import TestSupport
import Testing
import WanKit

/// What a file of a model turns out to be is one sentence, said by `ModelFolder` and `Inspection` alike.
struct RecognitionTests {
  static let vae = "Wan2.2_VAE.pth"
  static let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9214\n"

  static func prefixed(_ prefix: String) -> BadModel {
    BadModel("a transformer under \(prefix)", says: []) { try $0.rename(ModelCopy.transformer) { prefix + $0 } }
  }

  /// Models that are read although their files are none of the published ones.
  static let readable: [BadModel] =
    ["model.diffusion_model.", "diffusion_model.", "model.", "transformer.", "module.", "_orig_mod.", "a.b.c."].map(
      prefixed)
    + [
      BadModel(
        "a VAE under first_stage_model.", says: []
      ) { try $0.rename(vae, as: "Wan2.2_VAE.safetensors") { "first_stage_model." + $0 } },
      BadModel(
        "an encoder under a prefix", says: []
      ) {
        try $0.rename(ModelCopy.textEncoder, as: "models_t5_umt5-xxl-enc-bf16.safetensors") {
          "text_encoders.umt5xxl." + $0
        }
      },
      BadModel(
        "a transformer in diffusers' names", says: []
      ) {
        try $0.rename(ModelCopy.transformer) {
          $0.replacing("self_attn.q", with: "attn1.to_q").replacing("head.modulation", with: "scale_shift_table")
            .replacing("head.head", with: "proj_out").replacing("ffn.0", with: "ffn.net.0.proj")
            .replacing("time_projection.1", with: "condition_embedder.time_proj")
        }
      },
      BadModel(
        "all networks in one file",
        says: []
      ) { copy in
        let vae = try copy.tensors(vae).map { (name: "vae." + $0.name, tensor: $0.tensor) }
        try copy.rewrite(ModelCopy.transformer) { tensors in
          tensors = tensors.map { (name: "model.diffusion_model." + $0.name, tensor: $0.tensor) } + vae
        }
      },
      BadModel("one tensor of fp8", says: []) {
        try $0.retype(ModelCopy.transformer, to: "F8_E4M3") { $0 == "head.head.weight" }
      },
      BadModel("a VAE of fp8", says: []) {
        try $0.retype(vae, as: "Wan2.2_VAE.safetensors", to: "F8_E5M2") { _ in true }
      },
    ]

  static let names: [BadModel] =
    [
      BadModel(
        "the autoencoder as the transformer", says: ["the names of an autoencoder, where a transformer is expected"]
      ) {
        try $0.rewrite(vae, as: "x.safetensors")
        try $0.remove(ModelCopy.transformer)
        try $0.move("x.safetensors", to: ModelCopy.transformer)
        try $0.write("", to: vae)
      },
      BadModel("VACE", says: ["a transformer of VACE by 'vace_blocks.0.before_proj.weight', which is none of t2v-a14b"])
      {
        try $0.rewrite(ModelCopy.transformer) { $0.append(("vace_blocks.0.before_proj.weight", .zeros([1]))) }
      },
      BadModel(
        "the names of a compiled block",
        says: ["its tensors' names carry '_orig_mod.', which a wrapping of torch put there ('blocks.1._orig_mod."]
      ) { try $0.rename(ModelCopy.transformer) { $0.replacing("blocks.1.", with: "blocks.1._orig_mod.") } },
      BadModel(
        "a network that listens", says: ["no network of Wan2.2 by its tensors' names: 'model.encoder.conv1.weight'"]
      ) {
        try $0.rewrite(ModelCopy.transformer) { $0 = [("model.encoder.conv1.weight", .zeros([1]))] }
      },
      BadModel("no tensors", says: ["the file holds no tensors"]) { try $0.rewrite(ModelCopy.transformer) { $0 = [] } },
      BadModel("another network", says: ["no network of Wan2.2 by its tensors' names: 'x', 'y', 'z' and 1 more"]) {
        try $0.rewrite(ModelCopy.transformer) { $0 = ["x", "y", "z", "u"].map { ($0, .zeros([1])) } }
      },
    ]

  static let adapters: [BadModel] = [
    ("lora_unet_blocks_0_self_attn_q.lora_down.weight", "kohya's"),
    ("lora_unet__blocks_0_ffn_0.lora_up.weight", "Wan-Fun"),
    ("diffusion_model.blocks.0.self_attn.q.lora_A.weight", "most trainers"), ("blocks.0.ffn.0.diff_b", "DiffSynth's"),
    ("transformer.blocks.0.attn1.to_q.lora_B.weight", "diffusers'"), ("lycoris_blocks_0_ffn_0.lokr_w1", "LyCORIS'"),
    ("base_model.model.blocks.0.ffn.0.lora_magnitude_vector", "PEFT's"), ("x.hada_w1_a", "no known program"),
  ].map { name, author in
    BadModel("a LoRA \(name)", says: ["these are the names of a LoRA (", author, "the LoRA beside it"]) {
      try $0.rewrite(ModelCopy.transformer) { $0 = [(name, .zeros([1])), (name + "x", .zeros([1]))] }
    }
  }

  static let types: [BadModel] =
    [
      ("F8_E8M0", 8), ("F8_E4M3FNUZ", 8), ("F4", 4), ("F6_E2M3", 6), ("U16", 16),
      ("U32", 32),
      ("U64", 64), ("C64", 64), ("SOMETHING", 8),
    ].map { type, bits in
      BadModel(
        "all weights of \(type)",
        says: [
          "\(ModelCopy.transformer): ", " 37 of 69 tensors are stored as \(type), which is not read yet: 'blocks.0.",
          "BF16, F16 or F32",
        ]
      ) { try $0.retype(ModelCopy.transformer, to: type, bits: bits) { $0.hasSuffix(".weight") } }
    } + [
      BadModel("nvfp4", says: ["(nvfp4, 'blocks.0.ffn.0.weight_scale_2')"]) {
        try $0.rewrite(ModelCopy.transformer) { $0.append(("blocks.0.ffn.0.weight_scale_2", .zeros([1]))) }
      },
      BadModel(
        "bytes with scales per row of another program", says: ["'blocks.0.ffn.0.weight_scale'", "do not fit"]
      ) {
        try $0.rewrite(ModelCopy.transformer) { tensors in
          tensors.replace("blocks.0.ffn.0.weight") { .zeros($0.shape, dtype: .i8) }
          tensors.append(("blocks.0.ffn.0.weight_scale", .zeros([4, 1])))
        }
      },
    ]

  static func replaced(_ what: String, _ file: String, by text: String, says: String) -> BadModel {
    BadModel("\(what) for \(file)", says: ["/\(file): this is \(says)"]) { try $0.write(text, to: file) }
  }

  static let tokenizer = "google/umt5-xxl/tokenizer.json"
  static let contents: [BadModel] =
    [ModelCopy.transformer, vae, ModelCopy.textEncoder, "config.json", "generation_config.json", tokenizer].flatMap {
      file in
      [
        replaced("a pointer", file, by: pointer, says: "a pointer of git-lfs, not the file itself"),
        replaced("a page", file, by: " <!doctype html><title>Sign in</title>", says: "a web page: 'Sign in'"),
        replaced("an error", file, by: #"{"error": "Invalid credentials"}"#, says: "an error message of a server"),
        replaced("a message", file, by: "Entry not found", says: "text, n"),
      ]
    } + [
      BadModel("a pointer for spiece.model", says: ["spiece.model: this is a pointer of git-lfs"]) {
        try $0.remove(tokenizer)
        try $0.write(pointer, to: "google/umt5-xxl/spiece.model")
      },
      BadModel("config.json in UTF-16", says: ["config.json: this is text in UTF-16"]) {
        try $0.write("{\"num_heads\": 4}".data(using: .utf16) ?? Data(), to: "config.json")
      },
      BadModel("tokenizer.json in UTF-16", says: ["tokenizer.json: this is text in UTF-16"]) {
        try $0.write(Data([0xFF, 0xFE, 0x7B, 0]), to: tokenizer)
      },
      BadModel("zeros", says: ["a file that begins with zeros"]) { try $0.write(Data(count: 100_000), to: vae) },
      BadModel("an archive", says: ["a gzip archive; unpack it"]) { try $0.write(Data([0x1F, 0x8B, 8, 0]), to: vae) },
    ]

  @Test("a model whose file is", arguments: names + adapters + types + contents)
  func recognised(bad: BadModel) throws {
    let copy = try ModelCopy(of: bad.model)
    try bad.spoil(copy)
    let error = try #require(throws: ModelError.self) { _ = try ModelFolder(path: copy.path) }
    for part in bad.says { #expect(error.description.contains(part), "\(error)") }
    #expect(!error.description.contains("is missing"), "\(error)")
    let report = try Inspection(path: copy.path)
    #expect(!report.isComplete)
    for line in error.description.split(separator: "\n") {
      #expect(report.problems.contains(String(line)), "\(report.problems)")
    }
  }

  @Test("a model is read whose file is", arguments: readable)
  func read(good: BadModel) throws {
    let copy = try ModelCopy(of: good.model)
    try good.spoil(copy)
    let model = try ModelFolder(path: copy.path)
    let original = try ModelFolder(path: Golden.bundledFolder + "/" + good.model)
    #expect(model.transformers.configuration == original.transformers.configuration)
    #expect(model.autoencoder?.configuration == original.autoencoder?.configuration)
    #expect(try Inspection(path: copy.path).isComplete)
  }

  @Test("a byte order mark of UTF-8 says nothing")
  func mark() throws {
    let copy = try ModelCopy(of: "ti2v")
    for file in ["config.json", Self.tokenizer] {
      try copy.write(Data([0xEF, 0xBB, 0xBF]) + Golden.data(copy.path + "/" + file), to: file)
    }
    try copy.write("\u{FEFF}{\"steps\": 7}", to: "generation_config.json")
    #expect(try ModelFolder(path: copy.path).defaults.steps == 7)
  }

  @Test("what macOS and others leave beside the files changes nothing")
  func companions() throws {
    let copy = try ModelCopy(of: "t2v")
    for name in try copy.folder.allContents() where name.contains(".") {
      let parts = name.split(separator: "/")
      let companion = (parts.dropLast() + ["._" + parts[parts.count - 1]]).joined(separator: "/")
      try copy.write(Data([0, 5, 0x16, 7, 0, 2, 0, 0]), to: companion)
    }
    try copy.makeFolder("__MACOSX/high_noise_model")
    try copy.write("", to: ".DS_Store")
    #expect(try ModelFolder(path: copy.path).transformers.all.count == 2)
    #expect(try Inspection(path: copy.path).isComplete)
  }
}
