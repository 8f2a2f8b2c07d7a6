import Foundation
import Tensors
import TestSupport
import Testing
import WanKit

/// A folder that is not the one to give, and the sentence that says which is.
struct FolderFormTests {
  static let revision = "0123456789abcdef0123456789abcdef01234567"

  static func spoilt(_ what: String, _ says: String..., spoil: @escaping @Sendable (ModelCopy) throws -> Void)
    -> BadModel
  {
    BadModel(what, says: says, spoil: spoil)
  }

  static let states: [BadModel] = [
    spoilt("config.json in another case", "'Config.json' is here, and names are told apart by case: rename it") {
      try $0.move("config.json", to: "Config.json")
    },
    spoilt("the tokenizer's folder in another case", "'Google' is here", "rename it to 'google'") {
      try $0.move("google", to: "Google")
    },
    spoilt("a part of the autoencoder", "'Wan2.2_VAE.pth.crdownload' is an unfinished download") {
      try $0.move("Wan2.2_VAE.pth", to: "Wan2.2_VAE.pth.crdownload")
    },
    spoilt("a part of the encoder in the hub client's folder", "/models_t5_umt5-xxl-enc-bf16.pth.4d.incomplete' is an")
    {
      try $0.makeFolder(".cache/huggingface/download")
      try $0.move(ModelCopy.textEncoder, to: ".cache/huggingface/download/\(ModelCopy.textEncoder).4d.incomplete")
    },
    spoilt("an empty file beside its part", "Wan2.2_VAE.pth: the file is an unfinished download") {
      try $0.write("", to: "Wan2.2_VAE.pth")
      try $0.write("x", to: "Wan2.2_VAE.pth.part")
    },
    spoilt("a part that the hub's client names by checksums", "download/x=.4d7a.incomplete' is an unfinished download")
    {
      try $0.makeFolder(".cache/huggingface/download")
      try $0.write("x", to: ".cache/huggingface/download/x=.4d7a.incomplete")
      try $0.remove("Wan2.2_VAE.pth")
    },
    spoilt("a part of the tokenizer there", "/download/google/umt5-xxl/x.incomplete' is an unfinished download") {
      try $0.makeFolder(".cache/huggingface/download/google/umt5-xxl")
      try $0.write("x", to: ".cache/huggingface/download/google/umt5-xxl/x.incomplete")
      try $0.remove("google/umt5-xxl/tokenizer.json")
      try $0.remove("google/umt5-xxl/spiece.model")
    },
    spoilt("a part of ModelScope's client", "'._____temp/Wan2.2_VAE.pth' is an unfinished download") {
      try $0.makeFolder("._____temp")
      try $0.move("Wan2.2_VAE.pth", to: "._____temp/Wan2.2_VAE.pth")
    },
    spoilt("a browser's second copy", "'config (1).json' is here", "rename it to 'config.json'") {
      try $0.move("config.json", to: "config (1).json")
    },
    spoilt("an editor's ending", "'config.json.txt' is here") { try $0.move("config.json", to: "config.json.txt") },
    spoilt("an address' question", "'Wan2.2_VAE.pth?download=true' is here") {
      try $0.move("Wan2.2_VAE.pth", to: "Wan2.2_VAE.pth?download=true")
    },
    spoilt("macOS's companion of config.json alone", "'._config.json' is only what macOS keeps beside it") {
      try $0.move("config.json", to: "._config.json")
    },
    spoilt("a packed autoencoder", "'Wan2.2_VAE.pth.zip' must be unpacked first") {
      try $0.move("Wan2.2_VAE.pth", to: "Wan2.2_VAE.pth.zip")
    },
    spoilt("a link into no blob", "config.json: this is a link to '../../blobs/4d7a', which is not there", "cp -rL") {
      try $0.remove("config.json")
      try FileManager.default.createSymbolicLink(
        atPath: $0.path + "/config.json", withDestinationPath: "../../blobs/4d7a")
    },
    spoilt("a tokenizer whose link is broken", "tokenizer.json: this is a link to 'gone'") {
      try $0.remove("google/umt5-xxl/tokenizer.json")
      try FileManager.default.createSymbolicLink(
        atPath: $0.path + "/google/umt5-xxl/tokenizer.json", withDestinationPath: "gone")
    },
    spoilt("a file for the tokenizer's folder", "/google: this is a file where a folder is expected; this is text") {
      try $0.remove("google")
      try $0.write("x", to: "google")
    },
    spoilt("an unpacked autoencoder", "Wan2.2_VAE.pth: this is an unpacked archive of torch.save") {
      try $0.remove("Wan2.2_VAE.pth")
      try $0.makeFolder("Wan2.2_VAE.pth/archive")
      try $0.write("x", to: "Wan2.2_VAE.pth/archive/data.pkl")
    },
    spoilt("an empty folder for the autoencoder", "Wan2.2_VAE.pth: the folder holds no safetensors file") {
      try $0.remove("Wan2.2_VAE.pth")
      try $0.makeFolder("Wan2.2_VAE.pth")
    },
    spoilt("no index of its shards", "the index 'diffusion_pytorch_model.safetensors.index.json' of these 2 shards") {
      try $0.move(ModelCopy.transformer, to: "diffusion_pytorch_model-00001-of-00002.safetensors")
    },
  ]

