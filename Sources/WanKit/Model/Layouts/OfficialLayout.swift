import Checkpoints
import Files

/// A folder as Wan-AI publishes it: a transformer at the root or two experts in folders of their own, and the other parts
/// beside them under their published names.
enum OfficialLayout {
  private static let (high, low) = ("high_noise_model", "low_noise_model")
  private static let textEncoders = ["models_t5_umt5-xxl-enc-bf16", "models_t5_umt5-xxl-enc"]
  private static let tokenizers = ["tokenizer.json", "spiece.model"]

  static func isOne(_ files: FolderListing) -> Bool {
    files.contains(high) || files.contains(low) || FolderForm.isModel(files)
      || files.contains("config.json") && FolderForm(files) == nil
  }

  /// The places of the transformers; those of the other parts follow when the family is known.
  static func files(_ listing: FolderListing, replaced: PartPaths) throws(ModelError) -> ModelFiles {
    var files = ModelFiles(path: listing.path)
    files.official = listing
    if listing.contains(high) || listing.contains(low) {
      let isNamed = (high: replaced.highNoise != nil, low: replaced.lowNoise != nil)
      if listing.contains(high) || !isNamed.high { files.highNoise = try expert(high, listing) }
      if listing.contains(low) || !isNamed.low { files.lowNoise = try expert(low, listing) }
      files.defaultsFolders = [listing.path] + [high, low].map { Paths.join(listing.path, $0) }
    } else if replaced.transformer == nil {
      files.transformer = try place(listing)
      files.defaultsFolders = [listing.path]
    }
    return files
  }

  private static func expert(_ name: String, _ listing: FolderListing) throws(ModelError) -> ModelFiles.Place {
    guard listing.contains(name) else {
      throw listing.missing(name + "/", asAnyOf: [name], advice: "an A14B model needs both experts")
    }
    return try place(try FolderListing(Paths.join(listing.path, name)))
  }

  private static func place(_ listing: FolderListing) throws(ModelError) -> ModelFiles.Place {
    guard listing.contains("config.json") else {
      throw listing.missing("config.json", asAnyOf: ["config.json"], advice: "copy it from the published checkpoint")
    }
    return ModelFiles.Place(listing.path, .layout, configuration: Paths.join(listing.path, "config.json"))
  }

  // MARK: The other parts

  static func autoencoder(_ listing: FolderListing, _ family: ModelFamily) throws(ModelError) -> String {
    try listing.checkpoint(named: family.autoencoderNames, what: "the autoencoder")
  }

  static func textEncoder(_ listing: FolderListing) throws(ModelError) -> String {
    try listing.checkpoint(named: textEncoders, what: "the text encoder")
  }

  static func tokenizer(_ files: FolderListing) throws(ModelError) -> String {
    let wanted = "google/umt5-xxl/tokenizer.json (or spiece.model)"
    let advice = "copy the tokenizer folder of the published checkpoint"
    guard files.contains("google") else { throw files.missing(wanted, asAnyOf: ["google"], advice: advice) }
    let google = try FolderListing(files.path + "/google")
    guard google.contains("umt5-xxl") else { throw google.missing(wanted, asAnyOf: ["umt5-xxl"], advice: advice) }
    let found = try FolderListing(files.path + "/google/umt5-xxl")
    guard let name = tokenizers.first(where: found.contains) else {
      throw found.missing(wanted, asAnyOf: tokenizers, advice: advice)
    }
    do {
      _ = try openFile(path: found.path + "/" + name, expecting: name == tokenizers[0] ? .json : .sentencePiece)
    } catch {
      throw .checkpoint(error.description)
    }
    return found.path
  }
}
