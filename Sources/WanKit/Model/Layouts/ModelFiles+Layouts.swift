import Files
import Foundation
import Sampling
import WanModels

// From what a user names to the place of each part.

extension ModelFiles {
  /// The parts that a path and a request name.
  init(path: String?, parts: PartPaths) throws(ModelError) {
    guard let path else {
      self.init(path: parts.transformer ?? parts.highNoise ?? parts.lowNoise ?? "")
      try replace(with: parts)
      try refuseLoneExpert()
      return
    }
    self =
      Self.isFile(path)
      ? try Self.files(ofFile: path, parts: parts) : try Self.files(of: try FolderListing(path), parts: parts)
    try replace(with: parts)
    try refuseLoneExpert()
  }

  private static func isFile(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path) && !FolderListing.isFolder(path)
  }

  private static func files(ofFile path: String, parts: PartPaths) throws(ModelError) -> ModelFiles {
    guard CheckpointRecognition.isTransformer(path) else {
      throw .fileForFolder(path, reason: CheckpointRecognition.ofFile(path))
    }
    if parts.highNoise == nil, parts.lowNoise == nil {
      return try ContentSearch.files(ofTransformer: path, model: path)
    }
    // The model's file is one expert, the request names the other.
    guard (parts.highNoise == nil) != (parts.lowNoise == nil) else {
      throw .inconsistent(
        folder: path, reason: "a model's file and both experts are named; name both experts, or one file")
    }
    var files = ModelFiles(path: path)
    let isHigh = parts.highNoise == nil
    let place = try files.expert(path, isHigh ? .high : .low, replacing: nil)
    (files.highNoise, files.lowNoise) = isHigh ? (place, nil) : (nil, place)
    return files
  }

  private static func files(of listing: FolderListing, parts: PartPaths) throws(ModelError) -> ModelFiles {
    if DiffusersLayout.isOne(listing) { return try DiffusersLayout.files(listing) }
    if OfficialLayout.isOne(listing) { return try OfficialLayout.files(listing, replaced: parts) }
    let form = FolderForm(listing)
    // Files under Wan-AI's names, and no configuration beside them: what is missing is said, and nothing is guessed.
    if form == nil,
      listing.names.contains(where: { $0.hasPrefix("diffusion_pytorch_model") || $0.hasPrefix("models_t5") })
    {
      throw notAModel(listing)
    }
    if form == nil || form?.mayHoldSingleFiles == true {
      if parts.namesTransformer {
        var files = ModelFiles(path: listing.path)
        files.beside = [listing.path]
        return files
      }
      if let files = try ContentSearch.files(of: listing) { return files }
    }
    if let form { throw .otherFolder(listing.path, what: form.what, advice: form.advice) }
    throw notAModel(listing)
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

  private func refuseLoneExpert() throws(ModelError) {
    guard (highNoise == nil) != (lowNoise == nil), let place = highNoise ?? lowNoise else { return }
    let absent: Expert = highNoise == nil ? .high : .low
    throw .inconsistent(
      folder: place.path,
      reason: "only one expert of a pair is there; name the \(absent.rawValue)-noise expert too")
  }

  /// The other parts of the official layout, where they are there and not replaced.
  mutating func completeLayout(_ family: ModelFamily) throws(ModelError) {
    guard let official else { return }
    if autoencoder == nil, !decodesTiny {
      autoencoder = try Self.place { () throws(ModelError) in try OfficialLayout.autoencoder(official, family) }
    }
    if textEncoder == nil {
      textEncoder = try Self.place { () throws(ModelError) in try OfficialLayout.textEncoder(official) }
    }
    if tokenizer == nil {
      tokenizer = try Self.place { () throws(ModelError) in try OfficialLayout.tokenizer(official) }
    }
  }

  /// `nil` for what is missing, and may lie elsewhere; what is there and damaged is an error.
  private static func place(_ find: () throws(ModelError) -> String) throws(ModelError) -> Place? {
    do {
      return Place(try find(), .layout)
    } catch {
      if case .missingFile = error { return nil }
      throw error
    }
  }

  /// What did not lie where the layout has it, for the plan.
  var found: [ModelFolder.FoundPart] {
    let all: [(String, Place?)] = [
      ("transformer", transformer), ("high-noise expert", highNoise), ("low-noise expert", lowNoise),
      ("autoencoder", autoencoder), ("tiny autoencoder", tinyAutoencoder), ("text encoder", textEncoder),
      ("tokenizer", tokenizer),
    ]
    return all.compactMap { part, place in
      guard let place, place.reason != .layout else { return nil }
      return ModelFolder.FoundPart(part: part, path: place.path, isNamed: place.reason == .named)
    }
  }

  // MARK: What is missing

  private static let advice =
    "name its file, or the folders that hold your models (the environment's WAN_MODELS for the command)"

  var noTransformer: ModelError {
    .missingFile(folder: path.isEmpty ? "." : path, wanted: "the transformer", advice: "name its file")
  }

  func noAutoencoder(_ family: ModelFamily) -> ModelError {
    if let official { return Self.error { () throws(ModelError) in try OfficialLayout.autoencoder(official, family) } }
    return .missingFile(
      folder: path, wanted: "an autoencoder of \(family.name) (\(family.autoencoderNames[0]))", advice: Self.advice)
  }

  /// - Parameter transformer: of the model, whose latents it must take.
  func noTinyAutoencoder(for transformer: TransformerConfiguration) -> ModelError {
    let channels = transformer.outputChannels
    guard let name = TinyConfiguration.published(channels)?.name else {
      return .inconsistent(folder: path, reason: "there is no tiny autoencoder for its \(channels) latent channels")
    }
    return .missingFile(
      folder: path, wanted: "a tiny autoencoder for its \(channels) latent channels (\(name).safetensors or .pth)",
      advice:
        "download it from \(TinyConfiguration.publishedAt) and put it beside the model's files or into a folder of "
        + "your models (the environment's WAN_MODELS for the command), or name its file"
        + (transformer.isOfPublishedWidth ? "" : "; it fits where the model's own VAE is the published one"))
  }

  /// The VAE that a picture needs where a tiny autoencoder decodes.
  func noImageEncoder(_ family: ModelFamily) -> ModelError {
    .missingFile(
      folder: path, wanted: "an autoencoder of \(family.name) (\(family.autoencoderNames[0]))",
      advice:
        "a tiny autoencoder decodes, and pictures are encoded by the whole one: put it beside the model's files or "
        + "into a folder of your models (the environment's WAN_MODELS for the command)")
  }

  var noTextEncoder: ModelError {
    if let official { return Self.error { () throws(ModelError) in try OfficialLayout.textEncoder(official) } }
    return .missingFile(folder: path, wanted: "a text encoder (UMT5-XXL)", advice: Self.advice)
  }

  var noTokenizer: ModelError {
    if let official { return Self.error { () throws(ModelError) in try OfficialLayout.tokenizer(official) } }
    return .missingFile(
      folder: textEncoder?.path ?? path, wanted: "the tokenizer (tokenizer.json or spiece.model)",
      advice: "name its file or folder: this text encoder's file holds none")
  }

  private static func error(_ body: () throws(ModelError) -> String) -> ModelError {
    do { return .missingFile(folder: try body(), wanted: "a part", advice: "open the model again") } catch {
      return error
    }
  }
}
