import Checkpoints
import Files
import Layers
import Prompts
import Sampling
import Tensors
import Tokenization
import WanModels

/// Which files a conversion writes, and where.
struct PlannedFiles {
  /// With the layout that was chosen.
  private(set) var request: ConversionRequest
  private(set) var networks: [(name: String, network: NetworkConversion)] = []
  private(set) var texts: [(name: String, bytes: [UInt8])] = []
  private(set) var notices: [String] = []

  /// The folder, inside the hidden one, that becomes the output.
  static let root = "model"

  private var layout: StorageLayout { request.layout ?? .official }

  // MARK: One file

  /// A checkpoint of one network.
  init(file request: ConversionRequest) throws {
    self.request = request
    let opened: any WeightSource
    do throws(CheckpointError) { opened = try openCheckpoint(path: request.input) } catch {
      throw ModelError.checkpoint(error.description)
    }
    let recognition = CheckpointRecognition(opened)
    guard let found = recognition.found.first(where: \.isRead), recognition.found.count == 1 else {
      let reason = recognition.problems.first ?? "\(request.input): it holds \(recognition.title)"
      throw ModelError.checkpoint(reason + "; one network, or a model's folder, can be converted")
    }
    let kind = found.naming.network
    let source = try CheckpointRecognition.network(kind, in: opened)
    let own: StorageLayout =
      request.output.lowercased().hasSuffix(".gguf") ? .gguf : StorageLayout(found.naming.dialect)
    self.request.layout = try .chosen(request, inputHas: own)
    try checkEnding(kind)
    switch kind {
    case .transformer: try addTransformer(source)
    case .autoencoder: try add(autoencoder: Autoencoder(source), name: Paths.name(of: request.output))
    case .tinyAutoencoder: try add(tiny: NetworkPart<TinyDecoder>(source), name: Paths.name(of: request.output))
    case .textEncoder:
      let inside = TokenizerPlace.inside(request.input)
      try add(
        textEncoder: NetworkPart<UMT5Encoder>(source), tokenizer: inside.map { try TokenizerFiles($0) },
        name: Paths.name(of: request.output))
    }
    if kind != .transformer, !request.adapters.isEmpty {
      throw ConversionError("LoRAs are merged into transformers; \(request.input) is \(kind.withArticle)")
    }
  }

  private mutating func addTransformer(_ source: any WeightSource) throws {
    let configuration = ModelFiles(path: request.input).configuration(of: request.input)
    let facts = try configuration.map { try TransformerConfiguration.Facts(ConfigurationFile(path: $0)) }
    // Heads are not told by tensors, and no file here says them: names and shapes are the same for all.
    let sizes = try TransformerConfiguration(reading: source, facts: facts ?? .init(heads: 1))
    let part = try NetworkPart<WanTransformer>(source, configuration: sizes)
    let fitted = try FittedAdapters(request.adapters, for: .single(part))
    add(transformer: part, fitted[.only], name: Paths.name(of: request.output))
    notices = fitted.notices
    let names = [request.input] + request.adapters.map(\.path)
    let isPair = sizes.inputChannels != 48
    if let told = Recipe.told(by: names, hasTwoExperts: isPair),
      Recipe.told(by: [request.output], hasTwoExperts: isPair)?.recipe != told.recipe
    {
      notices.append(
        "the name '\(Paths.name(of: told.path))' tells that this is a model of \(told.recipe.name); keep that in the "
          + "new name, or give --preset \(told.recipe.name) when you use it")
    }
  }

  private func checkEnding(_ kind: NetworkKind) throws {
    let isGGUF = layout == .gguf
    if isGGUF, kind == .autoencoder || kind == .tinyAutoencoder {
      throw ConversionError(
        "\(kind.withArticle) has no place in a GGUF file; take --format bf16 and a safetensors file")
    }
    let ending = isGGUF ? ".gguf" : ".safetensors"
    guard request.output.lowercased().hasSuffix(ending) else {
      throw ConversionError(
        "\(request.output): a file of \(request.format.rawValue) in the layout \(layout.rawValue) must end in \(ending)"
      )
    }
  }

