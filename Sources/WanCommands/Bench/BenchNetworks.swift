import ArgumentParser
import Layers
import Tensors
import WanKit
import WanModels

/// One pass of a transformer with one prompt.
struct BenchTransformer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transformer", abstract: "One pass, one prompt of 512 rows.")

  @Option(help: "ti2v-5b, t2v-a14b or i2v-a14b.")
  var model: String = "ti2v-5b"

  @Option(help: ArgumentHelp("Layers to run.", valueName: "n"))
  var layers: Int = 3

  @Flag(help: "Measure 1 and --layers layers, and tell the seconds of the model's whole depth.")
  var scale = false

  @Option(help: ArgumentHelp("Latent frames x height x width.", valueName: "TxHxW"))
  var latent: LatentArgument = LatentArgument(frames: 5, height: 16, width: 16)

  @OptionGroup var options: BenchOptions

  func validate() throws {
    let deepest = try SyntheticModel(named: model).transformer.layers
    guard (scale ? 2...deepest : 1...deepest).contains(layers) else {
      throw ValidationError("--layers \(layers) is not from \(scale ? 2 : 1) to \(deepest)")
    }
  }

  func run() async throws {
    let configuration = try SyntheticModel(named: model).transformer
    let backend = try options.engine.makeBackend()
    let network = configuration.with(layers: layers)
    var seconds = try measure(network, backend)
    if scale {
      let one = try measure(configuration.with(layers: 1), backend)
      seconds = one + (seconds - one) / Double(layers - 1) * Double(configuration.layers - 1)
    }
    var report = BenchReport(part: "transformer", options: options, backend: backend)
    (report.model, report.latent, report.seconds) = (model, latent.description, seconds)
    report.tokens = latent.frames * (latent.height / 2) * (latent.width / 2)
    report.layers = scale ? configuration.layers : layers
    report.weightsGiB = BenchReport.gibibytes(RandomWeights(Demand(of: WanTransformer.self, network)).byteCount)
    try report.show(options)
  }

  private func measure(_ configuration: TransformerConfiguration, _ backend: any Backend) throws -> Double {
    let model = try RandomWeights.network(WanTransformer.self, configuration, options, backend)
    let pass = try TransformerPass(model, latent, on: backend)
    return try medianSeconds(options) { try pass.run() }
  }
}

/// All that one pass takes, with one prompt of 512 random rows.
struct TransformerPass {
  private let model: WanTransformer
  private let backend: any Backend
  private let latents: Tensor
  private let rotary: RotaryTable
  private let timesteps: TokenTimesteps
  private let context: TextContext
  /// Tokens of the latents.
  let tokens: Int

  init(_ model: WanTransformer, _ latent: LatentArgument, on backend: any Backend) throws {
    let configuration = model.configuration
    let shape: Shape = [configuration.inputChannels, latent.frames, latent.height / 2 * 2, latent.width / 2 * 2]
    let grid = TokenGrid(latents: shape)
    self.model = model
    self.backend = backend
    latents = RandomWeights.normal(shape, seed: 1)
    tokens = grid.count
    rotary = RotaryTable(headDimension: configuration.headDimension, grid: grid, on: backend)
    timesteps = TokenTimesteps(937, tokens: tokens)
    context = try model.context([
      RandomWeights.normal([configuration.textLength, configuration.textDimension], seed: 2)
    ])
  }

  func run() throws {
    for velocity in try model(latents, timesteps: timesteps, rotary: rotary, context: context) {
      _ = try backend.host(velocity)
    }
  }
}

