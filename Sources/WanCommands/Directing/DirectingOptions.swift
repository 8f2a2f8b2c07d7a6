public import ArgumentParser
public import Prompts
import WanKit

/// Light, framing and colour, a word of each kind; `list` prints the words.
struct DirectingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("What the picture is: cinematic, felt, anime.", valueName: "word|list"))
  var style: String?

  @Option(help: ArgumentHelp("Of the day: day, night, dawn, sunrise.", valueName: "word|list"))
  var time: String?

  @Option(help: ArgumentHelp("Where light comes from: moonlight, firelight, overcast.", valueName: "word|list"))
  var lightSource: String?

  @Option(help: ArgumentHelp("The light's intensity: soft, hard.", valueName: "word|list"))
  var light: String?

  @Option(help: ArgumentHelp("The side that light falls from: top, side, under, edge.", valueName: "word|list"))
  var lightAngle: String?

  @Option(help: ArgumentHelp("Of the colours: warm, cool, mixed.", valueName: "word|list"))
  var tone: String?

  @Option(help: ArgumentHelp("How much of the subject is seen: close-up, medium, wide.", valueName: "word|list"))
  var shot: String?

  @Option(help: ArgumentHelp("From where the camera looks: low-angle, aerial, overhead.", valueName: "word|list"))
  var cameraAngle: String?

  @Option(
    help: ArgumentHelp("Where the subject stands in the picture: center, left-heavy.", valueName: "word|list"))
  var composition: String?

  @Option(help: ArgumentHelp("How the camera moves: static, push-in, pan-left, orbit.", valueName: "word|list"))
  var cameraMove: String?

  @Option(help: ArgumentHelp("Of these words; the prompt's own unless given.", valueName: "english|chinese"))
  var promptLanguage: PromptLanguage?

  private static let list = "list"

  private var given: [(kind: CinematographyKind, text: String)] {
    let texts: [CinematographyKind: String?] = [
      .style: style, .time: time, .lightSource: lightSource, .light: light, .lightAngle: lightAngle, .tone: tone,
      .shot: shot, .cameraAngle: cameraAngle, .composition: composition, .cameraMove: cameraMove,
    ]
    return CinematographyKind.allCases.compactMap { kind in (texts[kind] ?? nil).map { (kind, $0) } }
  }

  /// The kinds whose words are to be listed; where there are some, nothing is made.
  var listed: [CinematographyKind] { given.filter { $0.text == Self.list }.map(\.kind) }

  /// The words that were chosen.
  var cinematography: Cinematography {
    var look = Cinematography()
    for (kind, text) in given where text != Self.list { look[kind] = text }
    if !look.isEmpty { look.language = promptLanguage }
    return look
  }

  func validate() throws {
    guard promptLanguage == nil || !given.isEmpty else {
      throw ValidationError("--prompt-language is the language of words such as --tone warm; give some")
    }
  }
}

extension PromptLanguage: ExpressibleByArgument {}

/// The words of a model, as `wan generate --shot list` prints them.
struct WordList: Encodable {
  private let model: String
  private let kinds: [Kind]

  private struct Kind: Encodable {
    let kind: String
    let words: [Word]
  }

  private struct Word: Encodable {
    let name, english: String
    let chinese: String?
    let meaning: String
  }

  /// - Parameter model: as it was named.
  init(_ kinds: [CinematographyKind], in vocabulary: CinematographyVocabulary, of model: String) {
    self.model = model
    self.kinds = kinds.map { kind in
      Kind(
        kind: kind.rawValue,
        words: vocabulary[kind].map {
          Word(name: $0.name, english: $0.english, chinese: $0.chinese, meaning: $0.meaning)
        })
    }
  }

  /// A heading for each kind, and a line for each word.
  var lines: [String] {
    kinds.flatMap { kind in
      guard !kind.words.isEmpty else { return ["--\(kind.kind): \(model) has no words for it"] }
      let names = kind.words.map(\.name.count).max() ?? 0
      let phrases = kind.words.map(\.english.count).max() ?? 0
      let words = kind.words.map { word in
        let columns = "  \(word.name.padded(to: names))  \(word.english.padded(to: phrases))  \(word.meaning)"
        return word.chinese.map { "\(columns) \($0)" } ?? columns
      }
      return ["--\(kind.kind), of \(model)"] + words
    }
  }

  /// Prints the words of some kinds that the model of some options has.
  static func show(_ kinds: [CinematographyKind], of source: ModelOptions, asJSON: Bool) throws {
    let (vocabulary, model) = try source.vocabulary()
    let list = WordList(kinds, in: vocabulary, of: model)
    if asJSON { Console.json(list) } else { for line in list.lines { Console.out(line) } }
    try Console.requireOutput()
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

extension ModelOptions {
  /// The words of the model that is named, or of the bundled one, and what it is called; the published words where the
  /// bundled one is not near.
  fileprivate func vocabulary() throws -> (words: CinematographyVocabulary, model: String) {
    guard model != nil || namesTransformer || ModelLocator.bundled() != nil else {
      return (.published, "the published models")
    }
    let (path, parts) = try located()
    let folder = try path.map(LocalHub.folder)
    let words = try CinematographyVocabulary(ofModel: folder, parts: parts)
    return (words, model ?? (path == nil ? "the named files" : ModelLocator.bundledName))
  }
}

extension Cinematography {
  /// The choices on one line: "light-source moonlight, tone cool".
  var line: String {
    choices.map { "\($0.kind.rawValue) \($0.word)" }.joined(separator: ", ")
      + (language.map { ", in \($0.rawValue == "chinese" ? "Chinese" : "English")" } ?? "")
  }
}