  // MARK: A folder

  /// All parts of a model.
  init(_ model: ConvertedModel, _ request: ConversionRequest) throws {
    self.request = request
    self.request.layout = try .chosen(request, inputHas: model.folder?.layout ?? .official)
    let fitted = try FittedAdapters(
      FittedAdapters.paired(request.adapters, for: model.transformers), for: model.transformers)
    notices = fitted.notices
    let places = LayoutPlaces(layout, model, request.format)
    for (expert, part) in model.transformers.all {
      add(transformer: part, fitted[expert], name: places.transformer(expert))
      if let text = places.configuration(of: part.configuration) { texts.append((places.beside(expert), text)) }
    }
    try add(autoencoder: model.autoencoder, name: places.autoencoder)
    try add(textEncoder: model.textEncoder, tokenizer: model.tokenizer, name: places.textEncoder)
    add(model.tokenizer, places)
    texts += places.others
    let length = model.transformers.configuration.textLength
    if layout == .diffusers, length != PartConfigurations.publishedTextLength {
      notices.append(
        "this model pads prompts to \(length) rows, and diffusers' program every model's to "
          + "\(PartConfigurations.publishedTextLength): its clips will differ")
    }
    if let folder = model.folder?.path { addDefaults(model, folder) }
    func inside(_ name: String) -> String { Paths.join(Self.root, name) }
    networks = networks.map { (inside($0.name), $0.network) }
    texts = texts.map { (inside($0.name), $0.bytes) }
  }

  /// The tokenizer's own files, where it does not lie in the text encoder's.
  private mutating func add(_ tokenizer: TokenizerFiles, _ places: LayoutPlaces) {
    let isSingleFiles = [.comfy, .gguf].contains(layout)
    if isSingleFiles, tokenizer.spiece != nil { return }
    texts += tokenizer.folder(forDiffusers: layout == .diffusers).map { (places.tokenizer + $0.name, $0.bytes) }
    guard isSingleFiles else { return }
    notices.append(
      "this model has no spiece.model: its tokenizer lies beside the text encoder, where other programs do not look")
  }

  /// The folder's own defaults, and what its names or its layout told and the new ones do not: recipe and boundary.
  private mutating func addDefaults(_ model: ConvertedModel, _ path: String) {
    let name = "generation_config.json"
    let folders = [path] + ["high_noise_model", "low_noise_model"].map { Paths.join(path, $0) }
    func file(_ name: String) -> [UInt8]? {
      folders.lazy.compactMap { try? openFile(path: Paths.join($0, name), expecting: .json).bytes }.first
    }
    let own = file(name)
    let words = CinematographyVocabulary.fileName
    if let bytes = file(words) { texts.append((words, bytes)) }
    var added: [String: Any] = [:]
    let files = model.transformers.all.map(\.part.source.location) + [path]
    if own == nil,
      let told = Recipe.told(by: request.adapters.map(\.path) + files, hasTwoExperts: model.family.hasTwoExperts)
    {
      added["recipe"] = told.recipe.name
      notices.append("\(name) says that this is a model of \(told.recipe.name), which its old name told")
    }
    if layout != .diffusers, let boundary = model.boundary, boundary != model.family.boundary {
      added["boundary"] = boundary
    }
    guard own != nil || !added.isEmpty else { return }
    texts.append((name, added.isEmpty ? own ?? [] : PartConfigurations.json(added, into: own)))
  }

  // MARK: Networks

  private mutating func add(transformer part: NetworkPart<WanTransformer>, _ adapters: [LoRA], name: String) {
    let values: [(key: String, value: GGUFWriter.Value)]? =
      layout == .gguf ? ggufValues("wan", name: "Wan2.2") : nil
    networks.append(
      (
        name,
        NetworkConversion(
          .transformer, part.source, part.demand, as: request.format,
          in: .init(dialect: .init(layout, .transformer), values: values), adapters: adapters)
      ))
  }