/// Decoding and encoding one clip, or one of both.
struct BenchVAE: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "vae", abstract: "Decoding and encoding one clip.")

  @Option(help: "2.1 or 2.2.")
  var vae: String = "2.2"

  @Option(help: ArgumentHelp("Latent frames x height x width.", valueName: "TxHxW"))
  var latent: LatentArgument = LatentArgument(frames: 5, height: 16, width: 16)

  @Option(help: ArgumentHelp("Parts that frames are decoded in: auto, off, or rows x columns.", valueName: "RxC"))
  var vaeTiles: TilesArgument = .auto

  @Option(help: "decode, encode or tiny (the tiny autoencoder alone); decode and encode unless given.")
  var only: Direction?

  @Flag(help: "Decode with the tiny autoencoder of these latents too, and tell how many times faster it is.")
  var tiny = false

  @OptionGroup var options: BenchOptions

  /// Half of the measurement.
  enum Direction: String, ExpressibleByArgument, CaseIterable {
    case decode, encode, tiny
  }

  func validate() throws {
    guard vae == "2.1" || vae == "2.2" else { throw ValidationError("--vae '\(vae)' is neither 2.1 nor 2.2") }
    guard !tiny || only != .encode else {
      throw ValidationError("--tiny decodes, and --only encode does not; give one")
    }
    if let tiling = vaeTiles.tiling, tiling.rows > latent.height || tiling.columns > latent.width {
      throw ValidationError("--vae-tiles \(tiling): a latent of \(latent) has fewer rows or columns")
    }
  }

  func run() async throws {
    let configuration: VAEConfiguration = vae == "2.1" ? .wan21 : .wan22
    let backend = try options.engine.makeBackend()
    let decode = (only ?? .decode) == .decode ? try decoding(configuration, backend) : nil
    let encode = (only ?? .encode) == .encode ? try encoding(configuration, backend) : nil
    let tinyDecode = tiny || only == .tiny ? try tinyDecoding(configuration, backend) : nil
    var report = BenchReport(part: "vae", options: options, backend: backend)
    (report.vae, report.latent, report.decodeSeconds, report.encodeSeconds) = (vae, latent.description, decode, encode)
    report.tiles = decode == nil ? nil : tiling(configuration, on: backend).description
    report.tinySeconds = tinyDecode
    if let decode, let tinyDecode { report.tinyFactor = decode / tinyDecode }
    try report.show(options)
  }

  private func decoding(_ configuration: VAEConfiguration, _ backend: any Backend) throws -> Double {
    let decoder = try RandomWeights.network(VAEDecoder.self, configuration, options, backend)
    let z = RandomWeights.normal(shape(configuration), seed: 1)
    let tiling = tiling(configuration, on: backend)
    return try medianSeconds(options) {
      var decoding = decoder.decoding(z, tiling: tiling)
      while let part = try decoding.next() { _ = try backend.host(part.frames) }
    }
  }

  private func tinyDecoding(_ configuration: VAEConfiguration, _ backend: any Backend) throws -> Double {
    let sizes: TinyConfiguration = vae == "2.1" ? .wan21 : .wan22
    let decoder = try RandomWeights.network(TinyDecoder.self, sizes, options, backend)
    let z = RandomWeights.normal(shape(configuration), seed: 1)
    return try medianSeconds(options) {
      var decoding = decoder.decoding(z)
      while let part = try decoding.next() { _ = try backend.host(part.frames) }
    }
  }

  private func encoding(_ configuration: VAEConfiguration, _ backend: any Backend) throws -> Double {
    let encoder = try RandomWeights.network(VAEEncoder.self, configuration, options, backend)
    let stride = configuration.stride
    let video = RandomWeights.normal(
      [3, stride.time * (latent.frames - 1) + 1, latent.height * stride.space, latent.width * stride.space], seed: 2)
    return try medianSeconds(options) { _ = try backend.host(encoder(video)) }
  }

  private func shape(_ configuration: VAEConfiguration) -> Shape {
    [configuration.latentChannels, latent.frames, latent.height, latent.width]
  }

  private func tiling(_ configuration: VAEConfiguration, on backend: any Backend) -> VAETiling {
    vaeTiles.tiling
      ?? VAETiling.chosen(
        for: configuration, latents: shape(configuration), precision: options.engine.precision, on: backend.traits,
        budget: VAETiling.budget(options.engine.precision, within: MachineMemory().free()))
  }
}

/// The text encoder on one prompt.
struct BenchText: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "text", abstract: "UMT5-XXL on one prompt; 1 and --layers layers tell its 24.")

  @Option(help: ArgumentHelp("Layers to run.", valueName: "n"))
  var layers: Int = 3

  @Option(help: ArgumentHelp("Real tokens of the prompt.", valueName: "n"))
  var tokens: Int = 512

  @OptionGroup var options: BenchOptions

  func validate() throws {
    guard (2...24).contains(layers) else { throw ValidationError("--layers \(layers) is not from 2 to 24") }
    guard (1...512).contains(tokens) else { throw ValidationError("--tokens \(tokens) is not from 1 to 512") }
  }

  func run() async throws {
    let backend = try options.engine.makeBackend()
    let one = try measure(1, backend)
    let many = try measure(layers, backend)
    var report = BenchReport(part: "text", options: options, backend: backend)
    (report.tokens, report.layers) = (tokens, 24)
    report.seconds = one + (many - one) / Double(layers - 1) * 23
    try report.show(options)
  }

  private func measure(_ layers: Int, _ backend: any Backend) throws -> Double {
    let configuration = TextEncoderConfiguration.umt5XXL(layers: layers, vocabulary: 1024)
    let model = try RandomWeights.network(UMT5Encoder.self, configuration, options, backend)
    let ids = (0..<tokens).map { Int32($0 * 389 % 1024) }
    return try medianSeconds(options) { _ = try backend.host(model(ids)) }
  }
}

extension RandomWeights {
  /// A network of random weights, loaded as a checkpoint's is.
  static func network<N: Network>(
    _ type: N.Type, _ configuration: N.Configuration, _ options: BenchOptions, _ backend: any Backend
  ) throws -> N {
    try network(type, configuration, options.engine.precision, backend)
  }

  /// A network of random weights in a precision of its own.
  static func network<N: Network>(
    _ type: N.Type, _ configuration: N.Configuration, _ precision: Precision, _ backend: any Backend
  ) throws -> N {
    let demand = Demand(of: type, configuration)
    return try NetworkPart<N>(RandomWeights(demand), configuration, demand: demand)
      .load(on: backend, precision: precision)
  }
}
