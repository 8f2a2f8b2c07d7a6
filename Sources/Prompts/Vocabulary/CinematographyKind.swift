/// What a word of cinematography speaks of, in the order in which prompts name it; each kind has one word in a prompt.
public enum CinematographyKind: String, Sendable, Hashable, Codable, CaseIterable {
  /// What the picture is: a film, a drawing, felt.
  case style
  /// Of the day.
  case time
  /// Where light comes from.
  case lightSource = "light-source"
  /// Soft or hard light.
  case light
  /// From which side it falls.
  case lightAngle = "light-angle"
  /// Of the colours.
  case tone
  /// How much of the subject is seen.
  case shot
  /// From where the camera looks.
  case cameraAngle = "camera-angle"
  /// Where the subject stands in the picture.
  case composition
  /// How the camera moves; written at the sentence's end.
  case cameraMove = "camera-move"
}

/// A word that a model knows: how a user names it, and how a prompt says it.
public struct CinematographyWord: Sendable, Hashable {
  /// For the command line and files: `low-angle`.
  public let name: String
  /// In an English prompt, in small letters: "low angle shot".
  public let english: String
  /// In a Chinese prompt; `nil` where the model knows English alone.
  public let chinese: String?
  /// Other phrases that say the same, in either language.
  public let also: [String]
  /// What it does to the picture, in one line.
  public let meaning: String
  /// Whether it is a style of film; others, as drawings, take no words of light and camera.
  public let isFilm: Bool

  /// A word.
  public init(
    _ name: String, english: String, chinese: String? = nil, also: [String] = [], meaning: String, isFilm: Bool = true
  ) {
    (self.name, self.english, self.chinese) = (name, english, chinese)
    (self.also, self.meaning, self.isFilm) = (also, meaning, isFilm)
  }

  /// As a prompt of a language says it.
  public func phrase(in language: PromptLanguage) -> String { language == .chinese ? chinese ?? english : english }

  /// All that says it.
  var phrases: [String] { [english] + (chinese.map { [$0] } ?? []) + also }
}
