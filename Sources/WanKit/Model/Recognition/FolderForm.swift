import Checkpoints
import Foundation

/// What a folder is that does not hold a model in Wan-AI's layout, as far as it is of a known kind.
///
/// This is the one place that knows folders: a layout that becomes readable leaves it.
struct FolderForm {
  /// After "this is ".
  let what: String
  let advice: String
  /// Whether single files of a model's parts may lie in it.
  let mayHoldSingleFiles: Bool

  private init(_ what: String, _ advice: String, mayHoldSingleFiles: Bool = false) {
    (self.what, self.advice, self.mayHoldSingleFiles) = (what, advice, mayHoldSingleFiles)
  }

  /// `nil` for a folder of no known kind, and for one that is a model's by its config.json and nothing else speaks against.
  init?(_ files: FolderListing) {
    let found =
      if files.contains("config.json") {
        Self.adapter(files) ?? (Self.isModel(files) ? nil : Self.part(files))
      } else {
        Self.hubCache(files) ?? Self.adapter(files) ?? Self.parent(files) ?? Self.part(files)
          ?? Self.hub(files) ?? Self.comfy(files) ?? Self.packed(files) ?? Self.singles(files)
      }
    guard let found else { return nil }
    self = found
  }

  /// Whether a folder has what only a model's has, whole or not.
  static func isModel(_ files: FolderListing) -> Bool {
    if files.contains("high_noise_model") && files.contains("low_noise_model") { return true }
    return files.contains("config.json")
      && files.names.contains { $0.hasPrefix("models_t5") || $0.hasPrefix("Wan2.") && $0.contains("_VAE") }
  }
}

// MARK: - Layouts of other programs

extension FolderForm {
  private static func adapter(_ files: FolderListing) -> FolderForm? {
    guard files.contains("adapter_config.json") || files.contains("pytorch_lora_weights.safetensors") else {
      return nil
    }
    return FolderForm("a LoRA's folder, which changes a model and is none", "give the folder of the model itself")
  }

  private static func comfy(_ files: FolderListing) -> FolderForm? {
    let folders = ["diffusion_models", "unet", "text_encoders", "clip", "vae", "checkpoints", "loras"]
    guard folders.count(where: files.contains) >= 2 else { return nil }
    return FolderForm(
      "ComfyUI's folder of single files, without a transformer in it",
      "put the transformers into diffusion_models, or name their files", mayHoldSingleFiles: true)
  }

  /// A folder with checkpoints of unpublished names, and no configuration.
  private static func singles(_ files: FolderListing) -> FolderForm? {
    let names = files.visible.filter { name in
      let name = name.lowercased()
      return [".gguf", ".safetensors", ".pth", ".pt", ".ckpt", ".bin"].contains(where: name.hasSuffix)
        && !name.hasPrefix("models_t5") && !name.hasPrefix("wan2.") && !name.hasPrefix("diffusion_pytorch_model")
    }
    guard let first = names.first else { return nil }
    let problem = names.count == 1 ? CheckpointRecognition.problem(ofFile: files.path + "/" + first) : nil
    return FolderForm(
      "a folder with the single file '\(first)'" + (names.count > 1 ? " and \(names.count - 1) more" : "")
        + " and without the config.json or experts of a model",
      problem ?? "name the transformers' files, or download the folder that Wan-AI publishes", mayHoldSingleFiles: true)
  }

  private static func packed(_ files: FolderListing) -> FolderForm? {
    let visible = files.visible
    if let archive = visible.first(where: { name in
      [".zip", ".7z", ".rar", ".tar", ".tar.gz", ".tgz"].contains { name.lowercased().hasSuffix($0) }
    }), visible.count <= 2 {
      return FolderForm("a folder with the archive '\(archive)'", "unpack it and give the folder that comes out")
    }
    if let part = visible.first(where: UnfinishedDownload.isName) {
      return FolderForm(
        "an unfinished download ('\(part)')", "let the downloader finish it, or download the model again")
    }
    if files.contains("._____temp"), visible.isEmpty {
      return FolderForm("an unfinished download of ModelScope's client ('._____temp')", "run the download again")
    }
    if let cache = files.child(".cache")?.child("huggingface")?.child("download"),
      let part = cache.names.first(where: UnfinishedDownload.isName)
    {
      return FolderForm(
        "an unfinished download of the hub's client ('.cache/huggingface/download/\(part)')",
        "run the download again: it goes on where it stopped")
    }
    return nil
  }
}

