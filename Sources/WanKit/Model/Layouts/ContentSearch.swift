import Checkpoints
import Files
import Foundation
import Sampling
import Tensors
import WanModels

/// Finds parts of a model among files of any name, by what they hold; headers are read, nothing more.
struct ContentSearch {
  /// Folders in the order in which they are looked at; names of a folder's own folders are added.
  private let folders: [String]

  /// Where ComfyUI and people keep single files.
  fileprivate static let inner = [
    "diffusion_models", "unet", "checkpoints", "transformer", "vae", "VAE", "text_encoders", "clip", "text_encoder",
    "vae_approx",
  ]
  private static let endings = [".safetensors", ".gguf", ".pth", ".safetensors.index.json"]
  private static let mostFiles = 512

  /// - Parameter folders: each is looked at with its own folders of known names, and none deeper.
  init(_ folders: [String]) {
    var seen: Set<String> = []
    var all: [String] = []
    for folder in folders where !folder.isEmpty {
      for path in [folder] + Self.inner.map({ Paths.join(folder, $0) })
      where FolderListing.isFolder(path)
        && seen.insert(URL(fileURLWithPath: path).resolvingSymlinksInPath().path).inserted
      { all.append(path) }
    }
    self.folders = all
  }

  /// The one part that fits, in the first folder that has any.
  ///
  /// - Parameters:
  ///   - names: whether a file's name is one to look at; all are, unless told.
  ///   - fits: whether a network under its published names is the right one.
  /// - Throws: where several fit equally.
  func find(
    _ kind: NetworkKind, named names: (String) -> Bool = { _ in true }, fitting fits: (any WeightSource) -> Bool
  ) throws(ModelError) -> String? {
    for folder in folders {
      let paths = Self.files(in: folder, holding: kind, named: names).filter { fits($0.source) }.map(\.path)
      if paths.count > 1 {
        throw .inconsistent(
          folder: folder,
          reason:
            "\(paths.count) files fit as the \(kind.rawValue): \(paths.map(Paths.name).quoted); name the one to use")
      }
      if let path = paths.first { return path }
    }
    return nil
  }

  /// All transformers of the first folder that has any.
  func transformers() -> [String] {
    for folder in folders {
      let paths = Self.files(in: folder, holding: .transformer).map(\.path)
      if !paths.isEmpty { return paths }
    }
    return []
  }

  private static func files(
    in folder: String, holding kind: NetworkKind, named isNamed: (String) -> Bool = { _ in true }
  ) -> [(path: String, source: any WeightSource)] {
    guard let listing = try? FolderListing(folder) else { return [] }
    let names = listing.visible.filter { name in
      endings.contains(where: name.lowercased().hasSuffix) && ShardName(name) == nil && isNamed(name)
    }
    return names.sorted().prefix(mostFiles).compactMap { name in
      let path = Paths.join(folder, name)
      guard let source = try? openCheckpoint(path: path),
        CheckpointRecognition(source).found.contains(where: { $0.isRead && $0.naming.network == kind }),
        let network = try? CheckpointRecognition.network(kind, in: source)
      else { return nil }
      return (path, network)
    }
  }
}

extension ContentSearch {
  /// The transformers of a folder of single files: one, or a pair whose names say which is which.
  static func files(of listing: FolderListing) throws(ModelError) -> ModelFiles? {
    let paths = ContentSearch([listing.path]).transformers()
    guard let first = paths.first else { return nil }
    if paths.count == 1 {
      var files = try files(ofTransformer: first, model: listing.path)
      files.defaultsFolders = [listing.path]
      return files
    }
    let high = paths.filter { ExpertName.expert(of: $0) == .high }
    let low = paths.filter { ExpertName.expert(of: $0) == .low }
    guard high.count == 1, low.count == 1, paths.count == 2 else {
      throw .inconsistent(
        folder: listing.path,
        reason:
          "the folder holds \(paths.count) transformers: \(paths.map(Paths.name).quoted); name the one to use, or "
          + "both experts")
    }
    var files = ModelFiles(path: listing.path)
    let configuration = files.configuration(of: high[0])
    files.highNoise = .init(high[0], .found, configuration: configuration)
    files.lowNoise = .init(low[0], .found, configuration: configuration)
    files.defaultsFolders = [listing.path]
    return files
  }

