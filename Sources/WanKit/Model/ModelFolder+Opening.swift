import Checkpoints
import Layers
import Sampling
import Tensors
import WanModels

// Finding each part of a model's folder and checking it; every error names the file.

extension ModelFolder {
  /// One folder for a single transformer; of experts the one for noisy steps first.
  private static func transformerFolders(_ files: FolderListing) throws(ModelError) -> [String] {
    let (high, low) = ("high_noise_model", "low_noise_model")
    if files.contains(high) && files.contains(low) {
      return [files.path + "/" + high, files.path + "/" + low]
    }
    if files.contains(high) || files.contains(low) {
      let absent = files.contains(high) ? low : high
      throw files.missing(absent + "/", asAnyOf: [absent], advice: "an A14B model needs both experts")
    }
    if let form = FolderForm(files) {
      throw .otherFolder(files.path, what: form.what, advice: form.advice)
    }
    guard files.contains("config.json") else { throw notAModel(files) }
    return [files.path]
  }

  /// The error of a folder without config.json and experts: something stands in their place, or nothing is like a model.
  private static func notAModel(_ files: FolderListing) -> ModelError {
    let general = ModelError.notAModel(folder: files.path, found: files.found)
    let missing = files.missing("config.json", asAnyOf: ["config.json", "high_noise_model"], advice: "")
    if case .missingFile(_, _, let advice) = missing, !advice.isEmpty {
      return .missingFile(folder: files.path, wanted: "config.json (or high_noise_model/)", advice: advice)
    }
    return general
  }

  /// The transformers of a folder, the family that they are of, and the folders that they lie in.
  static func transformers(
    _ files: FolderListing
  ) throws(ModelError) -> (transformers: Transformers, family: ModelFamily, folders: [String]) {
    let folders = try transformerFolders(files)
    var parts: [NetworkPart<WanTransformer>] = []
    var modelType: String?
    for folder in folders {
      let opened = try transformer(folder)
      modelType = opened.modelType ?? modelType
      parts.append(opened.part)
    }
    let transformers: Transformers =
      parts.count == 2 ? .experts(high: parts[0], low: parts[1]) : .single(parts[0])
    return (transformers, try family(modelType: modelType, transformers, folder: files.path), folders)
  }

  private static func transformer(
    _ folder: String
  ) throws(ModelError) -> (part: NetworkPart<WanTransformer>, modelType: String?) {
    let listing = try FolderListing(folder)
    guard listing.contains("config.json") else {
      throw listing.missing("config.json", asAnyOf: ["config.json"], advice: "copy it from the published checkpoint")
    }
    let file = try ConfigurationFile(path: folder + "/config.json")
    let modelType = try file.string("model_type")
    let source = try open(folder, as: .transformer)
    let facts = try TransformerConfiguration.Facts(file)
    let part = try checking { () throws(WeightError) in
      try NetworkPart<WanTransformer>(
        source, configuration: try TransformerConfiguration(reading: source, facts: facts))
    }
    return (part, modelType)
  }

  private static func family(
    modelType: String?, _ transformers: Transformers, folder: String
  ) throws(ModelError) -> ModelFamily {
    guard let modelType, let family = ModelFamily.all.first(where: { $0.modelType == modelType }) else {
      let known = ModelFamily.all.map(\.modelType).joined(separator: ", ")
      throw .inconsistent(
        folder: folder, reason: "config.json says model_type '\(modelType?.prefix(40) ?? "")', known are \(known)")
    }
    let count = transformers.all.count
    guard family.hasTwoExperts == (count == 2) else {
      throw .inconsistent(
        folder: folder,
        reason: "model_type '\(modelType)' has \(family.hasTwoExperts ? "two experts" : "one transformer"), "
          + "the folder has \(count)")
    }
    return family
  }

  static func autoencoder(_ files: FolderListing, family: ModelFamily) throws(ModelError) -> Autoencoder {
    let path = try files.checkpoint(named: family.autoencoderNames, what: "the autoencoder")
    let source = try open(path, as: .autoencoder)
    return try checking { () throws(WeightError) in try Autoencoder(source) }
  }

  static func textEncoder(_ files: FolderListing) throws(ModelError) -> NetworkPart<UMT5Encoder> {
    let names = ["models_t5_umt5-xxl-enc-bf16", "models_t5_umt5-xxl-enc"]
    let source = try open(try files.checkpoint(named: names, what: "the text encoder"), as: .textEncoder)
    return try checking { () throws(WeightError) in try NetworkPart<UMT5Encoder>(source) }
  }

  static func tokenizer(_ files: FolderListing) throws(ModelError) -> String {
    let wanted = "google/umt5-xxl/tokenizer.json (or spiece.model)"
    let advice = "copy the tokenizer folder of the published checkpoint"
    guard files.contains("google") else { throw files.missing(wanted, asAnyOf: ["google"], advice: advice) }
    let google = try FolderListing(files.path + "/google")
    guard google.contains("umt5-xxl") else { throw google.missing(wanted, asAnyOf: ["umt5-xxl"], advice: advice) }
    let found = try FolderListing(files.path + "/google/umt5-xxl")
    let names = ["tokenizer.json", "spiece.model"]
    guard let name = names.first(where: found.contains) else {
      throw found.missing(wanted, asAnyOf: names, advice: advice)
    }
    do {
      _ = try openFile(path: found.path + "/" + name, expecting: name == names[0] ? .json : .sentencePiece)
    } catch {
      throw .checkpoint(error.description)
    }
    return found.path
  }

  static func defaults(family: ModelFamily, folders: [String]) throws(ModelError) -> GenerationDefaults {
    for folder in folders where try FolderListing(folder).contains("generation_config.json") {
      return try family.defaults.overridden(by: ConfigurationFile(path: folder + "/generation_config.json"))
    }
    return family.defaults
  }

  private static func open(_ path: String, as network: NetworkKind) throws(ModelError) -> any WeightSource {
    let source: any WeightSource
    do {
      source = try openCheckpoint(path: path)
    } catch {
      throw .checkpoint(error.description)
    }
    try CheckpointRecognition.check(source, is: network)
    return source
  }

  private static func checking<R>(_ body: () throws(WeightError) -> R) throws(ModelError) -> R {
    do {
      return try body()
    } catch {
      throw .checkpoint(error.description)
    }
  }
}
