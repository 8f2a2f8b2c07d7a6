public import Sampling

/// The parts of a request, by their names in JSON; errors name them.
public enum RequestField: String, CodingKey, Codable, Sendable, Hashable, CaseIterable {
  case prompt, negativePrompt, image, size, area, frames
  /// ``GenerationRequest/framesPerSecond``
  case fps
  case steps, shift, guidance, solver, seed, noise, precision
  /// ``GenerationRequest/decodingTiling``
  case decodingTiles
}

/// Why a request cannot be carried out; says which field and what would do.
public enum RequestError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The field and what is wrong with its value.
  case field(RequestField, _ reason: String)
  /// Steps and shift that make no schedule together.
  case schedule(SamplingError)

  public var description: String {
    switch self {
    case .field(let field, let reason): "\(field.rawValue): \(reason)"
    case .schedule(let error): error.description
    }
  }
}
