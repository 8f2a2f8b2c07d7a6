import ArgumentParser
import CPUBackend
import Checkpoints
import Files
import Foundation
import Media
import Prompts
import Sampling
import Tensors
import WanKit

/// `wan generate`: prompt in, clip out.
struct GenerateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Makes a clip from a prompt, and from a picture where the model takes one.",
    discussion: "Model kind and all defaults come from the model's files. The plan is printed before anything runs.")

  @OptionGroup(title: "The clip") var clip: GenerateOptions
  @OptionGroup(title: "Many clips") var batch: BatchOptions
  @OptionGroup(title: "Directing") var directing: DirectingOptions
  @OptionGroup(title: "The clip") var clips: SourceClipOptions
  @OptionGroup(title: "Directing") var extending: ExtensionOptions
  @OptionGroup(title: "The model") var source: ModelOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Preview") var preview: PreviewOptions
  @OptionGroup(title: "Engine") var engine: EngineOptions
  @OptionGroup(title: "Engine") var memory: MemoryOptions
  @OptionGroup(title: "Engine") var quantized: Int8CacheOptions
  @OptionGroup(title: "Saving") var saving: SavingOptions

  func validate() throws {
    guard clip.prompt != nil || batch.prompts != nil || !directing.listed.isEmpty else {
      throw ValidationError("Missing expected argument '--prompt <prompt>'")
    }
    try quantized.check(engine.precision)
    guard saving.saveRun == nil || output.output != "-" && output.saveTensors == nil else {
      throw ValidationError("--save-run cannot bring back what --output - and --save-tensors have of earlier steps")
    }
  }

  func run() async throws {
    let listed = directing.listed
    guard listed.isEmpty else { return try WordList.show(listed, of: source, asJSON: output.report.json) }
    if let source = batchSource { return try await make(source) }
    try await make()
  }

  /// Makes the clip.
  ///
  /// - Parameter extended: what a language model has made of the prompt before.
  func make(_ extended: ExtendedPrompt? = nil) async throws {
    try await ClipRun.guarded { try await generate(extended) }
  }

  private func generate(_ extended: ExtendedPrompt?) async throws {
    let (places, endpoint) = (try output.places(), try extending.endpoint())
    if let folder = saving.saveRun { try SavedRun.check(folder) }
    let previewTarget = try preview.target(output.report)
    let ffmpeg: FFmpeg? = places.clip.needsFFmpeg ? try .fromEnvironment() : nil
    let named = clip.pictures + clips.files
    if ffmpeg != nil || !named.isEmpty { try ProcessLimits.encoder.check() }
    let backend = try self.engine.makeBackend()
    let (path, parts) = try source.located()
    let model = try ModelOptions.open(path, parts)
    var request = try await request(for: model, extended)
    let limit = memory.limit(isForced: output.report.force)
    var plan = try GenerationPlan(request, model: model, on: backend.traits, memory: limit)
    let inputs = named + plan.model.checkpointFiles
    try places.check(plan, inputs: inputs)
    let previews = try PreviewRun(preview, previewTarget, of: model)
    try previews?.check(places, plan, inputs: inputs)
    if !output.report.force { try plan.checkMemory(on: backend.traits) }
    // The rest is known to be right: a language model may take its time.
    var notices: [String] = []
    if let endpoint {
      output.report.reporter.note("asking \(endpoint) to write the prompt out")
      notices += try await [extending.extend(&request, by: endpoint, in: model.vocabulary)].compactMap(\.self)
      plan = try GenerationPlan(request, model: model, on: backend.traits, memory: limit)
    }
    let record = RunRecord(
      plan, of: request, model: (path, parts),
      output: .init(
        path: places.clip.name, isChosen: places.reservation != nil, hasMetadata: !output.noMetadata),
      folder: FileManager.default.currentDirectoryPath,
      fingerprint: .init(plan, on: backend.traits, version: SoftwareVersion.current))
    let engine = Engine(
      backend: backend, promptCache: clip.promptCache.map(PromptCache.init), int8Cache: quantized.cache)
    let run = ClipRun(
      plan: plan, backend: backend, engine: engine, places: places, ffmpeg: ffmpeg, record: record,
      saved: try saving.saveRun.map { try SavedRun.create($0, record) }, keeping: saving.keeping,
      preview: previews, notices: notices)
    try await run.carryOut(from: nil, output.report.reporter)
  }

  /// What the options ask for, with the pictures and clips that they name.
  func request(for model: ModelFolder, _ extended: ExtendedPrompt? = nil) async throws -> GenerationRequest {
    var request = clip.request(precision: engine.precision)
    request.extendedPrompt = extended
    request.cinematography = directing.cinematography
    if let image = clip.image { request.image = try await picture(image, "--image") }
    if let image = clip.lastImage { request.lastImage = try await picture(image, "--last-image") }
    try await clips.read(into: &request, for: model)
    return request
  }

  private func picture(_ path: String, _ option: String) async throws -> RGBImage {
    guard path == "-" else { return try await readImage(path: path, ffmpeg: .fromEnvironment()) }
    return try await StandardInput.picture(for: option, ffmpeg: .fromEnvironment())
  }
}

