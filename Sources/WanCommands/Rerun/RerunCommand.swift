import ArgumentParser
import Files
import Foundation
import Media
import Prompts
import Sampling
import Tensors
import WanKit

/// `wan rerun`: makes a clip again from what it tells of its making.
struct RerunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rerun",
    abstract: "Makes a clip again, from what it says in its comment.",
    discussion: """
      With the same model and the same version of wan the new clip has the same bytes. Every option of 'wan generate' may \
      follow the clip's name, and says something else than the clip:
        wan rerun clip.mp4 --output again.mp4
        wan rerun clip.mp4 --seed 8 --steps 30
      A clip does not hold the picture that it began with, nor where its model lies: --image must be given then, and --model \
      where the model is not found.
      """)

  @Argument(
    help: ArgumentHelp("The clip, or a picture of a set.", valueName: "clip"), completion: .file(),
    transform: PathArgument.path)
  var clip: String

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("Options of 'wan generate', which lists them with --help.", valueName: "options"))
  var options: [String] = []

  func validate() throws {
    // What follows the clip's name is taken as it is.
    guard !options.contains("--help"), !options.contains("-h") else { throw CleanExit.helpRequest(self) }
    guard !clip.hasPrefix("-") else { throw ValidationError("the clip's name comes first, before any options") }
  }

  func run() async throws {
    let recipe = try await recipe()
    let given = GivenOptions(options)
    try check(recipe.clip, given)
    var arguments = RecipeArguments(clip: recipe.clip, given: given).list + options
    if !given.contains(anyOf: ["model", "transformer", "high-noise", "low-noise"]),
      let model = try RerunModel(of: recipe.clip).path
    {
      arguments.append("--model=\(model)")
    }
    guard var command = try GenerateCommand.parseAsRoot(arguments) as? GenerateCommand else {
      throw CommandError("'\(options.joined(separator: " "))' are no options of 'wan generate'")
    }
    guard command.batchSource == nil else {
      throw CommandError("--prompts and a folder as --image make many clips, and a clip is made again alone")
    }
    try checkOutput(command.output.output)
    let notes: [String]
    do {
      notes = try await RerunPlan(recipe: recipe, given: given).settle(&command)
    } catch let error as RequestError {
      Console.note("Error: \(error.inOptions)")
      throw ExitCode(EX_USAGE)
    }
    if !command.output.report.quiet { for note in notes { Console.note(note) } }
    try await command.make(given.contains(anyOf: ["prompt", "extend-prompt"]) ? nil : recipe.clip.extendedPrompt)
  }

  private func recipe() async throws -> ClipRecipe {
    let path = clip
    let comment = try await interruptible { try await readComment(path: path, ffmpeg: .fromEnvironment()) }
    guard let comment else {
      throw CommandError("\(clip): tells nothing of its making; was it made with --no-metadata, or by another program?")
    }
    return try ClipRecipe(comment, of: clip)
  }

  /// Names what the clip was made of, and is not there.
  private func check(_ clip: ClipDescription, _ given: GivenOptions) throws {
    guard !clip.fromImage || given.contains(anyOf: ["image"]) else {
      throw CommandError("the clip began with a picture, which it does not hold; give it with --image")
    }
    guard clip.toImage != true || given.contains(anyOf: ["last-image"]) else {
      throw CommandError("the clip ended with a picture, which it does not hold; give it with --last-image")
    }
    guard clip.knownFrames == nil || given.contains(anyOf: ["continue"]) else {
      throw CommandError("the clip went on from another one, which it does not hold; give it with --continue")
    }
    guard clip.strength == nil || given.contains(anyOf: ["video"]) else {
      throw CommandError("the clip was made of a video, which it does not hold; give it with --video")
    }
    guard !given.contains(anyOf: ["lora"]) else { return }
    for adapter in clip.adapters ?? [] where FileStatus(path: adapter.path) == nil {
      let place = FileManager.default.currentDirectoryPath
      let hint = adapter.path.hasPrefix("/") ? "" : " (looked for from \(place))"
      throw CommandError("the clip's LoRA '\(adapter.path)' is not there\(hint); name all of its LoRAs with --lora")
    }
  }

  private func checkOutput(_ output: String?) throws {
    guard let output, let status = FileStatus(path: output), status.isSame(as: FileStatus(path: clip)) else { return }
    throw CommandError("'\(output)' is the clip that is made again, and would be replaced; name another output")
  }
}

