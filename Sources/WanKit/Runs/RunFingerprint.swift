import Files
import Foundation
import Layers
import Media
import Sampling
public import Tensors

/// All that a run's result depends on, fact by fact: a run that goes on later must meet the same.
public struct RunFingerprint: Sendable, Hashable, Codable {
  /// What is known, by name: the choices of the clip, its picture and tokens, the files, what computes, the version.
  public let facts: [String: String]

  /// The facts of a plan.
  ///
  /// - Parameters:
  ///   - traits: of the backend that will carry the plan out.
  ///   - version: of the program, which may compute otherwise in another one.
  public init(_ plan: GenerationPlan, on traits: BackendTraits, version: String) {
    var facts = Self.choices(ClipDescription(plan))
    facts["version"] = version
    facts["arithmetic"] = traits.arithmetic
    facts["sigmas"] = plan.schedule.sigmas.map { "\($0)" }.joined(separator: " ")
    facts["tokens"] = plan.tokenIDs.all.map { ids in ids.map { "\($0)" }.joined(separator: " ") }.joined(
      separator: ", ")
    facts["picture"] = plan.image.map(Self.picture)
    facts["last picture"] = plan.lastImage.map(Self.picture)
    if !plan.leadingFrames.isEmpty {
      facts["frames before"] = plan.leadingFrames.map(Self.picture).joined(separator: ", ")
    }
    for path in plan.files { facts["file \(path)"] = Self.file(path) }
    self.facts = facts
  }

  private static func picture(_ image: RGBImage) -> String {
    "\(image.width)x\(image.height) \(Checksum(image.pixels.span).value)"
  }

  /// Each choice by its name in JSON.
  private static func choices(_ clip: ClipDescription) -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(clip),
      let values = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    else { return [:] }
    return values.mapValues { value in
      let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes]
      let text = try? JSONSerialization.data(withJSONObject: value, options: options)
      return text.map { String(decoding: $0, as: UTF8.self) } ?? "\(value)"
    }
  }

  /// A file is known by its size and the date of its contents: reading all of a model would take minutes.
  private static func file(_ path: String) -> String {
    FileStatus(path: path).map { "\($0.size) bytes, written at \($0.modified)" } ?? "missing"
  }

  /// What is not as it was, in words; empty where a run may go on.
  public func differences(from before: RunFingerprint) -> [String] {
    Set(facts.keys).union(before.facts.keys).sorted().compactMap { name in
      let (then, now) = (before.facts[name] ?? "none", facts[name] ?? "none")
      return then == now ? nil : "\(name): \(Self.short(then)) then, \(Self.short(now)) now"
    }
  }

  private static func short(_ text: String) -> String {
    text.count <= 60
      ? text : "\(text.prefix(40))... (\(text.count) characters, \(Checksum(Array(text.utf8).span).value))"
  }
}

extension GenerationPlan {
  /// Every file that the result depends on.
  fileprivate var files: [String] {
    let encoder = imageEncoder?.source.files ?? []
    var seen: Set<String> = []
    return (model.checkpointFiles + encoder + adapters.map(\.path)).filter { seen.insert($0).inserted }
  }
}
