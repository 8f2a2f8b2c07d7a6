/// A prompt as a language model has written it out.
public struct ExtendedPrompt: Sendable, Hashable, Codable {
  /// What takes the prompt's place.
  public let text: String
  /// The language model that wrote it, as its endpoint calls it.
  public let model: String

  /// A text and its author.
  public init(_ text: String, by model: String) { (self.text, self.model) = (text, model) }
}

/// What a language model is asked to write out.
public struct ExtensionQuestion: Sendable {
  /// As the user wrote it; empty where a picture is to be set in motion.
  public var prompt: String
  /// The picture that the clip starts from, for models that see.
  public var picture: Picture?
  /// Of the answer; the prompt's own unless given.
  public var language: PromptLanguage?
  /// The words that the answer may choose from.
  public var vocabulary: CinematographyVocabulary
  /// The words that the user has chosen, which the answer must not contradict.
  public var cinematography: Cinematography

  /// A picture in a format that endpoints read.
  public struct Picture: Sendable {
    /// "image/jpeg" or "image/png".
    public let type: String
    /// The file's.
    public let bytes: [UInt8]

    /// A file's bytes and what they are.
    public init(_ bytes: [UInt8], type: String) { (self.bytes, self.type) = (bytes, type) }
  }

  /// A question about a prompt.
  public init(
    _ prompt: String, picture: Picture? = nil, language: PromptLanguage? = nil,
    vocabulary: CinematographyVocabulary = .published, cinematography: Cinematography = Cinematography()
  ) {
    (self.prompt, self.picture, self.language) = (prompt, picture, language)
    (self.vocabulary, self.cinematography) = (vocabulary, cinematography)
  }

  /// The language that the answer is to have.
  var answerLanguage: PromptLanguage {
    language ?? cinematography.language ?? (vocabulary.hasChinese ? PromptLanguage(of: prompt) : .english)
  }
}