  private mutating func add(autoencoder: Autoencoder, name: String) throws {
    let format = request.format.floats == nil ? StorageFormat.bf16 : request.format
    let demand = Demand(autoencoder.encoder.demand.requests + autoencoder.decoder.demand.requests)
    networks.append(
      (
        name,
        NetworkConversion(
          .autoencoder, autoencoder.source, demand, as: format, in: .init(dialect: .init(layout, .autoencoder)))
      ))
  }

  /// A tiny autoencoder's decoder, which is all that is read of it.
  private mutating func add(tiny part: NetworkPart<TinyDecoder>, name: String) {
    let format = request.format.floats == nil ? StorageFormat.bf16 : request.format
    networks.append(
      (
        name,
        NetworkConversion(
          .tinyAutoencoder, part.source, part.demand, as: format, in: .init(dialect: .official))
      ))
  }

  /// A tiny autoencoder of random numbers, as one file.
  init(_ tiny: TinyConfiguration, seed: UInt64, _ request: ConversionRequest) throws {
    self.request = request
    self.request.layout = try .chosen(request, inputHas: .comfy)
    try checkEnding(.tinyAutoencoder)
    let demand = Demand(of: TinyDecoder.self, tiny)
    add(
      tiny: NetworkPart(RandomWeights(demand, seed: seed), tiny, demand: demand), name: Paths.name(of: request.output))
  }

  private mutating func add(
    textEncoder part: NetworkPart<UMT5Encoder>, tokenizer: TokenizerFiles?, name: String
  ) throws {
    var form = NetworkConversion.Form(dialect: .init(layout, .textEncoder))
    if layout == .gguf {
      let pieces = try tokenizer?.values(rows: part.configuration.vocabulary) ?? []
      form.values = ggufValues("t5encoder", name: "umt5") + part.configuration.ggufValues + pieces
    } else if layout == .comfy, let tensor = tokenizer?.tensor {
      form.extras = [("spiece_model", tensor)]
    }
    networks.append(
      (name, NetworkConversion(.textEncoder, part.source, part.demand, as: request.format, in: form)))
  }

  private func ggufValues(_ architecture: String, name: String) -> [(key: String, value: GGUFWriter.Value)] {
    [
      ("general.architecture", .string(architecture)), ("general.name", .string(name)),
      ("general.quantization_version", .integer(2)), ("general.file_type", .integer(request.format.ggufFileType)),
    ]
  }
}

extension StorageFormat {
  /// llama.cpp's number for a file of mostly this type.
  fileprivate var ggufFileType: UInt32 {
    switch self {
    case .fp32: 0
    case .fp16: 1
    case .bf16: 32
    case .q4_0: 2
    case .q4_1: 3
    case .q8_0: 7
    case .q5_0: 8
    case .q5_1: 9
    case .q2_k: 10
    case .q3_k: 11
    case .q4_k: 14
    case .q5_k: 16
    case .q6_k: 18
    // No GGUF file has these: ``layouts`` keeps them out.
    case .fp8, .int8: 0
    }
  }
}

extension TextEncoderConfiguration {
  /// What llama.cpp wants to know of a T5 encoder.
  fileprivate var ggufValues: [(key: String, value: GGUFWriter.Value)] {
    let values: [(key: String, value: GGUFWriter.Value)] = [
      ("context_length", .integer(512)), ("embedding_length", .integer(UInt32(dimension))),
      ("feed_forward_length", .integer(UInt32(feedForward))), ("block_count", .integer(UInt32(layers))),
      ("attention.head_count", .integer(UInt32(heads))),
      ("attention.key_length", .integer(UInt32(attention / heads))),
      ("attention.value_length", .integer(UInt32(attention / heads))),
      ("attention.layer_norm_epsilon", .number(epsilon)), ("attention.layer_norm_rms_epsilon", .number(epsilon)),
      ("attention.relative_buckets_count", .integer(UInt32(buckets))), ("decoder_start_token_id", .integer(0)),
    ]
    return values.map { ("t5encoder." + $0.key, $0.value) }
  }
}