/// What the clip's model would make of the options, beside what the clip tells.
struct RerunPlan {
  let recipe: ClipRecipe
  let given: GivenOptions

  /// Finds the area that a clip which began with a picture was asked for by, and compares the rest.
  ///
  /// - Returns: in a line each, what will be otherwise than in the clip without having been asked for.
  func settle(_ command: inout GenerateCommand) async throws -> [String] {
    var notes: [String] = []
    if let software = recipe.software, software != "swift-wan \(SoftwareVersion.current)" {
      notes.append(
        "the clip was made by \(software), this is swift-wan \(SoftwareVersion.current): the new one may differ")
    }
    // What is piped in can be read but once.
    guard !command.clip.pictures.contains("-") else { return notes }
    let (asking, model) = (command, try command.source.open())
    let extended = given.contains(anyOf: ["prompt", "extend-prompt"]) ? nil : recipe.clip.extendedPrompt
    let request = try await interruptible { try await asking.request(for: model, extended) }
    let traits = try command.engine.makeBackend().traits
    func description(_ request: GenerationRequest) throws -> ClipDescription {
      ClipDescription(try GenerationPlan(request, model: model, on: traits))
    }
    var made = try description(request)
    if request.image != nil, isItsPicture {
      for area in areas where made.size != recipe.clip.size {
        var other = request
        other.size = FrameSize(width: area.width, height: area.height)
        guard let found = try? description(other), found.size == recipe.clip.size else { continue }
        (command.clip.size, made) = (area, found)
      }
    }
    return notes + differences(made)
  }

  /// Whether the clip began with a picture, which must be the one that is given now.
  private var isItsPicture: Bool { recipe.clip.fromImage && !given.contains(anyOf: ["size", "like"]) }

  /// Areas a little larger than the clip: a size is the largest of a picture's shape within the area that was asked for.
  private var areas: [SizeArgument] {
    let size = recipe.clip.size
    return (1...64).map { SizeArgument(width: size.width, height: size.height + $0) }
  }

  /// What differs, but for what the user asked for.
  private func differences(_ made: ClipDescription) -> [String] {
    let (clip, broad) = (
      recipe.clip, Set(["preset", "like", "lora", "model", "transformer", "high-noise", "low-noise"])
    )
    func note(_ name: String, _ options: Set<String>, _ value: (ClipDescription) -> String) -> String? {
      let (now, before) = (value(made), value(clip))
      guard now != before, !given.contains(anyOf: options.union(broad)) else { return nil }
      return "the \(name) is another than the clip's: \(now), not \(before)"
    }
    return [
      note("model", ["model"]) { $0.model }, note("size", ["size", "image"]) { "\($0.size)" },
      note("number of frames", ["frames"]) { "\($0.frames)" }, note("rate", ["fps"]) { "\($0.fps)" },
      note("number of steps", ["steps", "timesteps"]) { "\($0.steps)" },
      note("shift", ["shift", "steps", "timesteps"]) { "\($0.shift)" },
      note("list of timesteps", ["shift", "steps", "timesteps"]) { "\($0.timesteps ?? [])" },
      note("expert's share", ["steps", "timesteps"]) { $0.switchStep.map { "\($0)" } ?? "by the boundary" },
      note("list of sigmas", ["shift", "steps", "timesteps", "sigmas"]) { "\($0.sigmas ?? [])" },
      note("boundary", ["boundary", "steps"]) { $0.boundary.map { "\($0)" } ?? "the model's" },
      note("range of guided steps", ["guidance-until", "guidance", "steps"]) {
        $0.guidedSteps.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "all"
      },
      note("rule for skipping steps", ["cache", "steps"]) { $0.cache?.name ?? "off" },
      note("guidance", ["guidance"]) { "\($0.guidanceLow),\($0.guidanceHigh)" },
      note("recipe", []) { $0.recipe.map { "\($0.recipe.name) (\($0.toldBy ?? "asked for"))" } ?? "none" },
      note("decoder", ["vae"]) { $0.decoder?.rawValue ?? "the VAE" },
      note("set of LoRAs", ["lora"]) { "\(($0.adapters ?? []).map(\.path))" },
    ].compactMap { $0 }
  }
}
