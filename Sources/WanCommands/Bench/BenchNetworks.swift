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
    let backend = options.engine.makeBackend()
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
    report.weightsGiB = BenchReport.gibibytes(RandomWeights { _ = WanTransformer($0, network) }.byteCount)
    try report.show(options)
  }

  private func measure(_ configuration: TransformerConfiguration, _ backend: any Backend) throws -> Double {
    let source = RandomWeights { _ = WanTransformer($0, configuration) }
    let model = WanTransformer(
      Weights(source, backend: backend, precision: options.engine.precision), configuration)
    let pass = TransformerPass(model, latent)
    return try medianSeconds(options) { try pass.run() }
  }
}

/// All that one pass takes, with one prompt of 512 random rows.
struct TransformerPass {
  private let model: WanTransformer
  private let latents: Tensor
  private let rotary: RotaryTable
  private let timesteps: TokenTimesteps
  private let context: TextContext
  /// Tokens of the latents.
  let tokens: Int

  init(_ model: WanTransformer, _ latent: LatentArgument) {
    let configuration = model.configuration
    let shape: Shape = [configuration.inputChannels, latent.frames, latent.height / 2 * 2, latent.width / 2 * 2]
    let grid = WanTransformer.grid(of: shape)
    self.model = model
    latents = RandomWeights.normal(shape, seed: 1)
    tokens = grid.time * grid.height * grid.width
    rotary = RotaryTable(headDimension: configuration.headDimension, grid: grid)
    timesteps = TokenTimesteps(937, tokens: tokens)
    context = model.encode(
      prompts: [RandomWeights.normal([configuration.textLength, configuration.textDimension], seed: 2)])
  }

  func run() throws {
    _ = try model(latents, timesteps: timesteps, rotary: rotary, context: context)
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

  @Option(help: "decode or encode; both unless given.")
  var only: Direction?

  @OptionGroup var options: BenchOptions

  /// Half of the measurement.
  enum Direction: String, ExpressibleByArgument, CaseIterable {
    case decode, encode
  }

  func validate() throws {
    guard vae == "2.1" || vae == "2.2" else { throw ValidationError("--vae '\(vae)' is neither 2.1 nor 2.2") }
    if let tiling = vaeTiles.tiling, tiling.rows > latent.height || tiling.columns > latent.width {
      throw ValidationError("--vae-tiles \(tiling): a latent of \(latent) has fewer rows or columns")
    }
  }

  func run() async throws {
    let configuration: VAEConfiguration = vae == "2.1" ? .wan21 : .wan22
    let backend = options.engine.makeBackend()
    let source = RandomWeights { _ = WanVAE($0, configuration) }
    let half: WanVAE.Half = only == .decode ? .decoder : only == .encode ? .encoder : .both
    let model = WanVAE(
      Weights(source, backend: backend, precision: options.engine.precision), configuration, half: half)
    let decode = only == .encode ? nil : try decoding(model)
    let encode = only == .decode ? nil : try encoding(model)
    var report = BenchReport(part: "vae", options: options, backend: backend)
    (report.vae, report.latent, report.decodeSeconds, report.encodeSeconds) = (vae, latent.description, decode, encode)
    report.tiles = only == .encode ? nil : tiling(configuration).description
    try report.show(options)
  }

  private func decoding(_ model: WanVAE) throws -> Double {
    let z = RandomWeights.normal(shape(model.configuration), seed: 1)
    let tiling = tiling(model.configuration)
    return try medianSeconds(options) {
      var decoding = model.decoding(z, tiling: tiling)
      while try decoding.next() != nil {}
    }
  }

  private func encoding(_ model: WanVAE) throws -> Double {
    let stride = model.configuration.stride
    let video = RandomWeights.normal(
      [3, stride.time * (latent.frames - 1) + 1, latent.height * stride.space, latent.width * stride.space], seed: 2)
    return try medianSeconds(options) { _ = try model.encode(video) }
  }

  private func shape(_ configuration: VAEConfiguration) -> Shape {
    [configuration.latentChannels, latent.frames, latent.height, latent.width]
  }

  private func tiling(_ configuration: VAEConfiguration) -> VAETiling {
    vaeTiles.tiling
      ?? VAETiling.chosen(for: configuration, latents: shape(configuration), precision: options.engine.precision)
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
    let backend = options.engine.makeBackend()
    let one = try measure(1, backend)
    let many = try measure(layers, backend)
    var report = BenchReport(part: "text", options: options, backend: backend)
    (report.tokens, report.layers) = (tokens, 24)
    report.seconds = one + (many - one) / Double(layers - 1) * 23
    try report.show(options)
  }

  private func measure(_ layers: Int, _ backend: any Backend) throws -> Double {
    let configuration = TextEncoderConfiguration.umt5XXL(layers: layers, vocabulary: 1024)
    let source = RandomWeights { _ = UMT5Encoder($0, configuration) }
    let model = UMT5Encoder(Weights(source, backend: backend, precision: options.engine.precision), configuration)
    let ids = (0..<tokens).map { Int32($0 * 389 % 1024) }
    return try medianSeconds(options) { _ = try model(ids) }
  }
}
