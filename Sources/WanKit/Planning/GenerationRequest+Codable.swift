public import Media
import Prompts
import Sampling
import Tensors
public import WanModels

/// JSON: an object of the names of ``RequestField``, of which only the prompt must be there.
///
/// The picture stands in it as bytes, so that a request that was kept does not depend on a file that may change.
extension GenerationRequest: Codable {
  public init(from decoder: any Decoder) throws {
    self.init(prompt: try decoder.container(keyedBy: RequestField.self).decode(String.self, forKey: .prompt))
    try change(by: decoder)
  }

  /// Takes over what a JSON object says, and leaves what it does not name; `null` leaves a choice to the model, and
  /// the prompt as it is.
  ///
  /// - Parameter others: fields that are passed over.
  /// - Throws: `DecodingError`.
  public mutating func change(by decoder: any Decoder, without others: Set<RequestField> = []) throws {
    let fields = try decoder.container(keyedBy: RequestField.self)
    func read<T: Decodable>(_ field: RequestField) throws -> T? {
      do { return try fields.decodeIfPresent(T.self, forKey: field) } catch let error where !(error is DecodingError) {
        // Of a number that a type has not, Foundation's own error says neither that nor where.
        throw DecodingError.dataCorruptedError(
          forKey: field, in: fields, debugDescription: "the number is out of range, or not a whole one")
      }
    }
    func take<T: Decodable>(_ field: RequestField, _ value: inout T?) throws {
      if fields.contains(field), !others.contains(field) { value = try read(field) }
    }
    func take<T: Decodable>(_ field: RequestField, _ value: inout T, else usual: T) throws {
      if fields.contains(field), !others.contains(field) { value = try read(field) ?? usual }
    }
    try take(.prompt, &prompt, else: prompt)
    try take(.extendedPrompt, &extendedPrompt)
    try take(.cinematography, &cinematography, else: Cinematography())
    try take(.negativePrompt, &negativePrompt)
    try take(.image, &image)
    try take(.lastImage, &lastImage)
    try take(.leadingFrames, &leadingFrames, else: [])
    try take(.video, &video, else: [])
    try take(.strength, &strength)
    try take(.size, &size)
    try take(.area, &area)
    try take(.frames, &frames)
    try take(.fps, &framesPerSecond)
    try take(.steps, &steps)
    try take(.switchStep, &switchStep)
    try take(.boundary, &boundary)
    try take(.timesteps, &timesteps)
    try take(.sigmas, &sigmas)
    try take(.shift, &shift)
    try take(.guidance, &guidance)
    try take(.guidedSteps, &guidedSteps)
    try take(.solver, &solver)
    try take(.seed, &seed, else: 0)
    try take(.noise, &noise, else: .cuda())
    try take(.precision, &precision, else: .bf16)
    try take(.cache, &caching)
    try take(.decodingTiles, &decodingTiling)
    try take(.like, &profile)
    try take(.preset, &preset)
    try take(.adapters, &adapters, else: [])
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: RequestField.self)
    try fields.encode(prompt, forKey: .prompt)
    try fields.encodeIfPresent(extendedPrompt, forKey: .extendedPrompt)
    if cinematography != Cinematography() { try fields.encode(cinematography, forKey: .cinematography) }
    try fields.encodeIfPresent(negativePrompt, forKey: .negativePrompt)
    try fields.encodeIfPresent(image, forKey: .image)
    try fields.encodeIfPresent(lastImage, forKey: .lastImage)
    if !leadingFrames.isEmpty { try fields.encode(leadingFrames, forKey: .leadingFrames) }
    if !video.isEmpty { try fields.encode(video, forKey: .video) }
    try fields.encodeIfPresent(strength, forKey: .strength)
    try fields.encodeIfPresent(size, forKey: .size)
    try fields.encodeIfPresent(area, forKey: .area)
    try fields.encodeIfPresent(frames, forKey: .frames)
    try fields.encodeIfPresent(framesPerSecond, forKey: .fps)
    try fields.encodeIfPresent(steps, forKey: .steps)
    try fields.encodeIfPresent(switchStep, forKey: .switchStep)
    try fields.encodeIfPresent(boundary, forKey: .boundary)
    try fields.encodeIfPresent(timesteps, forKey: .timesteps)
    try fields.encodeIfPresent(sigmas, forKey: .sigmas)
    try fields.encodeIfPresent(shift, forKey: .shift)
    try fields.encodeIfPresent(guidance, forKey: .guidance)
    try fields.encodeIfPresent(guidedSteps, forKey: .guidedSteps)
    try fields.encodeIfPresent(solver, forKey: .solver)
    try fields.encode(seed, forKey: .seed)
    try fields.encode(noise, forKey: .noise)
    try fields.encode(precision, forKey: .precision)
    try fields.encodeIfPresent(caching, forKey: .cache)
    try fields.encodeIfPresent(decodingTiling, forKey: .decodingTiles)
    try fields.encodeIfPresent(profile, forKey: .like)
    try fields.encodeIfPresent(preset, forKey: .preset)
    if !adapters.isEmpty { try fields.encode(adapters, forKey: .adapters) }
  }
}