  /// A model of one transformer's file and, where its name says that it is an expert, the other's beside it.
  static func files(ofTransformer path: String, model: String) throws(ModelError) -> ModelFiles {
    var files = ModelFiles(path: model)
    let place = ModelFiles.Place(path, .named, configuration: files.configuration(of: path))
    guard let expert = ExpertName.expert(of: path) else {
      files.transformer = place
      return files
    }
    let other = expert == .high ? Expert.low : .high
    guard let partner = ExpertName.partner(of: Paths.name(of: path)),
      FileStatus(path: Paths.join(Paths.folder(of: path), partner)) != nil
    else {
      throw .inconsistent(
        folder: path,
        reason: "this is the \(expert.rawValue)-noise expert of a pair by its name, and the other is not beside it"
          + (ExpertName.partner(of: Paths.name(of: path)).map { " ('\($0)')" } ?? "")
          + "; name the \(other.rawValue)-noise expert too")
    }
    let second = ModelFiles.Place(
      Paths.join(Paths.folder(of: path), partner), .found, configuration: place.configuration)
    (files.highNoise, files.lowNoise) = expert == .high ? (place, second) : (second, place)
    return files
  }
}

extension ModelFiles {
  /// Looks for the parts that are missing, beside the others first.
  ///
  /// - Parameters:
  ///   - transformer: of the model, which the parts must fit.
  ///   - folders: where else to look.
  mutating func complete(
    for transformer: TransformerConfiguration, in folders: [String]
  ) throws(ModelError) {
    let own = [highNoise, lowNoise, self.transformer, autoencoder, textEncoder].compactMap { $0?.path }
    let beside = self.beside + own.map(Paths.folder)
    let search = ContentSearch(beside + beside.compactMap(Self.collection) + folders)
    let channels = transformer.outputChannels
    if decodesTiny, tinyAutoencoder == nil {
      // Other models' tiny autoencoders have the same tensors, and a folder of them is no rarity: the name counts too.
      let isOfWan = { (name: String) in name.lowercased().contains("taew") }
      let folders = [official?.path].compactMap { $0 } + beside + beside.compactMap(Self.collection) + folders
      tinyAutoencoder = try ContentSearch(folders).find(.tinyAutoencoder, named: isOfWan) { source in
        (try? TinyConfiguration(reading: source))?.latentChannels == channels
      }.map { Place($0, .found) }
    }
    if autoencoder == nil, !decodesTiny {
      autoencoder = try search.find(.autoencoder) { source in
        (try? VAEConfiguration(reading: source))?.latentChannels == channels
      }.map { Place($0, .found) }
    }
    if textEncoder == nil {
      let width = transformer.textDimension
      textEncoder = try search.find(.textEncoder) { source in
        (try? UMT5Encoder.configuration(of: source))?.dimension == width
      }.map { Place($0, .found) }
    }
    if tokenizer == nil, let encoder = textEncoder?.path {
      let folders = [encoder, Paths.folder(of: encoder), Self.parent(of: Paths.folder(of: encoder))] + beside + folders
      let found = TokenizerPlace.inside(encoder) ?? folders.lazy.compactMap(TokenizerPlace.find).first
      tokenizer = found.map { Place($0, .found) }
    }
  }

  /// The folder of folders that a folder of single files lies in; `nil` for a folder of any other name.
  private static func collection(around folder: String) -> String? {
    let name = Paths.name(of: folder)
    return ContentSearch.inner.contains(name) ? parent(of: folder) : nil
  }

  private static func parent(of folder: String) -> String {
    [".", "..", ""].contains(Paths.name(of: folder)) ? Paths.join(folder, "..") : Paths.folder(of: folder)
  }
}

extension Sequence<String> {
  /// The first few, quoted.
  fileprivate var quoted: String {
    let names = Array(self)
    return names.prefix(6).map { "'\($0)'" }.joined(separator: ", ")
      + (names.count > 6 ? " and \(names.count - 6) more" : "")
  }
}
