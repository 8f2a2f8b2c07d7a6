/// What a language model is told before it gets a prompt: our own words for what the published extension asks.
struct ExtensionInstructions {
  let question: ExtensionQuestion

  private var language: PromptLanguage { question.answerLanguage }
  private var words: CinematographyVocabulary { question.vocabulary }

  /// The system message.
  var text: String {
    let rules = question.picture == nil ? textRules + [vocabularyRule] : pictureRules
    let numbered = zip(1..., rules + [chosenRule, answerRule].compactMap(\.self)).map { "\($0). \($1)" }
    let task =
      question.picture == nil
      ? "You write prompts for a model that makes short video clips. You get a user's prompt and write it out."
      : "You write prompts for a model that sets a picture in motion. You get the first frame of a clip, and perhaps a "
        + "user's prompt, and write what moves."
    return ([task, "Rules:"] + numbered + (question.picture == nil ? ["Words:"] + table : [])).joined(separator: "\n")
  }

  /// What stands in for a prompt that is empty.
  var prompt: String {
    guard question.prompt.allSatisfy(\.isWhitespace) else { return question.prompt }
    return "There is no prompt. Think of a motion that suits the picture."
  }

  private var textRules: [String] {
    [
      "Keep the user's subject, action, numbers, names and quoted texts as they are. Invent nothing that changes them.",
      "Describe how the subject looks (age, clothes, colours, material), what is behind it, and the course of the motion "
        + "from its start to its end, in things that can be seen.",
      "Write 60 to 200 words in whole sentences.",
      "Write nothing about mood, meaning or atmosphere.",
    ]
  }

  private var vocabularyRule: String {
    let place =
      words.place == .behind
      ? "behind the subject, with commas" : "at the very beginning, as one sentence of these words with commas"
    let most = words.mostKinds.map { language == .english ? "at most \($0) kinds, " : "" } ?? ""
    var rules = [
      "Choose words for light, colour and framing that suit the prompt from the lists below: \(most)one word of a kind, "
        + "written \(place)."
    ]
    if !words[.cameraAngle].isEmpty {
      rules.append(
        "Where the prompt says how the camera moves, choose no camera-angle and keep the move in its sentence.")
    }
    if words[.style].contains(where: { !$0.isFilm }) {
      rules.append(
        "Where the style is no film (an illustration, an anime, a painting), name the style first and choose no other "
          + "words.")
    }
    return rules.joined(separator: " ")
  }

  private var pictureRules: [String] {
    [
      "Describe motion only: what the subjects do, in their order, and how the camera moves. Describe nothing that the "
        + "picture shows already.",
      "Keep the user's actions and camera moves as they are. Without a prompt, invent a motion that suits the picture.",
      "Write at most 100 words in whole sentences.",
      "Write nothing about mood, meaning or atmosphere.",
    ]
  }

  /// What the user has decided.
  private var chosenRule: String? {
    let chosen = question.cinematography.choices.compactMap { kind, name in
      (try? words.word(kind, name)).map { "\($0.phrase(in: language)) (\(kind.rawValue))" }
    }
    guard !chosen.isEmpty else { return nil }
    return
      "The user has chosen already, and it will be put to your text: \(chosen.joined(separator: ", ")). Do not write "
      + "these, and choose no other word of these kinds."
  }

  private var answerRule: String {
    "Answer with the text alone, in \(language == .chinese ? "Chinese" : "English"), whatever language the prompt is in: no "
      + "heading, no quotation marks around it, no explanation."
  }

  private var table: [String] {
    words.kinds.map { kind in
      "- \(kind.kind.rawValue): " + kind.words.map { $0.phrase(in: language) }.joined(separator: ", ")
    }
  }
}