  @Test("a model with", arguments: states)
  func state(bad: BadModel) throws {
    let copy = try ModelCopy(of: bad.model)
    try bad.spoil(copy)
    let error = try #require(throws: ModelError.self) { _ = try ModelFolder(path: copy.path) }
    for part in bad.says { #expect(error.description.contains(part), "\(error)") }
    #expect(try Inspection(path: copy.path).problems.contains(error.description))
  }

  /// What opening and inspecting a folder both say.
  private func complaint(_ path: String) throws -> String {
    let error = try #require(throws: ModelError.self) { _ = try ModelFolder(path: path) }
    do throws(ModelError) {
      let report = try Inspection(path: path)
      #expect(report.problems.contains(error.description) || !report.isComplete)
    } catch {
      #expect(error.description.hasPrefix(path))
    }
    return error.description
  }

  private func makeModel(_ path: String) throws {
    let files = FileManager.default
    try files.createDirectory(
      atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
    try files.createSymbolicLink(atPath: path, withDestinationPath: Golden.bundledFolder + "/ti2v")
  }

  @Test("the hub's cache names the snapshot to give")
  func hub() throws {
    let folder = try TemporaryFolder()
    let root = folder.path("models--Wan-AI--Wan2.2-TI2V-5B")
    let snapshot = "\(root)/snapshots/\(Self.revision)"
    try makeModel(snapshot)
    for name in ["blobs", "refs"] {
      try FileManager.default.createDirectory(atPath: root + "/" + name, withIntermediateDirectories: true)
    }
    #expect(try complaint(root).contains("the hub cache's root of a model; give the snapshot in it: \(snapshot)"))
    #expect(
      try complaint(root + "/snapshots").contains(
        "a folder of the hub's snapshots; give the snapshot in it: \(snapshot)"))
    #expect(try complaint(folder.path).contains("the hub's cache of 1 model; give a snapshot in it: \(snapshot)"))
    let other = "\(root)/snapshots/" + String(Self.revision.reversed())
    try makeModel(other)
    #expect(try complaint(root).contains("give one of its snapshots: \(snapshot), \(other)"))
    try Data("\(String(Self.revision.reversed()))\n".utf8).write(to: URL(fileURLWithPath: root + "/refs/main"))
    #expect(try complaint(root).contains("give the snapshot in it: \(other)"))
    #expect(try Inspection(path: snapshot).isComplete)
  }

  @Test("a folder around models, and one inside, name the model's own")
  func around() throws {
    let folder = try TemporaryFolder()
    try makeModel(folder.path("around/model"))
    for junk in ["__MACOSX", ".cache"] {
      try FileManager.default.createDirectory(atPath: folder.path("around/\(junk)"), withIntermediateDirectories: true)
    }
    #expect(try complaint(folder.path("around")).contains("the folder around a model's; give the model's own: "))
    #expect(try complaint(folder.path).contains("give the model's own: \(folder.path("around/model"))"))
    try makeModel(folder.path("around/other"))
    #expect(try complaint(folder.path("around")).contains("a folder of 2 models; give one of them: "))
    let copy = try ModelCopy(of: "ti2v")
    #expect(
      try complaint(copy.path + "/google/umt5-xxl").contains(
        "a part of a model, its folder 'umt5-xxl'; give the model's"))
    let expert = try opening(Golden.bundledFolder + "/t2v/high_noise_model")
    #expect(
      expert.contains("a part of a model, its folder 'high_noise_model'; give the model's own folder"), "\(expert)")
    #expect(try Inspection(path: Golden.bundledFolder + "/t2v/high_noise_model").isComplete)
  }

  @Test(
    "other programs' folders are named",
    arguments: [
      (["transformer/", "vae/"], "/transformer: the folder holds no safetensors file"),
      (["diffusion_models/", "vae/", "loras/"], "ComfyUI's folder of single files"),
      (["adapter_config.json", "adapter_model.safetensors"], "a LoRA's folder"),
      (["model.zip"], "the archive 'model.zip'; unpack it"), (["x.gguf"], "the single file 'x.gguf'"),
      (["umt5.safetensors", "wan.safetensors"], "the single file 'umt5.safetensors' and 1 more"),
      (["model.tar.incomplete"], "an unfinished download ('model.tar.incomplete')"),
      ([".cache/huggingface/download/", ".cache/huggingface/download/x.incomplete"], "download of the hub's client"),
    ])
  func others(names: [String], says: String) throws {
    let folder = try TemporaryFolder()
    for name in names where name.hasSuffix("/") {
      try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
    }
    for name in names where !name.hasSuffix("/") {
      try Data("x".utf8).write(to: URL(fileURLWithPath: folder.path(name)))
    }
    let complaint = try complaint(folder.path)
    #expect(complaint.hasPrefix(folder.path) && complaint.contains(says), "\(complaint)")
  }

  @Test("a file in place of the folder says what it is, and where the folder lies")
  func file() throws {
    let copy = try ModelCopy(of: "ti2v")
    let encoder = try opening(copy.path + "/" + ModelCopy.textEncoder)
    #expect(encoder.contains("a file where a folder is expected; it holds the text encoder alone"), "\(encoder)")
    #expect(encoder.hasSuffix("of the model, \(copy.path)"), "\(encoder)")
    try copy.write(Data("GGUF".utf8) + Data([9, 0, 0, 0]), to: "x.gguf")
    #expect(try opening(copy.path + "/x.gguf").contains("this is version 9 of GGUF"))
    #expect(try opening(copy.path + "/config.json").contains("this is the configuration of a model"))
  }

  private func opening(_ path: String) throws -> String {
    try #require(throws: ModelError.self) { _ = try ModelFolder(path: path) }.description
  }

  @Test("names that are not UTF-8 are named where they matter, and passed over elsewhere")
  func illegible() throws {
    let name = Array("mod".utf8) + [0xE8] + Array("le.safetensors".utf8)
    let copy = try ModelCopy(of: "ti2v")
    try copy.folder.makeFile(named: name)
    try copy.folder.makeFile(named: [0xE9])
    #expect(try Inspection(path: copy.path).isComplete)
    try copy.remove(ModelCopy.transformer)
    #expect(
      try complaint(copy.path).contains("the name of its checkpoint, 'mod\\xE8le.safetensors', is not UTF-8; rename"))
    let folder = try TemporaryFolder()
    try folder.makeFile(named: [0xE9])
    #expect(try complaint(folder.path).contains("found \\xE9 (which is not UTF-8: rename it)"))
  }

  @Test("one shard alone is called so")
  func shard() throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.shard(ModelCopy.transformer, byteCount: 300_000)
    let name = try #require(try copy.folder.allContents().first { $0.contains("-00002-of-") })
    let report = try Inspection(path: copy.path + "/" + name)
    let problem = try #require(report.networks.first?.problems.first)
    #expect(problem.contains("this is shard 2 of"), "\(report)")
    #expect(try opening(copy.path + "/" + name).hasSuffix(problem.dropFirst((copy.path + "/" + name + ": ").count)))
    #expect(try Inspection(path: copy.path).isComplete)
  }

  @Test("a folder of one LoRA says what inspecting it says")
  func adapter() throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.rename(ModelCopy.transformer, as: "x.safetensors") { "diffusion_model." + $0 + ".lora_A.weight" }
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: copy.path + "/x.safetensors", toPath: folder.path("x.safetensors"))
    let network = try #require(Inspection(path: folder.path).networks.first)
    #expect(network.role.hasPrefix("LoRA"), "\(network.role)")
    let text = try opening(folder.path)
    #expect(text.contains("the single file 'x.safetensors'") && text.contains("the names of a LoRA"), "\(text)")
  }
}
