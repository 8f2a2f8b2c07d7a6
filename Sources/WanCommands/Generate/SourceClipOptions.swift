import ArgumentParser
import Media
import WanKit

/// The clips that a clip is made of, or goes on from.
struct SourceClipOptions: ParsableArguments {
  @Option(
    name: .customLong("continue"),
    help: ArgumentHelp(
      "A clip or a folder of pictures to go on from: its last frames begin this clip, which keeps its size and rate and "
        + "holds the new frames alone (i2v and ti2v models).", valueName: "file"), completion: .file(),
    transform: PathArgument.path)
  var continued: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How many of its last frames, 4n+1; more carry on the motion better. 9 unless given.", valueName: "n"))
  var overlap: Int?

  @Option(
    help: ArgumentHelp(
      "A clip or a folder of pictures to make anew, at the model's rate; with --strength.", valueName: "file"),
    completion: .file(), transform: PathArgument.path)
  var video: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The noise level that --video enters at, between 0 and 1: more leaves less of it.", valueName: "x"))
  var strength: Double?

  /// The files that are read.
  var files: [String] { [continued, video].compactMap { $0 } }

  func validate() throws {
    guard overlap == nil || continued != nil else {
      throw ValidationError("--overlap counts the frames of --continue; give both")
    }
    guard (strength == nil) == (video == nil) else {
      throw ValidationError("--video and --strength go together; a strength of 0.6 is a good start")
    }
    if let strength, !(strength > 0 && strength < 1) {
      throw ValidationError(
        "--strength \(strength) is not between 0, which would leave the video as it is, and 1, which would leave nothing "
          + "of it")
    }
    if let overlap, overlap < 1 || (overlap - 1) % 4 != 0 {
      throw ValidationError("--overlap \(overlap) is not 4n+1, such as 5, 9 or 13")
    }
  }

  /// Reads the clips into a request.
  func read(into request: inout GenerationRequest, for model: ModelFolder) async throws {
    if let continued { try await goOn(from: continued, &request, model) }
    if let video { try await take(video, &request, model) }
    request.strength = strength
  }

  /// Its last frames, and its size and rate unless others are asked for.
  func goOn(from path: String, _ request: inout GenerationRequest, _ model: ModelFolder) async throws {
    let count = overlap ?? 9
    let reader = try await ClipReader(
      path: path, ffmpeg: .fromEnvironment(), options: ClipReadingOptions(part: .last(count)))
    while let frame = try await reader.next() { request.leadingFrames.append(frame) }
    let area = reader.width * reader.height
    if request.size == nil, area <= model.defaults.width * model.defaults.height {
      request.size = FrameSize(width: reader.width, height: reader.height)
    }
    request.framesPerSecond = request.framesPerSecond ?? reader.frameRate
  }

  /// As many of its frames as a clip takes, at the rate of the clip and no larger than it is.
  func take(_ path: String, _ request: inout GenerationRequest, _ model: ModelFolder) async throws {
    let rate = request.framesPerSecond ?? model.defaults.framesPerSecond
    let limit = request.frames ?? model.defaults.frames
    let ffmpeg = try FFmpeg.fromEnvironment()
    let own = try await ClipReader(path: path, ffmpeg: ffmpeg, options: ClipReadingOptions(part: .range(0..<1)))
    // Frames of a large film would take more memory than all else.
    let size = try model.size(of: request, picture: FrameSize(width: own.width, height: own.height))
    let isStretched = model.family.conditioning == .channels || request.profile == .diffusers
    let fitting = ClipReadingOptions.Fitting(
      width: size.width, height: size.height, shape: isStretched ? .stretched : .covering)
    let reader = try await ClipReader(
      path: path, ffmpeg: ffmpeg, options: ClipReadingOptions(frameRate: rate, fitting: fitting))
    while request.video.count < limit, let frame = try await reader.next() { request.video.append(frame) }
  }
}
