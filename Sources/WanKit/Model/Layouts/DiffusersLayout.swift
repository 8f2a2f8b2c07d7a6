import Files

/// A folder as diffusers' `save_pretrained` writes it: a folder for each part, and model_index.json.
enum DiffusersLayout {
  static func isOne(_ files: FolderListing) -> Bool {
    files.contains("model_index.json") && !FolderForm.isModel(files)
      || files.contains("transformer") && (files.contains("vae") || files.contains("text_encoder"))
  }

  /// The places of all parts that are there.
  static func files(_ files: FolderListing) throws(ModelError) -> ModelFiles {
    var model = ModelFiles(path: files.path)
    let index = files.contains("model_index.json") ? try ConfigurationFile(path: files.path + "/model_index.json") : nil
    if let index, let pipeline = try index.string("_class_name"),
      !["WanPipeline", "WanImageToVideoPipeline"].contains(pipeline)
    {
      throw .otherFolder(
        files.path, what: "a model of diffusers' \(pipeline.prefix(64))",
        advice: "give a folder of WanPipeline or WanImageToVideoPipeline")
    }
    func place(_ name: String) -> ModelFiles.Place? {
      let path = files.path + "/" + name
      guard files.contains(name), FolderListing.isFolder(path) else { return nil }
      let configuration = path + "/config.json"
      return ModelFiles.Place(
        path, .layout, configuration: FileStatus(path: configuration) == nil ? nil : configuration)
    }
    if let low = place("transformer_2") {
      (model.highNoise, model.lowNoise) = (place("transformer"), low)
    } else {
      model.transformer = place("transformer")
    }
    model.autoencoder = place("vae")
    model.textEncoder = place("text_encoder")
    if let tokenizer = TokenizerPlace.find(in: files.path) { model.tokenizer = .init(tokenizer, .layout) }
    model.defaultsFolders = [files.path]
    model.settings = try settings(files, index)
    return model
  }

  private static func settings(
    _ files: FolderListing, _ index: ConfigurationFile?
  ) throws(ModelError) -> FolderSettings {
    var settings = FolderSettings()
    settings.boundary = try index?.number("boundary_ratio", in: 0...1)
    if files.child("scheduler")?.contains("scheduler_config.json") == true {
      let scheduler = try ConfigurationFile(path: files.path + "/scheduler/scheduler_config.json")
      settings.shift = try scheduler.number("flow_shift", in: 1e-3...1e3)
    }
    return settings
  }
}
