import Files
import Sampling

/// Files that replace parts of a model, or make one without a folder.
public struct PartPaths: Sendable, Hashable, Codable {
  /// A single transformer: a file, or the folder of one.
  public var transformer: String?
  /// The experts for the first, noisy steps and for the rest.
  public var highNoise, lowNoise: String?
  /// The VAE's file or folder, or a tiny autoencoder's that decodes in its place.
  public var autoencoder: String?
  /// Whether a tiny autoencoder decodes that is looked for by its name, `taew...`, and by what it holds.
  public var prefersTinyAutoencoder = false
  /// The UMT5 encoder's file or folder.
  public var textEncoder: String?
  /// tokenizer.json, spiece.model, a folder that holds one, or a file of a text encoder with a tokenizer inside.
  public var tokenizer: String?
  /// Folders in which parts that are missing are looked for, by content.
  public var searched: [String]

  /// Nothing is replaced unless it is named.
  public init(
    transformer: String? = nil, highNoise: String? = nil, lowNoise: String? = nil, autoencoder: String? = nil,
    textEncoder: String? = nil, tokenizer: String? = nil, searched: [String] = []
  ) {
    (self.transformer, self.highNoise, self.lowNoise) = (transformer, highNoise, lowNoise)
    (self.autoencoder, self.textEncoder, self.tokenizer) = (autoencoder, textEncoder, tokenizer)
    self.searched = searched
  }

  /// Whether a transformer is named, so that no folder of a model is needed.
  public var namesTransformer: Bool { transformer != nil || highNoise != nil || lowNoise != nil }
}

/// Which file each part of a model is read from, and how it was found.
struct ModelFiles {
  /// A file or folder, and why it was taken.
  struct Place: Sendable, Hashable {
    let path: String
    let reason: Reason
    /// The configuration beside it, or of the part whose place it takes.
    var configuration: String?

    init(_ path: String, _ reason: Reason, configuration: String? = nil) {
      (self.path, self.reason, self.configuration) = (path, reason, configuration)
    }
  }

  /// Why a file was taken.
  enum Reason: String, Sendable, Hashable {
    /// The layout has it there.
    case layout
    /// The request names it.
    case named
    /// It was found by what it holds.
    case found
  }

  /// The model's folder, or what stands for it in errors.
  let path: String
  var transformer, highNoise, lowNoise: Place?
  var autoencoder, textEncoder, tokenizer: Place?
  /// What decodes in the autoencoder's place, where it does.
  var tinyAutoencoder: Place?
  /// Whether a tiny autoencoder is to decode, found or not; the autoencoder is then not looked for.
  var decodesTiny = false
  /// Where generation_config.json may lie.
  var defaultsFolders: [String] = []
  /// The official folder, whose other parts are known by their names.
  var official: FolderListing?
  /// Folders that are looked at as if a part lay in them.
  var beside: [String] = []
  /// Settings of a layout's own: diffusers' boundary and shift.
  var settings: FolderSettings?

  init(path: String) {
    self.path = path
  }

  /// The transformers in the order in which they run.
  var transformers: [(expert: Expert, place: Place)] {
    if let high = highNoise, let low = lowNoise { return [(.high, high), (.low, low)] }
    return transformer.map { [(.only, $0)] } ?? []
  }

  /// Puts the parts that a request names in the place of the folder's.
  mutating func replace(with parts: PartPaths) throws(ModelError) {
    if let path = parts.transformer {
      guard parts.highNoise == nil, parts.lowNoise == nil else {
        throw .inconsistent(
          folder: path, reason: "a single transformer and an expert are both named; a model has one or the other")
      }
      transformer = Place(path, .named, configuration: configuration(of: path) ?? transformer?.configuration)
      (highNoise, lowNoise) = (nil, nil)
    }
    if let path = parts.highNoise { highNoise = try expert(path, .high, replacing: highNoise) }
    if let path = parts.lowNoise { lowNoise = try expert(path, .low, replacing: lowNoise) }
    if highNoise != nil || lowNoise != nil { transformer = nil }
    if let path = parts.autoencoder, CheckpointRecognition.isTinyAutoencoder(path) {
      tinyAutoencoder = Place(path, .named)
    } else if let path = parts.autoencoder {
      autoencoder = Place(path, .named)
    }
    decodesTiny = tinyAutoencoder != nil || parts.prefersTinyAutoencoder
    if let path = parts.textEncoder {
      textEncoder = Place(path, .named)
      if let own = TokenizerPlace.inside(path) { tokenizer = Place(own, .named) }
    }
    if let path = parts.tokenizer { tokenizer = Place(path, .named) }
  }

  /// The place of an expert that is named; its name must not say that it is the other.
  func expert(_ path: String, _ expert: Expert, replacing old: Place?) throws(ModelError) -> Place {
    if let named = ExpertName.expert(of: path), named != expert {
      throw .inconsistent(
        folder: path,
        reason: "its name says that it is the \(named.rawValue)-noise expert, and it is named as the "
          + "\(expert.rawValue)-noise one; are the two swapped?")
    }
    let other = expert == .high ? lowNoise : highNoise
    return Place(path, .named, configuration: configuration(of: path) ?? old?.configuration ?? other?.configuration)
  }

  /// The config.json beside a transformer, of Wan-AI's or diffusers' kind.
  func configuration(of path: String) -> String? {
    let folder = FolderListing.isFolder(path) ? path : Paths.folder(of: path)
    let file = folder + "/config.json"
    guard let configuration = try? ConfigurationFile(path: file),
      (try? configuration.integer("num_heads", in: 1...4096))
        ?? (try? configuration.integer("num_attention_heads", in: 1...4096)) != nil
    else { return nil }
    return file
  }
}

/// What a layout says of sampling, over the family's defaults.
struct FolderSettings {
  /// Timestep / 1000 from which on the high-noise expert runs.
  var boundary: Double?
  /// The flow shift.
  var shift: Double?
}
