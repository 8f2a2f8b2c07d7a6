/// How a clip is to be lit, framed and coloured: at most one word of each kind.
///
/// ```swift
/// var look = Cinematography()
/// look.lightSource = .moonlight
/// look.tone = .cool
/// look[.shot] = "wide"  // by its name, as words of a model's own vocabulary
/// ```
///
/// Whether a model knows the words is seen when a prompt is composed.
public struct Cinematography: Sendable, Hashable {
  private var words: [CinematographyKind: String] = [:]
  /// The language of the words; the prompt's own unless given.
  public var language: PromptLanguage?

  /// No choice.
  public init() {}

  /// The name of a kind's word; `nil` for no choice.
  public subscript(_ kind: CinematographyKind) -> String? {
    get { words[kind] }
    set { words[kind] = newValue }
  }

  /// Whether nothing is chosen.
  public var isEmpty: Bool { words.isEmpty }

  /// What is chosen, in the order of the kinds.
  public var choices: [(kind: CinematographyKind, word: String)] {
    CinematographyKind.allCases.compactMap { kind in words[kind].map { (kind, $0) } }
  }
}

extension Cinematography: ExpressibleByDictionaryLiteral {
  /// The names of words by their kinds; of a kind that occurs twice the last counts.
  public init(dictionaryLiteral elements: (CinematographyKind, String)...) {
    for (kind, word) in elements { words[kind] = word }
  }
}

/// JSON: one object of kinds and names, `{"light-source": "moonlight", "tone": "cool", "language": "english"}`.
extension Cinematography: Codable {
  private static let languageKey = "language"

  public init(from decoder: any Decoder) throws {
    for (key, value) in try [String: String](from: decoder) {
      if key == Self.languageKey, let language = PromptLanguage(rawValue: value) {
        self.language = language
      } else if let kind = CinematographyKind(rawValue: key) {
        words[kind] = value
      } else {
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: decoder.codingPath,
            debugDescription: "'\(key.prefix(40))': '\(value.prefix(40))' is no choice of cinematography"))
      }
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var members = Dictionary(uniqueKeysWithValues: words.map { ($0.key.rawValue, $0.value) })
    members[Self.languageKey] = language?.rawValue
    try members.encode(to: encoder)
  }
}
