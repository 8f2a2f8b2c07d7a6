public import Media
public import Sampling
public import Tensors

/// What a user asks for; `nil` leaves a choice to the model folder's defaults.
public struct GenerationRequest: Sendable {
  public var prompt: String
  /// What the clip should not be; `nil` or empty means the model's published negative prompt.
  public var negativePrompt: String?
  /// The picture to start from, for models that take one.
  public var image: RGBImage?
  /// Pixels; with an image an area, whose shape the image decides.
  public var size: (width: Int, height: Int)?
  /// Pixels of a clip that starts from an image, instead of `size`.
  public var area: Int?
  /// 4 n + 1.
  public var frames: Int?
  public var framesPerSecond: Int?
  public var steps: Int?
  public var shift: Double?
  public var guidance: GuidanceScales?
  public var solver: SolverKind?
  public var seed: UInt64
  public var noise: NoiseSource
  public var precision: Precision

  public init(
    prompt: String, negativePrompt: String? = nil, image: RGBImage? = nil, seed: UInt64 = 0,
    noise: NoiseSource = .cuda(), precision: Precision = .bf16
  ) {
    self.prompt = prompt
    self.negativePrompt = negativePrompt
    self.image = image
    self.seed = seed
    self.noise = noise
    self.precision = precision
  }
}

/// Why a request cannot be carried out; says which option and what would do.
public enum RequestError: Error, Sendable, Hashable, CustomStringConvertible {
  case option(_ name: String, _ reason: String)

  public var description: String {
    switch self {
    case .option(let name, let reason): "\(name): \(reason)"
    }
  }
}
