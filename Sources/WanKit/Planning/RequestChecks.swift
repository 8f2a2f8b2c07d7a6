import Media
import Prompts
import Sampling
import Tensors
import WanModels

// What a user can get wrong in a request, checked before anything else is done.

extension GenerationPlan {
  private static let longestPrompt = 20_000

  static func checked(_ text: String, _ field: RequestField) throws(RequestError) -> String {
    let length = text.unicodeScalars.count
    guard length <= longestPrompt else {
      throw .field(field, "\(length) characters; at most \(longestPrompt) are taken, and models read 512 tokens")
    }
    guard !text.unicodeScalars.contains("\u{FFFD}") else {
      throw .field(field, "holds bytes that are not UTF-8; save or type the text as UTF-8")
    }
    return text
  }

  /// The prompt with the words that were chosen; `nil` where none were.
  static func directed(
    _ prompt: String, _ request: GenerationRequest, by vocabulary: CinematographyVocabulary
  ) throws(RequestError) -> DirectedPrompt? {
    guard !request.cinematography.isEmpty else { return nil }
    do {
      return try DirectedPrompt(prompt, request.cinematography, in: vocabulary)
    } catch {
      throw .field(.cinematography, error.description)
    }
  }

  /// The pictures that a clip begins and ends with, where the model takes them so.
  static func checkedPictures(
    _ request: GenerationRequest, family: ModelFamily
  ) throws(RequestError) -> KnownPictures? {
    let leading = request.leadingFrames
    guard request.image == nil || leading.isEmpty else {
      throw .field(.leadingFrames, "the clip begins with them, so that no image can begin it; give one of both")
    }
    let fields: [(RequestField, Bool)] = [
      (.image, request.image != nil), (.lastImage, request.lastImage != nil), (.leadingFrames, !leading.isEmpty),
    ]
    let given = fields.first { $0.1 }?.0
    switch (family.conditioning, given) {
    case (.none, .some(let field)):
      throw .field(field, "\(family.name) makes clips from text alone; use an i2v or ti2v model")
    case (.channels, .none) where request.video.isEmpty:
      throw .field(.image, "\(family.name) needs an image to start from")
    default: break
    }
    if let odd = leading.first(where: { ($0.width, $0.height) != (leading[0].width, leading[0].height) }) {
      throw .field(
        .leadingFrames,
        "they are of different sizes: \(leading[0].width)x\(leading[0].height), \(odd.width)x\(odd.height)")
    }
    return KnownPictures(leading: leading.isEmpty ? request.image.map { [$0] } ?? [] : leading, last: request.lastImage)
  }

  /// The frames of a video that are taken: as many as are asked for, else as many as it has, up to the model's default.
  static func checkedVideo(
    _ request: GenerationRequest, defaults: GenerationDefaults, stride: Int
  ) throws(RequestError) -> [RGBImage] {
    let video = request.video
    guard let first = video.first else {
      guard request.strength == nil else { throw .field(.strength, "is that of a video, and there is none") }
      return []
    }
    guard request.strength != nil else {
      throw .field(
        .strength, "a video needs it: the noise level to begin at, such as 0.6; more leaves less of the video")
    }
    guard request.leadingFrames.isEmpty else {
      throw .field(.video, "a clip cannot both be made of one and go on from another; give one of both")
    }
    if let odd = video.first(where: { ($0.width, $0.height) != (first.width, first.height) }) {
      throw .field(
        .video, "its frames are of different sizes: \(first.width)x\(first.height), \(odd.width)x\(odd.height)")
    }
    if let frames = request.frames {
      guard frames <= video.count else {
        throw .field(.video, "it has \(video.count) frames at the clip's rate, and \(frames) are asked for")
      }
      return Array(video.prefix(max(frames, 1)))
    }
    return Array(video.prefix((min(video.count, defaults.frames) - 1) / stride * stride + 1))
  }

  /// Known pictures must leave frames to be made.
  static func check(_ pictures: KnownPictures?, frames: Int, stride: Int) throws(RequestError) {
    guard let pictures else { return }
    let leading = pictures.leading.count
    guard leading == 0 || (leading - 1) % stride == 0 else {
      throw .field(.leadingFrames, "\(leading) of them are not \(stride) n + 1")
    }
    guard leading <= 1 || leading < frames else {
      throw .field(.leadingFrames, "\(leading) of them leave nothing of \(frames) frames to be made")
    }
    let fewest = leading == 0 ? 1 + stride : leading + 2 * stride
    guard pictures.last == nil || frames >= fewest else {
      throw .field(.lastImage, "\(frames) frames leave none to be made; ask for at least \(fewest)")
    }
  }