// MARK: - Folders around a model, and inside it

extension FolderForm {
  /// `models--Wan-AI--Wan2.2-TI2V-5B`, or its `snapshots`.
  private static func hubCache(_ files: FolderListing) -> FolderForm? {
    if files.contains("snapshots"), files.contains("refs") || files.contains("blobs"),
      let snapshots = files.child("snapshots")
    {
      return FolderForm("the hub cache's root of a model", revision(snapshots, preferring: mainRevision(files)))
    }
    let isSnapshots = !files.visible.isEmpty && files.visible.allSatisfy(isRevision)
    return isSnapshots ? FolderForm("a folder of the hub's snapshots", revision(files, preferring: nil)) : nil
  }

  private static func revision(_ snapshots: FolderListing, preferring main: String?) -> String {
    let names = snapshots.visible
    guard let first = names.first(where: { $0 == main }) ?? names.first else {
      return "it holds no snapshot: download the model again"
    }
    return names.count == 1 || first == main
      ? "give the snapshot in it: \(snapshots.path)/\(first)"
      : "give one of its snapshots: " + names.prefix(4).map { "\(snapshots.path)/\($0)" }.joined(separator: ", ")
  }

  private static func mainRevision(_ root: FolderListing) -> String? {
    let path = root.path + "/refs/main"
    guard root.child("refs")?.contains("main") == true, let data = FileManager.default.contents(atPath: path),
      data.count <= 256
    else { return nil }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func isRevision(_ name: String) -> Bool {
    name.utf8.count == 40 && name.allSatisfy(\.isHexDigit)
  }

  /// The whole cache: `models--...` folders beside each other, or a folder that holds it as `hub`.
  private static func hub(_ files: FolderListing) -> FolderForm? {
    guard let models = files.names.contains(where: isCachedModel) ? files : files.child("hub") else { return nil }
    let names = models.names.filter(isCachedModel)
    guard !names.isEmpty else { return nil }
    let wan = names.filter { $0.lowercased().contains("wan2.2") }
    let shown = (wan.isEmpty ? names : wan).prefix(4).map { snapshot("\(models.path)/\($0)") }
    return FolderForm(
      "the hub's cache of \(names.count) model\(names.count == 1 ? "" : "s")",
      "give a snapshot in it: " + shown.joined(separator: ", "))
  }

  private static func isCachedModel(_ name: String) -> Bool { name.hasPrefix("models--") }

  /// The folder to give for a cached model, as far as it can be told.
  private static func snapshot(_ root: String) -> String {
    guard let files = try? FolderListing(root), let snapshots = files.child("snapshots") else { return root }
    let names = snapshots.visible
    return "\(snapshots.path)/\(names.first { $0 == mainRevision(files) } ?? names.first ?? "")"
  }

  /// A folder that holds the model's, or holds the folder that does.
  private static func parent(_ files: FolderListing) -> FolderForm? {
    var models = Self.models(in: files)
    if models.isEmpty {
      models = files.visible.prefix(64).compactMap(files.child).flatMap(Self.models)
    }
    guard let first = models.first else { return nil }
    return models.count == 1
      ? FolderForm("the folder around a model's", "give the model's own: \(first)")
      : FolderForm(
        "a folder of \(models.count) models", "give one of them: " + models.prefix(4).joined(separator: ", "))
  }

  private static func models(in files: FolderListing) -> [String] {
    files.visible.prefix(256).filter { name in
      files.child(name).map { isModel($0) || $0.contains("model_index.json") } == true
    }.map { "\(files.path)/\($0)" }
  }

  /// A folder inside a model's: one expert, the tokenizer.
  private static func part(_ files: FolderListing) -> FolderForm? {
    var folder = URL(fileURLWithPath: files.path).standardizedFileURL
    let name = folder.lastPathComponent
    for _ in 0..<2 where folder.path != "/" {
      folder.deleteLastPathComponent()
      if let above = try? FolderListing(folder.path), isModel(above) {
        return FolderForm("a part of a model, its folder '\(name)'", "give the model's own folder: \(folder.path)")
      }
    }
    return nil
  }
}
