import Checkpoints
import Files
import Layers
import Sampling
import Tensors
import WanModels

extension Inspection.Network {
  init(_ source: any WeightSource, role: String? = nil, file: String? = nil) {
    let kind = Inspection.Kind(source)
    self.role = role ?? (file.map { "\($0), " } ?? "") + kind.name
    description = kind.sizes
    let counts = Self.elements(of: source)
    types = counts.keys.sorted()
    let all = max(1, counts.values.reduce(0) { $0.addingSaturating($1) })
    shares = counts.mapValues { Double($0) / Double(all) }
    tensors = source.names.count
    // A type that packs several elements into a byte may claim any shape, since none of it is read.
    parameters = counts.values.reduce(0) { $0.addingSaturating($1) }
    problems = kind.problems
  }

  /// How many elements are stored in each type.
  private static func elements(of source: any WeightSource) -> [String: Int] {
    source.names.reduce(into: [:]) { counts, name in
      guard let descriptor = source.descriptor(name) else { return }
      let count = descriptor.shape.dimensions.reduce(1) { $0.multipliedSaturating(by: $1) }
      counts[descriptor.format.name] = (counts[descriptor.format.name] ?? 0).addingSaturating(count)
    }
  }
}

extension Inspection {
  /// Which network a checkpoint holds, and what is wrong with it.
  struct Kind {
    let name, sizes: String
    let problems: [String]

    init(_ source: any WeightSource) {
      let recognition = CheckpointRecognition(source)
      if let shard = recognition.shard {
        self.init(
          name: recognition.title, sizes: "shard \(shard.number) of \(shard.count)", problems: recognition.problems)
        return
      }
      if recognition.title == CheckpointRecognition.adapterTitle, let adapter = try? InspectedAdapter(source) {
        self.init(name: adapter.name, sizes: adapter.sizes, problems: adapter.problems)
        return
      }
      guard let network = recognition.network, recognition.problems.isEmpty else {
        self.init(
          name: recognition.title,
          sizes: recognition.network == nil ? "no network that is read" : "not all of it is read",
          problems: recognition.problems)
        return
      }
      do {
        let source = try CheckpointRecognition.network(network, in: source)
        self =
          switch network {
          case .transformer: try Self.transformer(source)
          case .textEncoder: try Self.textEncoder(source)
          case .autoencoder: try Self.autoencoder(source)
          case .tinyAutoencoder: try Self.tinyAutoencoder(source)
          }
      } catch {
        self.init(name: "damaged network", sizes: "sizes cannot be read", problems: ["\(error)"])
      }
    }

    private init(name: String, sizes: String, problems: [String]) {
      (self.name, self.sizes, self.problems) = (name, sizes, problems)
    }

    private static func transformer(_ source: any WeightSource) throws(WeightError) -> Kind {
      // Heads are not told by tensors; any divisor serves to check names and shapes.
      let c = try TransformerConfiguration(reading: source, facts: .init(heads: 1))
      return Kind(
        name: "transformer" + expert(c, source.location),
        sizes:
          "dim \(c.dimension), ffn \(c.feedForward), \(c.layers) layers, \(c.inputChannels) to \(c.outputChannels) channels",
        problems: problems { () throws(WeightError) in _ = try NetworkPart<WanTransformer>(source, configuration: c) })
    }

    /// The family that the channels tell, and the expert that the name does.
    private static func expert(_ c: TransformerConfiguration, _ location: String) -> String {
      guard c.inputChannels != 48 else { return ", of ti2v-5b by its channels" }
      let family = c.inputChannels > c.outputChannels ? ModelFamily.i2vA14B : .t2vA14B
      guard let expert = ExpertName.expert(of: location) ?? ExpertName.expert(of: Paths.folder(of: location)) else {
        return ", an expert of \(family.name) by its channels"
      }
      return ", the \(expert.rawValue)-noise expert of \(family.name) by channels and name"
    }

    private static func textEncoder(_ source: any WeightSource) throws(WeightError) -> Kind {
      let c = try UMT5Encoder.configuration(of: source)
      return Kind(
        name: "text encoder",
        sizes:
          "vocabulary \(c.vocabulary), dim \(c.dimension), ffn \(c.feedForward), \(c.heads) heads, \(c.layers) layers",
        problems: problems { () throws(WeightError) in _ = try NetworkPart<UMT5Encoder>(source, configuration: c) })
    }

    private static func autoencoder(_ source: any WeightSource) throws(WeightError) -> Kind {
      let c = try VAEConfiguration(reading: source)
      return Kind(
        name: "autoencoder",
        sizes: "\(c.hasShortcuts ? "Wan2.2" : "Wan2.1") type, \(c.stride.time)x\(c.stride.space)x\(c.stride.space), "
          + "z \(c.latentChannels), widths \(c.encoderWidth) and \(c.decoderWidth)",
        problems: problems { () throws(WeightError) in _ = try Autoencoder(source) })
    }

    private static func tinyAutoencoder(_ source: any WeightSource) throws(WeightError) -> Kind {
      let c = try TinyConfiguration(reading: source)
      let published = TinyConfiguration.published(c.latentChannels)
      return Kind(
        name: "tiny autoencoder" + (published.map { ", as \($0.name)" } ?? ""),
        sizes: "\(c.latents.time)x\(c.latents.space)x\(c.latents.space), z \(c.latentChannels)"
          + (published == nil ? ", of no model that is read" : "") + ", widths "
          + c.widths.map(String.init).joined(separator: ", "),
        problems: problems { () throws(WeightError) in _ = try NetworkPart<TinyDecoder>(source, configuration: c) })
    }

    /// What a check finds wrong, in lines.
    private static func problems(_ check: () throws(WeightError) -> Void) -> [String] {
      do {
        try check()
        return []
      } catch {
        return error.description.split(separator: "\n").map(String.init)
      }
    }
  }
}

extension Int {
  fileprivate func multipliedSaturating(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }

  fileprivate func addingSaturating(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

/// The checkpoints that can be found in a folder that is not a whole model.
struct InspectedParts {
  private(set) var networks: [Inspection.Network] = []
  /// Why others cannot be opened.
  private(set) var problems: [String] = []

  /// Where Wan-AI and diffusers put a checkpoint into a folder of its own.
  private static let folders = [
    "high_noise_model", "low_noise_model", "transformer", "transformer_2", "vae", "text_encoder",
  ]

  init(of path: String) {
    guard let files = try? FolderListing(path) else { return }
    if let damage = damagedCheckpoint(inFolder: path) { problems.append(damage.description) }
    let candidates = files.names.filter { name in
      !name.hasPrefix("._") && ShardName(name) == nil
        && [".safetensors", ".pth", ".index.json", ".gguf"].contains { name.lowercased().hasSuffix($0) }
    }
    for name in Self.folders.filter({ files.child($0) != nil }) + candidates.prefix(64) {
      do throws(CheckpointError) {
        networks.append(Inspection.Network(try openCheckpoint(path: path + "/" + name), file: name))
      } catch {
        problems.append(error.description)
      }
    }
  }
}
