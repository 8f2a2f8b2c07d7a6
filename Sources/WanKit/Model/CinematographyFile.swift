import Files
public import Prompts

/// A model folder's own vocabulary, `cinematography.json`:
///
/// ```json
/// {
///   "place": "behind",
///   "kinds": [
///     { "kind": "tone", "words": [
///       { "name": "warm", "english": "warm tones", "chinese": "暖色调", "also": ["warm colors"], "meaning": "Reds." }
///     ] }
///   ]
/// }
/// ```
///
/// The kinds stand in the order in which prompts name them. `place` is `front` unless given; `mostKinds`, `chinese` and
/// `also` may be missing; `"film": false` marks a style that takes no words of light and framing.
struct CinematographyFile {
  private let file: ConfigurationFile
  private static let (mostWords, mostPhrases, longestPhrase, longestMeaning) = (64, 16, 128, 256)

  init(_ file: ConfigurationFile) { self.file = file }

  /// - Throws: ``ModelError`` naming the file, and the kind and the word that is wrong.
  func vocabulary() throws(ModelError) -> CinematographyVocabulary {
    let kinds = try file.list("kinds", upTo: CinematographyKind.allCases.count) { value throws(ModelError) in
      try kind(value)
    }
    guard let kinds, !kinds.isEmpty else { throw wrong("'kinds' must be a list of kinds with their words") }
    for kind in CinematographyKind.allCases where kinds.count(where: { $0.kind == kind }) > 1 {
      throw wrong("the kind '\(kind.rawValue)' occurs twice")
    }
    let place = try file.string("place") ?? CinematographyVocabulary.Place.front.rawValue
    guard let place = CinematographyVocabulary.Place(rawValue: place) else {
      throw wrong("'place' must be front or behind, not '\(place.prefix(40))'")
    }
    return CinematographyVocabulary(kinds: kinds, place: place, mostKinds: try file.integer("mostKinds", in: 1...10))
  }

  private func kind(_ value: JSONValue) throws(ModelError) -> CinematographyVocabulary.Kind {
    let name = value["kind"]?.word ?? ""
    guard let kind = CinematographyKind(rawValue: name) else {
      let known = CinematographyKind.allCases.map(\.rawValue).joined(separator: ", ")
      throw wrong("'kind' must be one of \(known), not '\(name.prefix(40))'")
    }
    guard let values = value["words"]?.array, (1...Self.mostWords).contains(values.count) else {
      throw wrong("the kind '\(kind.rawValue)' must have 'words', 1 to \(Self.mostWords) of them")
    }
    var words: [CinematographyWord] = []
    for value in values {
      let word = try word(value, of: kind)
      guard !words.contains(where: { $0.name == word.name }) else {
        throw wrong("the word '\(word.name)' of '\(kind.rawValue)' occurs twice")
      }
      words.append(word)
    }
    return .init(kind, words)
  }

  private func word(_ value: JSONValue, of kind: CinematographyKind) throws(ModelError) -> CinematographyWord {
    let name = value["name"]?.word ?? ""
    guard (1...32).contains(name.utf8.count), name.utf8.allSatisfy(\.isNamePart), name != "list" else {
      throw wrong(
        "a word of '\(kind.rawValue)' must have a 'name' of at most 32 small letters, digits and hyphens, not "
          + "'\(name.prefix(40))'")
    }
    func text(_ value: JSONValue?, _ key: String, upTo longest: Int) throws(ModelError) -> String? {
      guard let value, !value.isNull else { return nil }
      guard let text = value.string, text.isPhrase, text.utf8.count <= longest else {
        throw wrong("'\(key)' of '\(kind.rawValue)' '\(name)' must be a line of at most \(longest) bytes")
      }
      return text
    }
    var also: [String] = []
    if let values = value["also"] {
      guard let values = values.array, values.count <= Self.mostPhrases else {
        throw wrong("'also' of '\(kind.rawValue)' '\(name)' must be a list of at most \(Self.mostPhrases) phrases")
      }
      for value in values { also.append(try text(value, "also", upTo: Self.longestPhrase) ?? "") }
    }
    guard let english = try text(value["english"], "english", upTo: Self.longestPhrase) else {
      throw wrong("'english' of '\(kind.rawValue)' '\(name)' is missing")
    }
    return CinematographyWord(
      name, english: english, chinese: try text(value["chinese"], "chinese", upTo: Self.longestPhrase),
      also: also.filter { !$0.isEmpty },
      meaning: try text(value["meaning"], "meaning", upTo: Self.longestMeaning) ?? "",
      isFilm: value["film"]?.bool ?? true)
  }

  private func wrong(_ reason: String) -> ModelError { .badConfiguration(file: file.path, reason: reason) }
}

extension UInt8 {
  fileprivate var isNamePart: Bool {
    switch Unicode.Scalar(self) {
    case "a"..."z", "0"..."9", "-": true
    default: false
    }
  }
}

extension String {
  /// Something on one line that a terminal can show.
  fileprivate var isPhrase: Bool {
    unicodeScalars.contains { !$0.properties.isWhitespace }
      && unicodeScalars.allSatisfy { scalar in
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
        default: scalar != "\u{FFFD}"
        }
      }
  }
}

extension ConfigurationFile {
  /// At most `most` values, each made into something; `nil` where there is no list.
  fileprivate func list<Element>(
    _ name: String, upTo most: Int, _ element: (JSONValue) throws(ModelError) -> Element
  ) throws(ModelError) -> [Element]? {
    guard case .array(let values)? = value(name), values.count <= most else { return nil }
    var elements: [Element] = []
    for value in values { elements.append(try element(value)) }
    return elements
  }
}

extension CinematographyVocabulary {
  /// What a model folder's own vocabulary is called.
  static let fileName = "cinematography.json"

  /// The vocabulary of the first of some folders that has one; the published one where none has.
  init(folders: [String]) throws(ModelError) {
    self = .published
    for folder in folders where try FolderListing(folder).contains(Self.fileName) {
      self = try CinematographyFile(ConfigurationFile(path: Paths.join(folder, Self.fileName))).vocabulary()
      return
    }
  }

  /// The words of a model's prompts, without opening its networks.
  ///
  /// - Parameters:
  ///   - path: as of ``ModelFolder/init(path:parts:)``.
  ///   - parts: the parts that are named.
  /// - Throws: ``ModelError`` where there is no model, or its vocabulary is damaged.
  public init(ofModel path: String?, parts: PartPaths = PartPaths()) throws(ModelError) {
    try self.init(folders: ModelFiles(path: path, parts: parts).defaultsFolders)
  }
}