extension GenerationTrace {
  /// Writes the tensors as float32 safetensors.
  func write(to path: String) throws {
    let tensors = named
    var writer = try SafetensorsWriter(
      path: path,
      entries: tensors.map { SafetensorsWriter.Entry(name: $0.name, shape: $0.tensor.shape, dtype: $0.tensor.dtype) })
    for (name, tensor) in tensors { try writer.write(tensor, as: name) }
    try writer.finish()
  }
}

extension GenerationPlan {
  /// Refuses a plan that needs more memory than there is, in the command's words.
  func checkMemory(_ machine: MachineMemory = MachineMemory(), on traits: BackendTraits) throws {
    do throws(MemoryShortage) {
      try check(machine, on: traits)
      _ = try memoryPlan(on: traits)
    } catch {
      let options = error.remedies.map(\.option) + ["--force to run all the same"]
      throw CommandError("\(error.cause); try \(options.joined(separator: ", "))")
    }
  }
}

extension RequestError {
  /// The error as a user of the command knows its parts.
  var inOptions: String {
    switch self {
    // The reason begins with the kind's option.
    case .field(.cinematography, let reason): "--\(reason)"
    case .field(let field, let reason): "--\(field.option): \(reason)"
    case .schedule(let error): "--\(error)"
    }
  }
}

extension RequestField {
  /// The option that it comes from.
  fileprivate var option: String {
    switch self {
    case .negativePrompt: "negative-prompt"
    case .noise: "rng"
    case .decodingTiles: "vae-tiles"
    case .adapters: "lora"
    case .switchStep: "steps"
    case .guidedSteps: "guidance-until"
    case .lastImage: "last-image"
    case .leadingFrames: "continue"
    case .prompt, .extendedPrompt, .cinematography, .video, .strength, .image, .size, .area, .frames, .fps, .steps,
      .boundary,
      .timesteps, .sigmas, .shift, .guidance, .solver, .seed, .precision, .preset, .like, .cache:
      rawValue
    }
  }
}

extension Error {
  /// The error with what the command offers against it, where it offers something.
  var advised: any Error {
    switch self {
    case let unfinished as UnfinishedClip:
      UnfinishedClip(reason: unfinished.reason.advised, latents: unfinished.latents)
    case let unfinished as UnfinishedRun:
      UnfinishedRun(reason: unfinished.reason.advised, folder: unfinished.folder)
    case let sampling as SamplingError:
      sampling.advice.map { CommandError("\(sampling); \($0)") } ?? sampling
    default: self
    }
  }
}

extension SamplingError {
  /// The options and commands that may help.
  fileprivate var advice: String? {
    switch self {
    case .notFinite: "try --precision f32, and check the weights with 'wan inspect'"
    case .frameNotFinite: "try --precision f32, and check the autoencoder's weights with 'wan inspect'"
    case .steps, .shift, .indistinctSigmas, .timestep, .sigma, .state, .runaway: nil
    }
  }
}

extension MemoryShortage.Remedy {
  fileprivate var option: String {
    switch self {
    case .smallerSize: "a smaller --size"
    case .fewerFrames: "fewer --frames"
    case .int8: "--precision int8"
    case .tiles: "more --vae-tiles"
    }
  }
}

/// What is piped into the command.
enum StandardInput {
  /// More bytes than any picture that the reader accepts has.
  private static let limit = 1 << 30

  /// The picture that standard input holds.
  static func picture(for option: String, ffmpeg: FFmpeg) async throws -> RGBImage {
    guard isatty(0) == 0 else {
      throw CommandError("\(option) - reads a picture from standard input, which is a terminal")
    }
    let bytes: [UInt8]
    do { bytes = try Descriptor.readToEnd(0, limit: limit, isCancelled: { Task.isCancelled }) } catch {
      try Task.checkCancellation()
      throw MediaError.cannotRead(path: "standard input", reason: "\(error)")
    }
    return try await readImage(bytes: bytes, name: "standard input", ffmpeg: ffmpeg)
  }
}
