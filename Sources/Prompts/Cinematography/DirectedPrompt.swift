/// A prompt and the words that were put to it.
///
/// Words stand in front of the subject in the vocabulary's order, the camera's move at the subject's end; a vocabulary may
/// have all of them behind. What the prompt says already is not told twice. As the published extension has it, an angle
/// is left out beside a camera's move, and a style that is no film takes no words of light and framing. More kinds than
/// are usual are kept, since they were asked for.
public struct DirectedPrompt: Sendable, Hashable {
  /// What the text encoder is to read.
  public let text: String
  /// The words that were put in, in the order of the vocabulary.
  public let added: [CinematographyKind]
  /// The choices, by the words' own names.
  public let cinematography: Cinematography
  /// What was left out, or is more than models are used to, in a line each.
  public let notices: [String]

  /// Puts words to a prompt.
  ///
  /// - Throws: ``CinematographyError`` for a word, a kind or a language that the vocabulary does not have.
  public init(
    _ prompt: String, _ cinematography: Cinematography, in vocabulary: CinematographyVocabulary
  ) throws(CinematographyError) {
    guard cinematography.language != .chinese || vocabulary.hasChinese else {
      throw CinematographyError(nil, "this model has no Chinese words; its prompts are English")
    }
    let language = cinematography.language ?? (vocabulary.hasChinese ? PromptLanguage(of: prompt) : .english)
    var names = cinematography
    var chosen: [CinematographyKind: CinematographyWord] = [:]
    for (kind, text) in cinematography.choices {
      let word = try vocabulary.word(kind, text)
      (chosen[kind], names[kind]) = (word, word.name)
    }
    var scene = Scene(prompt: prompt, chosen: chosen, vocabulary: vocabulary)
    scene.leaveOut()
    let words = vocabulary.kinds.compactMap { kind in scene.kept[kind.kind].map { (kind.kind, $0) } }
    if language == .english { scene.noteMany(words.map(\.0)) }
    text = Self.text(prompt, words, language, vocabulary.place)
    (added, self.cinematography, notices) = (words.map(\.0), names, scene.notices)
  }

  private static func text(
    _ prompt: String, _ words: [(kind: CinematographyKind, word: CinematographyWord)], _ language: PromptLanguage,
    _ place: CinematographyVocabulary.Place
  ) -> String {
    let isBehind = { (kind: CinematographyKind) in place == .behind || kind == .cameraMove }
    let front = words.filter { !isBehind($0.kind) }.map { $0.word.phrase(in: language) }
    let behind = words.filter { isBehind($0.kind) }.map { $0.word.phrase(in: language) }
    let sentence = Sentence(language)
    return sentence.heading(front, before: sentence.appending(behind, to: prompt))
  }
}

/// Which of the chosen words go into a prompt.
private struct Scene {
  let vocabulary: CinematographyVocabulary
  /// What the prompt says already.
  let said: [CinematographyKind: [CinematographyWord]]
  let chosen: [CinematographyKind: CinematographyWord]
  var kept: [CinematographyKind: CinematographyWord]
  var notices: [String] = []

  init(prompt: String, chosen: [CinematographyKind: CinematographyWord], vocabulary: CinematographyVocabulary) {
    let key = Array(Wording.key(prompt).utf8)
    self.vocabulary = vocabulary
    said = Dictionary(uniqueKeysWithValues: vocabulary.kinds.map { ($0.kind, vocabulary.said($0.kind, in: key)) })
    (self.chosen, kept) = (chosen, chosen)
  }

  /// Takes the words out that the prompt has, and those that the rules forbid.
  mutating func leaveOut() {
    for kind in CinematographyKind.allCases {
      guard let word = chosen[kind] else { continue }
      let others = said[kind, default: []].filter { $0.name != word.name }
      if said[kind, default: []].contains(where: { $0.name == word.name }) {
        kept[kind] = nil
      } else if let other = others.first, kind != .style {
        notices.append("the prompt says '\(other.english)' itself, and \(kind.rawValue) \(word.name) beside it")
      }
    }
    if let style = ([chosen[.style]] + said[.style, default: []]).compactMap(\.self).first(where: { !$0.isFilm }) {
      leaveOut(
        CinematographyKind.allCases.filter { $0 != .style && $0 != .cameraMove },
        since: "'\(style.english)' is no style of film, and takes no words of light and framing")
    }
    if let move = chosen[.cameraMove] ?? said[.cameraMove, default: []].first {
      leaveOut([.cameraAngle], since: "the camera's move is told ('\(move.english)'), and takes no angle beside it")
    }
  }

  private mutating func leaveOut(_ kinds: [CinematographyKind], since reason: String) {
    let words = kinds.compactMap { kind in kept[kind].map { "\(kind.rawValue) \($0.name)" } }
    guard !words.isEmpty else { return }
    for kind in kinds { kept[kind] = nil }
    notices.append("left out: \(words.joined(separator: ", ")), since \(reason); write it into the prompt to have it")
  }

  /// Tells of more kinds than are usual.
  mutating func noteMany(_ kinds: [CinematographyKind]) {
    let count = kinds.count { $0 != .style && $0 != .cameraMove }
    guard let most = vocabulary.mostKinds, count > most else { return }
    notices.append(
      "\(count) kinds of words stand before the subject: all are kept, but the model has learned from at most \(most)")
  }
}

/// How words and a subject become a text of a language.
private struct Sentence {
  private let comma, stop: String
  /// What stands between the words in front and the subject.
  private let pause: String
  private let isEnglish: Bool

  init(_ language: PromptLanguage) {
    isEnglish = language == .english
    (comma, stop, pause) = isEnglish ? (", ", ".", ". ") : ("，", "。", "，")
  }

  /// Phrases as a sentence begins.
  private func begun(_ phrases: String) -> String {
    isEnglish ? phrases.prefix(1).uppercased() + phrases.dropFirst() : phrases
  }

  /// Words, and a subject behind them.
  func heading(_ words: [String], before subject: String) -> String {
    guard let first = words.first else { return subject }
    let heading = ([begun(first)] + words.dropFirst()).joined(separator: comma)
    return subject.isBlank ? heading + stop : heading + pause + subject
  }

  /// A subject, and words in its last sentence.
  func appending(_ words: [String], to subject: String) -> String {
    guard !words.isEmpty else { return subject }
    let phrases = words.joined(separator: comma)
    guard !subject.isBlank else { return begun(phrases) + stop }
    var text = Substring(subject)
    while let last = text.last, last.isWhitespace || ".。,，;；".contains(last) { text.removeLast() }
    if let last = text.last, "!?！？…".contains(last) {
      return text + (isEnglish ? " " : "") + begun(phrases) + stop
    }
    return text + comma + phrases + stop
  }
}

extension String {
  fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
}
