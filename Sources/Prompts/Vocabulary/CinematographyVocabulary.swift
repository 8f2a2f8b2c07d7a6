/// The words that a model's prompts may have, kind by kind, and how they stand in a prompt.
public struct CinematographyVocabulary: Sendable, Hashable {
  /// The kinds in the order in which a prompt names them, each of them once.
  public let kinds: [Kind]
  /// Where words stand.
  public let place: Place
  /// How many kinds stand in front of an English subject by custom, style and camera move aside; `nil` for any number.
  public let mostKinds: Int?

  /// The words of one kind.
  public struct Kind: Sendable, Hashable {
    /// What they speak of.
    public let kind: CinematographyKind
    /// In the order in which they are listed.
    public let words: [CinematographyWord]

    /// Words of one kind.
    public init(_ kind: CinematographyKind, _ words: [CinematographyWord]) {
      (self.kind, self.words) = (kind, words)
    }
  }

  /// Where words stand in a prompt.
  public enum Place: String, Sendable, Hashable, CaseIterable {
    /// In front of the subject, as sentences of their own; the camera's move at the subject's end.
    case front
    /// All behind the subject, in its sentence.
    case behind
  }

  /// A vocabulary of one's own.
  public init(kinds: [Kind], place: Place = .front, mostKinds: Int? = nil) {
    (self.kinds, self.place, self.mostKinds) = (kinds, place, mostKinds)
  }

  /// The words of a kind; none where the model has none for it.
  public subscript(_ kind: CinematographyKind) -> [CinematographyWord] {
    kinds.first { $0.kind == kind }?.words ?? []
  }

  /// Whether some word has a Chinese phrase.
  public var hasChinese: Bool { kinds.contains { $0.words.contains { $0.chinese != nil } } }

  /// The word of a kind by its name, or by a phrase that says it in either language.
  ///
  /// - Throws: ``CinematographyError`` with the words that come near, or all that there are.
  public func word(_ kind: CinematographyKind, _ text: String) throws(CinematographyError) -> CinematographyWord {
    let words = self[kind]
    guard !words.isEmpty else { throw noWords(for: kind, text) }
    // Longer texts are no words, and comparing them would take long.
    let key = Wording.key(String(text.prefix(Wording.longest)))
    let found = words.first { Wording.key($0.name) == key } ?? words.first { $0.phrases.map(Wording.key).contains(key) }
    guard let found else { throw unknown(kind, text, key: key, of: words) }
    return found
  }

  private func unknown(
    _ kind: CinematographyKind, _ text: String, key: String, of words: [CinematographyWord]
  ) -> CinematographyError {
    let given = "'\(text.prefix(40))'"
    let near = Wording.nearest(key, of: words)
    if !near.isEmpty {
      let names = near.map(\.name).joined(separator: " or ")
      return CinematographyError(kind, "\(given) is none of this model's words; did you mean \(names)?")
    }
    let all = words.map(\.name).joined(separator: ", ")
    return CinematographyError(kind, "\(given) is none of this model's words, which are \(all)" + elsewhere(key))
  }

  private func noWords(for kind: CinematographyKind, _ text: String) -> CinematographyError {
    let names = kinds.map(\.kind.rawValue).joined(separator: ", ")
    let key = Wording.key(String(text.prefix(Wording.longest)))
    return CinematographyError(
      kind,
      "this model has no words for it, " + (names.isEmpty ? "nor for anything else" : "only for \(names)")
        + elsewhere(key))
  }

  /// The kind that a text is a word of, for the end of an error.
  private func elsewhere(_ key: String) -> String {
    let other = kinds.first { kind in kind.words.contains { Wording.key($0.name) == key } }
    return other.map { "; '\(key.replacing(" ", with: "-"))' is a word of \($0.kind.rawValue)" } ?? ""
  }
}

/// A choice that a model's vocabulary does not have.
public struct CinematographyError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind that it is of; `nil` for the language.
  public let kind: CinematographyKind?
  /// What is wrong with it.
  public let reason: String

  init(_ kind: CinematographyKind?, _ reason: String) { (self.kind, self.reason) = (kind, reason) }

  /// Begins with the kind's name.
  public var description: String { "\(kind?.rawValue ?? "prompt-language"): \(reason)" }
}
