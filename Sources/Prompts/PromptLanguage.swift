/// The languages that the published models read.
public enum PromptLanguage: String, Sendable, Hashable, Codable, CaseIterable {
  /// The language of most words of a prompt, and of one without words.
  case english
  /// Written in Han characters.
  case chinese

  /// The language that a prompt is written in: Chinese where it has at least as many Han characters as words in Latin
  /// letters, and no kana or hangul.
  public init(of prompt: String) {
    var (han, words, isInWord) = (0, 0, false)
    for scalar in prompt.unicodeScalars {
      switch scalar.value {
      case 0x3040...0x30FF, 0xAC00...0xD7AF:
        self = .english
        return
      case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3134F: han += 1
      default: break
      }
      let isLetter = scalar.value < 0x250 && scalar.properties.isAlphabetic
      if isLetter, !isInWord { words += 1 }
      isInWord = isLetter
    }
    self = han > 0 && han >= words ? .chinese : .english
  }
}
