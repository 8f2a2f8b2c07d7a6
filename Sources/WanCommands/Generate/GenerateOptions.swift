import ArgumentParser
import Sampling
import Tensors
import WanKit

/// What the clip should be.
struct GenerateOptions: ParsableArguments {
  @Option(name: .shortAndLong, parsing: .unconditional, help: "What to show, in words.")
  var prompt: String?

  @Option(parsing: .unconditional, help: "What not to show; the model's published negative prompt unless given.")
  var negativePrompt: String = ""

  @Flag(help: "No negative prompt, not even the published one: guidance is then away from the empty text.")
  var noNegativePrompt = false

  @Option(
    name: .shortAndLong,
    help: """
      A picture to start from: PNG, JPEG, HEIC, WebP and others (i2v and ti2v models); - reads it from standard input.
      """, completion: .file(), transform: PathArgument.path)
  var image: String?

  @Option(
    help: "A picture to end with, beside --image or alone (i2v and ti2v models).", completion: .file(),
    transform: PathArgument.path)
  var lastImage: String?

  @Option(
    help: ArgumentHelp("Pixels, as 832x480; with an image an area, whose shape the image decides.", valueName: "WxH"))
  var size: SizeArgument?

  @Option(parsing: .unconditional, help: ArgumentHelp("Frames, 4n+1.", valueName: "n"))
  var frames: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Frames per second, as 24, 29.97 or 24000/1001.", valueName: "n"))
  var fps: FrameRateArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Sampling steps; HIGH+LOW splits them between the experts.", valueName: "n"))
  var steps: StepsArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What the model is told before each step, as 1000,750,500,250; warped only by a --shift that is given.",
      valueName: "t,..."))
  var timesteps: NumbersArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The noise level before each step instead of timesteps, as 1,0.9375,0.8333,0.625; a 0 at the end changes nothing.",
      valueName: "s,..."))
  var sigmas: NumbersArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Noise level from which upwards the high-noise expert runs, 0 to 1, instead of the model's own.", valueName: "x"))
  var boundary: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Flow shift: more spends more steps on the broad layout.", valueName: "x"))
  var shift: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Pull towards the prompt; LOW,HIGH for the two experts.", valueName: "g"))
  var guidance: GuidanceArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Guide the first steps alone, or FROM-TO, counted from 1; the others take half the time.", valueName: "step"))
  var guidanceUntil: StepRangeArgument?

  @Option(help: "How to walk from noise to the clip; lcm and euler-ancestral take fresh noise at each step.")
  var solver: SolverKind?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Seed of the noise, 0 to 2^64 - 1; a new one each time unless given, or where it is -1.", valueName: "n"))
  var seed: SeedArgument?

  @Option(help: "Whose noise the seed stands for: torch's on a CUDA card or on a CPU.")
  var rng: RandomGenerator = .cuda

  @Option(
    help: ArgumentHelp(
      "The card behind --rng cuda: multiprocessors x threads of each. Matters for large clips.", valueName: "MxT"))
  var rngCard: SizeArgument = SizeArgument(multiprocessors: 132, threads: 2048)

  @Option(
    name: .customLong("lora"),
    help: ArgumentHelp(
      "A LoRA, any number of times; its expert is told by the file or its name unless given.",
      valueName: "FILE[=STRENGTH][:high|low]"), completion: .file())
  var adapters: [LoRAArgument] = []

  @Option(
    help: ArgumentHelp(
      "Whose rules a seed's clip follows: wan (the published code) or diffusers (its noise is --rng cpu).",
      valueName: "program"))
  var like: Profile?

  @Option(
    help: ArgumentHelp(
      "How a distilled model is run: \(Recipe.all.map(\.name).joined(separator: ", ")), or none; told by the files' "
        + "names unless given.", valueName: "name"))
  var preset: String?

  @Option(
    help: "Keep encoded prompts in this folder and take them from there when asked for again.",
    completion: .directory, transform: PathArgument.path)
  var promptCache: String?

  @Option(
    help: ArgumentHelp(
      "Parts that frames are decoded in: auto, off, or rows x columns. More need less memory and more time; the clip "
        + "stays the same.", valueName: "RxC"))
  var vaeTiles: TilesArgument = .auto

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Skip steps that would say nearly what an earlier one said: off, balanced (about half of the steps), fast (three "
        + "of five), or the error that may add up, 0 to 10. The clip changes a little.", valueName: "name|x"))
  var cache: CacheArgument = .off

  /// The files that the request's pictures come from.
  var pictures: [String] { [image, lastImage].compactMap { $0 } }

  func validate() throws {
    guard image != "-" || lastImage != "-" else {
      throw ValidationError("--image - and --last-image - cannot both be read from standard input")
    }
    guard negativePrompt.isEmpty || !noNegativePrompt else {
      throw ValidationError("--negative-prompt and --no-negative-prompt contradict each other; give one")
    }
    guard CUDAGenerator.multiprocessorRange.contains(rngCard.width), CUDAGenerator.threadRange.contains(rngCard.height)
    else {
      throw ValidationError(
        "--rng-card \(rngCard.width)x\(rngCard.height): multiprocessors go from \(CUDAGenerator.multiprocessorRange.words), "
          + "threads from \(CUDAGenerator.threadRange.words)")
    }
  }

  /// The request that these options make, but for the picture.
  func request(precision: Precision) -> GenerationRequest {
    let noise: NoiseSource =
      rng == .cpu ? .cpu : .cuda(multiprocessors: rngCard.width, threadsPerMultiprocessor: rngCard.height)
    var request = GenerationRequest(
      prompt: prompt ?? "", negativePrompt: noNegativePrompt ? PublishedPrompts.none : negativePrompt,
      seed: seed?.value ?? UInt64.random(in: 0..<1 << 32), noise: noise, precision: precision)
    request.size = size.map { FrameSize(width: $0.width, height: $0.height) }
    request.frames = frames
    request.framesPerSecond = fps?.rate
    (request.steps, request.switchStep) = (steps?.count, steps?.high)
    request.boundary = boundary
    request.timesteps = timesteps?.values
    request.sigmas = sigmas?.valuesBeforeZero
    request.shift = shift
    (request.guidance, request.guidedSteps) = (guidance?.scales, guidanceUntil?.steps)
    request.solver = solver
    request.decodingTiling = vaeTiles.tiling
    request.caching = cache.caching
    request.preset = preset
    request.profile = like
    request.adapters = adapters.map(\.request)
    return request
  }
}

extension ClosedRange {
  fileprivate var words: String { "\(lowerBound) to \(upperBound)" }
}

extension SizeArgument {
  fileprivate init(multiprocessors: Int, threads: Int) {
    (width, height) = (multiprocessors, threads)
  }
}
