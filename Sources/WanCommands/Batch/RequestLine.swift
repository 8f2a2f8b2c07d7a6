import Checkpoints
import Files
import Foundation
import Media
import Prompts
import Sampling
import WanKit

/// A line of JSON: fields of a request, in which files may stand for pictures, and the clip's name.
struct RequestLine: Sendable {
  private let data: Data
  /// The folder that files are named from.
  private let folder: String
  private let names: Set<String>
  /// The pictures and clips that are named by their files.
  let files: [RequestField: String]
  /// The clip's name, where it has one.
  let output: String?
  /// Whether it has a prompt of its own.
  let hasPrompt: Bool

  private static let outputName = "output"
  private static let pictures: [RequestField] = [.image, .lastImage, .leadingFrames, .video]

  /// - Throws: `CommandError`: the end of a sentence that begins with the line's place.
  init(_ text: String, in folder: String) throws(CommandError) {
    (data, self.folder) = (Data(text.utf8), folder)
    names = try Self.names(text)
    let known = RequestField.allCases.map(\.rawValue) + [Self.outputName]
    for name in names.sorted() where !known.contains(name) {
      let advice = Spelling.nearest(to: name, among: known).map { "did you mean \"\($0)\"?" }
      let others = "known are \(known.joined(separator: ", "))"
      throw CommandError("\"\(name)\" is no field of a request; \(advice ?? others)")
    }
    do {
      let heads = try JSONDecoder().decode(Heads.self, from: data)
      (output, hasPrompt) = (heads.output, heads.hasPrompt)
      files = try heads.files.mapValues { path in
        let path = try PathArgument.path(path)
        return Self.place(path, in: folder)
      }
    } catch { throw Self.failure(error) }
  }

  var hasSeed: Bool { names.contains(RequestField.seed.rawValue) }

  /// Whether it has pictures or clips of its own.
  var holdsPictures: Bool { Self.pictures.contains { names.contains($0.rawValue) } }

  /// Takes over its fields, and reads its files.
  func change(_ request: inout GenerationRequest, _ clips: SourceClipOptions, for model: ModelFolder) async throws {
    do {
      let decoder = JSONDecoder()
      request = try decoder.decode(Changed.self, from: data, configuration: (request, Set(files.keys))).request
    } catch { throw Self.failure(error) }
    if names.contains(RequestField.adapters.rawValue) {
      for index in request.adapters.indices {
        request.adapters[index].path = Self.place(request.adapters[index].path, in: folder)
      }
    }
    if let path = files[.image] { request.image = try await readImage(path: path, ffmpeg: .fromEnvironment()) }
    if let path = files[.lastImage] { request.lastImage = try await readImage(path: path, ffmpeg: .fromEnvironment()) }
    if let path = files[.leadingFrames] {
      request.leadingFrames = []
      try await clips.goOn(from: path, &request, model)
    }
    if let path = files[.video] {
      request.video = []
      try await clips.take(path, &request, model)
    }
  }

  private static func place(_ path: String, in folder: String) -> String {
    path.hasPrefix("/") || folder == "." ? path : Paths.join(folder, path)
  }

  /// The names of an object's members.
  private static func names(_ text: String) throws(CommandError) -> Set<String> {
    do throws(CheckpointError) {
      var names: Set<String> = []
      var json = JSONReader<CheckpointError>(Array(text.utf8), path: "line")
      try json.object { (json: inout JSONReader<CheckpointError>, name: String) throws(CheckpointError) in
        guard names.insert(name).inserted else { throw json.failure("\"\(name)\" is there twice") }
        try json.skip()
      }
      try json.end()
      return names
    } catch {
      let place = if case .byte(let offset) = error.place { ", at its byte \(offset + 1)" } else { "" }
      throw CommandError("is no JSON object\(place): \(error.problem)")
    }
  }

  private static func failure(_ error: any Error) -> CommandError {
    let context: DecodingError.Context
    switch error {
    case DecodingError.typeMismatch(_, let found), DecodingError.valueNotFound(_, let found),
      DecodingError.dataCorrupted(let found):
      context = found
    case DecodingError.keyNotFound(let key, let found):
      let path = (found.codingPath + [key]).map(\.stringValue).joined(separator: ".")
      return CommandError("\(path): is missing")
    default: return CommandError("\(error)")
    }
    let path = context.codingPath.map(\.stringValue).joined(separator: ".")
    let reason = Self.plain(context.debugDescription)
    return CommandError(path.isEmpty ? reason : "\(path): \(reason)")
  }

  /// Foundation's sentence about a type, in JSON's words.
  private static func plain(_ reason: String) -> String {
    let words = [
      ("Dictionary<String, Any>", "an object"), ("Array<Any>", "a list"), ("String", "a text"),
      ("Bool", "true or false"),
      ("Double", "a number"), ("Float", "a number"), ("UInt64", "a whole number"), ("Int", "a whole number"),
    ]
    let start = "Expected to decode "
    guard reason.hasPrefix(start), let word = words.first(where: { reason.hasPrefix("\(start)\($0.0) ") }) else {
      return reason
    }
    return "must be \(word.1)"
      + reason.dropFirst(start.count + word.0.count).replacing(" instead.", with: "")
      .replacing(" but found ", with: ", found: ")
  }

  /// What does not go into a request as it is.
  private struct Heads: Decodable {
    let output: String?
    let hasPrompt: Bool
    let files: [RequestField: String]

    private enum CodingKeys: String, CodingKey { case output }

    init(from decoder: any Decoder) throws {
      output = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .output)
      let fields = try decoder.container(keyedBy: RequestField.self)
      hasPrompt = try fields.decodeIfPresent(String.self, forKey: .prompt) != nil
      let found = RequestLine.pictures.compactMap { field in
        (try? fields.decode(String.self, forKey: field)).map { (field, $0) }
      }
      files = Dictionary(uniqueKeysWithValues: found)
    }
  }

  /// A request with the line's fields in the place of its own.
  private struct Changed: DecodableWithConfiguration {
    let request: GenerationRequest

    init(from decoder: any Decoder, configuration: (request: GenerationRequest, others: Set<RequestField>)) throws {
      var request = configuration.request
      try request.change(by: decoder, without: configuration.others)
      self.request = request
    }
  }
}
