import Checkpoints
import Files
import Sampling
import Tensors
import WanModels

/// What a single file of a network needs beside it to make clips.
struct Needs {
  /// In words, for people: "the low-noise expert", "an autoencoder (Wan2.1_VAE)".
  private(set) var missing: [String] = []
  /// The options that would name what is missing.
  private(set) var options: [String] = []

  /// - Parameter searched: folders in which parts may lie; the file's own is looked at first.
  init(_ checkpoint: any WeightSource, searched: [String]) {
    let recognition = CheckpointRecognition(checkpoint)
    guard recognition.problems.isEmpty, let network = recognition.network else { return }
    let path = checkpoint.location
    switch network {
    case .autoencoder, .tinyAutoencoder: break
    case .textEncoder:
      var files = ModelFiles(path: path)
      files.textEncoder = .init(path, .named)
      addTokenizer(files, searched)
    case .transformer:
      guard let source = try? CheckpointRecognition.network(.transformer, in: checkpoint),
        let sizes = try? TransformerConfiguration(reading: source, facts: .init(heads: 1))
      else { return }
      addParts(path, sizes, searched)
    }
  }

  private mutating func addParts(_ path: String, _ sizes: TransformerConfiguration, _ searched: [String]) {
    let family: ModelFamily =
      sizes.inputChannels == 48 ? .ti2v5B : sizes.inputChannels > sizes.outputChannels ? .i2vA14B : .t2vA14B
    if family.hasTwoExperts, (try? ContentSearch.files(ofTransformer: path, model: path))?.lowNoise == nil {
      let own = ExpertName.expert(of: path) ?? ExpertName.expert(of: Paths.folder(of: path))
      let other: Expert = own == .low ? .high : .low
      add(
        own == nil ? "the other expert" : "the \(other.rawValue)-noise expert",
        other == .low ? "--low-noise" : "--high-noise")
    }
    var files = ModelFiles(path: path)
    files.transformer = .init(path, .named)
    files.beside = [Paths.folder(of: Paths.folder(of: path))]
    try? files.complete(for: sizes, in: searched)
    if files.autoencoder == nil { add("an autoencoder (\(family.autoencoderNames[0]))", "--vae") }
    if files.textEncoder == nil { add("a text encoder (UMT5-XXL)", "--text-encoder") }
    if files.tokenizer == nil { addTokenizer(files, searched) }
  }

  private mutating func addTokenizer(_ files: ModelFiles, _ searched: [String]) {
    let encoder = files.textEncoder?.path
    if let encoder, TokenizerPlace.inside(encoder) != nil { return }
    let folders = [encoder.map(Paths.folder), Paths.folder(of: files.path)].compactMap { $0 } + searched
    if folders.contains(where: { TokenizerPlace.find(in: $0) != nil }) { return }
    add("a tokenizer (tokenizer.json or spiece.model)", "--tokenizer")
  }

  private mutating func add(_ part: String, _ option: String) {
    missing.append(part)
    options.append(option)
  }
}

/// The command that a file is for.
enum Usage {
  static func command(for source: any WeightSource, _ needs: Needs) -> String? {
    let recognition = CheckpointRecognition(source)
    if recognition.title == CheckpointRecognition.adapterTitle { return (try? InspectedAdapter(source))?.usage }
    guard recognition.problems.isEmpty, let network = recognition.network else { return nil }
    let path = source.location
    switch network {
    case .autoencoder, .tinyAutoencoder: return "wan generate --vae \(path) ..."
    case .textEncoder:
      return "wan generate --text-encoder \(path)" + needs.options.map { " \($0) FILE" }.joined() + " ..."
    case .transformer: break
    }
    let rest = needs.options.filter { !["--high-noise", "--low-noise"].contains($0) }.map { " \($0) FILE" }.joined()
    guard let expert = ExpertName.expert(of: path), needs.options.contains(where: { $0.hasSuffix("-noise") }) else {
      return "wan generate --model \(path)\(rest) ..."
    }
    return expert == .high
      ? "wan generate --high-noise \(path) --low-noise FILE\(rest) ..."
      : "wan generate --high-noise FILE --low-noise \(path)\(rest) ..."
  }
}