  static func checkedGuidance(
    _ guidance: GuidanceScales?, family: ModelFamily
  ) throws(RequestError) -> GuidanceScales? {
    guard let guidance, !family.hasTwoExperts, guidance.low.isFinite, guidance.high.isFinite,
      guidance.low != guidance.high
    else {
      return guidance
    }
    throw .field(
      .guidance, "\(guidance.low),\(guidance.high) is for two experts, and \(family.name) is one transformer: give one"
    )
  }

  /// `nil` where all steps are guided alike.
  static func checkedGuidedSteps(
    _ range: ClosedRange<Int>?, steps: Int, isGuided: Bool
  ) throws(RequestError) -> ClosedRange<Int>? {
    guard let range else { return nil }
    guard range.lowerBound >= 1, range.upperBound <= steps else {
      throw .field(.guidedSteps, "steps \(range.lowerBound) to \(range.upperBound) are not all of 1 to \(steps)")
    }
    guard isGuided else { throw .field(.guidedSteps, "no step is guided where guidance is 1") }
    return range == 1...steps ? nil : range
  }

  static func checkedFrames(_ frames: Int, stride: Int) throws(RequestError) -> Int {
    let longest = stride * (largestGrid - 1) + 1
    guard frames >= 1, frames <= longest else {
      throw .field(.frames, "\(frames) is not from 1 to \(longest)")
    }
    let (below, rest) = ((frames - 1) / stride * stride + 1, (frames - 1) % stride)
    guard rest == 0 else {
      throw .field(.frames, "\(frames) is not \(stride) n + 1; the nearest are \(below) and \(below + stride)")
    }
    return frames
  }

  /// Positions that the published rotary table knows along each axis.
  private static let largestGrid = 1024

  /// - Parameter picture: the size of the picture whose shape the clip takes.
  static func size(
    _ request: GenerationRequest, picture: FrameSize?, model: ModelFolder
  ) throws(RequestError) -> (Int, Int) {
    // diffusers stretches the picture to the size that is asked for.
    let picture = request.profile == .diffusers ? nil : picture
    let multiple = model.sizeMultiple
    let largest = multiple * largestGrid
    if let picture, let area = request.area {
      guard (1...largest * largest).contains(area) else {
        throw .field(.area, "\(area) is not from 1 to \(largest * largest) pixels")
      }
      return try pictureSize(picture, area: area, model: model)
    }
    let size = request.size ?? FrameSize(width: model.defaults.width, height: model.defaults.height)
    guard (1...largest).contains(size.width), (1...largest).contains(size.height) else {
      throw .field(.size, "\(size.width)x\(size.height) is not between 1x1 and \(largest)x\(largest)")
    }
    if let picture { return try pictureSize(picture, area: size.width * size.height, model: model) }
    guard size.width % multiple == 0, size.height % multiple == 0 else {
      let nearest = [size.width, size.height].map { max(multiple, ($0 + multiple / 2) / multiple * multiple) }
      throw .field(
        .size,
        "\(size.width)x\(size.height) is not a multiple of \(multiple); the nearest is \(nearest[0])x\(nearest[1])")
    }
    return (size.width, size.height)
  }

  static func pictureSize(_ picture: FrameSize, area: Int, model: ModelFolder) throws(RequestError) -> (Int, Int) {
    do {
      let multiple = model.sizeMultiple
      let size = try ImagePlacement.size(
        of: picture, as: model.family.conditioning, maximumArea: area, multiple: multiple)
      if max(size.width, size.height) <= multiple * largestGrid { return (size.width, size.height) }
    } catch {
      throw .field(.size, error.description)
    }
    throw .field(
      .size,
      "an image of \(picture) does not fit an area of \(area) pixels; ask for a smaller size")
  }

  /// By the memory that there is: tiles change no bit of a clip.
  static func tiling(
    _ request: GenerationRequest, _ latents: Shape, _ decoder: LatentDecoder, _ traits: BackendTraits,
    within limit: MachineMemory.Limit?
  ) throws(RequestError) -> VAETiling {
    guard case .vae(let autoencoder) = decoder else {
      guard request.decodingTiling ?? .whole == .whole else {
        throw .field(.decodingTiles, "a tiny autoencoder decodes whole frames; leave the tiles to the plan")
      }
      return .whole
    }
    guard let tiling = request.decodingTiling else {
      return VAETiling.chosen(
        for: autoencoder.configuration, latents: latents, precision: request.precision, on: traits,
        budget: VAETiling.budget(request.precision, within: limit))
    }
    guard tiling.rows <= latents[2], tiling.columns <= latents[3] else {
      throw .field(
        .decodingTiles, "\(tiling) tiles do not fit; this size is cut into at most \(latents[2])x\(latents[3])")
    }
    return tiling
  }
}
