import ArgumentParser
import Media
import WanKit
import WanModels

/// A whole clip of a distilled model, stage by stage.
struct BenchClip: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clip",
    abstract: "A whole clip of a distilled model: prompt, steps without guidance, tiny autoencoder, file.",
    discussion: """
      Tells the seconds of each stage and the least that the multiplications of text encoder and transformer take on \
      this processor, by loops of independent multiply-adds in the same run. Weights are random and their making is not \
      counted. With --layers one pass of one layer and one of that many are measured, and the whole is told from them.
      """)

  @Option(help: "ti2v-5b or t2v-a14b; the experts of the latter cost the same, so that one of them is made.")
  var model: String = "ti2v-5b"

  @Option(help: ArgumentHelp("Width x height in pixels.", valueName: "WxH"))
  var size: SizeArgument = .init(width: 832, height: 480)

  @Option(help: ArgumentHelp("Frames; 121 of ti2v-5b and 81 of t2v-a14b unless given.", valueName: "n"))
  var frames: Int?

  @Option(help: ArgumentHelp("Steps; 3 of ti2v-5b and 4 of t2v-a14b unless given.", valueName: "n"))
  var steps: Int?

  @Option(help: ArgumentHelp("Real tokens of the prompt.", valueName: "n"))
  var promptTokens: Int = 128

  @Option(help: ArgumentHelp("Layers of the transformer to run; all unless given.", valueName: "n"))
  var layers: Int?

  @OptionGroup var options: BenchOptions

  func validate() throws {
    let synthetic = try synthetic()
    let space = synthetic.autoencoder.stride.space * TransformerConfiguration.patch.height
    guard [size.width, size.height].allSatisfy({ (1...8192).contains($0) && $0 % space == 0 }) else {
      throw ValidationError("--size \(size): width and height of \(model) are multiples of \(space), up to 8192")
    }
    if let frames, !(1...1001).contains(frames) || frames % 4 != 1 {
      throw ValidationError("--frames \(frames) is not one more than a multiple of 4, up to 1001")
    }
    if let steps, !(1...1000).contains(steps) { throw ValidationError("--steps \(steps) is not from 1 to 1000") }
    guard (1...512).contains(promptTokens) else {
      throw ValidationError("--prompt-tokens \(promptTokens) is not from 1 to 512")
    }
    let deepest = synthetic.transformer.layers
    if let layers, !(2...deepest).contains(layers) {
      throw ValidationError("--layers \(layers) is not from 2 to \(deepest)")
    }
  }

  private func synthetic() throws -> SyntheticModel {
    let synthetic = try SyntheticModel(named: model)
    guard synthetic.family.conditioning != .channels else {
      throw ValidationError("--model \(model) wants a picture; give ti2v-5b or t2v-a14b")
    }
    return synthetic
  }

  func run() async throws {
    let ffmpeg = try FFmpeg.fromEnvironment()
    let synthetic = try synthetic()
    let isSmall = !synthetic.family.hasTwoExperts
    let course = ClipCourse(
      model: synthetic, backend: try options.engine.makeBackend(), precision: options.engine.precision,
      frames: frames ?? (isSmall ? 121 : 81), steps: steps ?? (isSmall ? 3 : 4), promptTokens: promptTokens, size: size,
      layers: layers)
    try ClipReport(try await course.stages(ffmpeg), of: course, name: model, options: options).show(options)
  }
}