/// The parts of a request, by their names in JSON; errors name them.
public enum RequestField: String, CodingKey, Codable, Sendable, Hashable, CaseIterable {
  /// The fields of ``GenerationRequest`` of these names.
  case prompt, extendedPrompt, cinematography, negativePrompt, image, lastImage, leadingFrames, video, strength, size,
    area, frames
  /// ``GenerationRequest/framesPerSecond``
  case fps
  /// The fields of these names.
  case steps, switchStep, boundary, timesteps, sigmas, shift, guidance, guidedSteps, solver, seed, noise, precision
  /// The fields of these names.
  case adapters, preset
  /// ``GenerationRequest/profile``
  case like
  /// ``GenerationRequest/caching``
  case cache
  /// ``GenerationRequest/decodingTiling``
  case decodingTiles
}

extension FrameSize: Codable {
  public init(from decoder: any Decoder) throws {
    (width, height) = try decoder.pair(separatedBy: "x", as: "a size such as 832x480")
  }

  public func encode(to encoder: any Encoder) throws { try encoder.encode(text: description) }
}

extension VAETiling: Codable {
  public init(from decoder: any Decoder) throws {
    let (rows, columns) = try decoder.pair(separatedBy: "x", as: "rows x columns such as 2x3")
    guard rows >= 1, columns >= 1 else { throw decoder.failure("tiles are 1x1 at least, not \(rows)x\(columns)") }
    self.init(rows: rows, columns: columns)
  }

  public func encode(to encoder: any Encoder) throws { try encoder.encode(text: description) }
}

extension FrameRate: Codable {
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let number = try? value.decode(Double.self) {
      self.init(number)
      return
    }
    guard let rate = FrameRate(parsing: try value.decode(String.self)) else {
      throw decoder.failure("a rate is a number, or a text such as 24000/1001")
    }
    self = rate
  }

  /// A number where that says it exactly, else a text such as "24000/1001".
  public func encode(to encoder: any Encoder) throws {
    guard denominator == 1 else {
      try encoder.encode(text: "\(numerator)/\(denominator)")
      return
    }
    var value = encoder.singleValueContainer()
    try value.encode(numerator)
  }
}

extension Decoder {
  fileprivate func failure(_ problem: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: codingPath, debugDescription: problem))
  }

  /// Two whole numbers in one text.
  fileprivate func pair(separatedBy separator: Character, as form: String) throws -> (Int, Int) {
    let text = try singleValueContainer().decode(String.self)
    let parts = text.split(separator: separator, omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let first = parts[0], let second = parts[1] else {
      throw failure("'\(text.prefix(40))' is not \(form)")
    }
    return (first, second)
  }
}

extension Encoder {
  fileprivate func encode(text: String) throws {
    var value = singleValueContainer()
    try value.encode(text)
  }
}
