import ArgumentParser
import Files
import Foundation
import Media
import WanKit

/// Where the clip goes and what is told about it.
struct OutputOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: """
      The clip: .mp4 .webm .gif .png or .y4m; clip.mp4, or the next free name, unless given; - writes it to standard \
      output, see --stream. For many clips a folder, or clips/{}.webm for another kind than .mp4.
      """, completion: .file(), transform: PathArgument.path)
  var output: String?

  @Option(help: ArgumentHelp("What --output - writes: y4m, or mp4 in fragments.", valueName: "y4m|mp4"))
  var stream: StreamFormat?

  @Option(
    help: "Also write the run's tensors to this .safetensors file.", completion: .file(), transform: PathArgument.path)
  var saveTensors: String?

  @Flag(help: "Leave prompt and settings out of the clip's metadata.")
  var noMetadata = false

  @OptionGroup(title: "Output") var report: ReportOptions

  func validate() throws {
    guard output == "-" else {
      guard stream == nil else { throw ValidationError("--stream says what --output - writes; give both") }
      return
    }
    guard !report.json else { throw ValidationError("--output - and --json both take standard output; give one") }
  }

  /// What the run will write, looked at as far as that can be done before there is a plan.
  func places() throws -> OutputPlaces {
    let tensors = try tensorTarget()
    if output == "-" {
      let clip = try stdout()
      try clip.probe()
      return OutputPlaces(clip: clip, reservation: nil, tensors: tensors)
    }
    let reservation = output == nil ? try Self.reserve() : nil
    let clip = try ClipTarget(path: reservation?.path ?? output ?? "clip.mp4")
    try clip.probe()
    return OutputPlaces(clip: clip, reservation: reservation, tensors: tensors)
  }

  private func stdout() throws -> ClipTarget {
    guard !TextStream.output.isTerminal else {
      throw CommandError("--output - writes the clip's bytes, and standard output is a terminal; pipe it somewhere")
    }
    return try ClipTarget(stream: 1, as: stream == .mp4 ? .mp4 : .y4m)
  }

  /// The first of clip.mp4, clip-2.mp4, ... that is free, for this run alone.
  static func reserve() throws -> NameReservation {
    let names = ["clip.mp4"] + (2...9999).map { "clip-\($0).mp4" }
    guard let reservation = NameReservation.first(of: names) else {
      throw CommandError("clip.mp4 to clip-9999.mp4 are all taken here; name the clip with --output")
    }
    return reservation
  }

  private func tensorTarget() throws -> OutputTarget? {
    guard let saveTensors else { return nil }
    func failure(_ reason: String) -> CommandError { CommandError("--save-tensors \(saveTensors): \(reason)") }
    guard saveTensors.hasSuffix(".safetensors") else { throw failure("the name must end in .safetensors") }
    do throws(OutputError) {
      let target = try OutputTarget(saveTensors)
      try target.check()
      return target
    } catch {
      throw failure(error.description)
    }
  }
}

/// How a run is told of, and whether it is run where it does not fit.
struct ReportOptions: ParsableArguments {
  @Flag(help: "One JSON object per event on standard output.")
  var json = false

  @Flag(name: .shortAndLong, help: "Say nothing but errors.")
  var quiet = false

  @Flag(help: "Run even where the plan needs more memory than there is.")
  var force = false

  var reporter: ProgressReporter { reporter(of: nil) }

  /// What tells of one of many clips.
  func reporter(of position: ClipPosition?) -> ProgressReporter {
    ProgressReporter(style: .init(json: json, quiet: quiet), of: position)
  }
}

/// The files of a run, looked at before it.
struct OutputPlaces {
  let clip: ClipTarget
  /// Holds a name that was chosen for the clip, until it is there.
  let reservation: NameReservation?
  let tensors: OutputTarget?

  /// Looks at the clip's names, which the plan's number of frames decides, and keeps the run's files from each other and
  /// from those that it reads.
  ///
  /// - Parameter inputs: the picture and the checkpoints.
  func check(_ plan: GenerationPlan, inputs: [String]) throws {
    try clip.check(frameCount: plan.newFrames, frameRate: plan.framesPerSecond)
    let clips = clip.paths(frameCount: plan.newFrames)
    if let tensors, clips.contains(where: { isSame($0, tensors.path) }) {
      throw CommandError("--save-tensors \(tensors.given) is the clip's own file; name another")
    }
    let touched = clips + clip.removedPaths(frameCount: plan.newFrames) + (tensors.map { [$0.path] } ?? [])
    for output in touched {
      guard let input = inputs.first(where: { isSame($0, output) }) else { continue }
      throw CommandError(
        "'\(output)' is read by this run ('\(input)') and would be replaced or removed; name another output")
    }
  }

  /// Whether two paths name one file, or will when it is there.
  func isSame(_ one: String, _ other: String) -> Bool {
    func isOne(_ path: String, _ other: String) -> Bool {
      FileStatus(path: path)?.isSame(as: FileStatus(path: other)) == true
    }
    return one == other || isOne(one, other)
      || Paths.name(of: one) == Paths.name(of: other) && isOne(Paths.folder(of: one), Paths.folder(of: other))
  }
}

extension FFmpeg {
  /// The ffmpeg that the environment's PATH finds.
  static func fromEnvironment() throws(MediaError) -> FFmpeg {
    try .locate(searchPath: ProcessInfo.processInfo.environment["PATH"])
  }
}

/// A failure with nothing more to say than its text.
struct CommandError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
