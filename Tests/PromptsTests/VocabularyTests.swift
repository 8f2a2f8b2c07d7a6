import Testing

@testable import Prompts

/// The published words: which there are, how they are found, and what a prompt says of them.
struct VocabularyTests {
  private let words = CinematographyVocabulary.published

  @Test("the words as types are the words of the vocabulary, in its order")
  func types() {
    func names<Word: CaseIterable & RawRepresentable<String>>(_ type: Word.Type) -> Set<String> {
      Set(Word.allCases.map(\.rawValue))
    }
    let types: [CinematographyKind: Set<String>] = [
      .style: names(Cinematography.Style.self), .time: names(Cinematography.Time.self),
      .lightSource: names(Cinematography.LightSource.self), .light: names(Cinematography.Light.self),
      .lightAngle: names(Cinematography.LightAngle.self), .tone: names(Cinematography.Tone.self),
      .shot: names(Cinematography.Shot.self), .cameraAngle: names(Cinematography.CameraAngle.self),
      .composition: names(Cinematography.Composition.self), .cameraMove: names(Cinematography.CameraMove.self),
    ]
    #expect(words.kinds.map(\.kind) == CinematographyKind.allCases)
    for kind in words.kinds { #expect(Set(kind.words.map(\.name)) == types[kind.kind], "\(kind.kind)") }
  }

  @Test("every word has its own name, both languages, a line of its own, and is found by each of its phrases")
  func everyWord() throws {
    for kind in words.kinds {
      #expect(Set(kind.words.map(\.name)).count == kind.words.count)
      for word in kind.words {
        #expect(word.chinese?.unicodeScalars.contains { $0.value > 0x3000 } == true && word.meaning.hasSuffix("."))
        for phrase in word.phrases + [word.name, word.english.uppercased()] {
          #expect(try words.word(kind.kind, phrase) == word, "\(phrase)")
        }
      }
    }
  }

  @Test("a prompt that is a word's phrase says this word and no other of its kind")
  func said() {
    for kind in words.kinds {
      for word in kind.words {
        for phrase in word.phrases {
          for text in ["\(phrase).", "A cat, \(phrase), and \(phrase)", "一只猫，\(phrase)，坐着"] {
            #expect(words.said(kind.kind, in: Array(Wording.key(text).utf8)) == [word], "\(text)")
          }
        }
      }
    }
  }

  @Test(
    "what only looks like a word says nothing",
    arguments: [
      (CinematographyKind.shot, "widescreen shots"), (.shot, "A medium shotgun"),
      (.composition, "asymmetrical composition"),
      (.lightSource, "moonlights"), (.time, "a knight scene"), (.cameraMove, "She pulls back the curtain"),
      (.light, ""),
      (.cameraMove, "汽车向左移动"), (.lightAngle, "top light8"),
    ])
  func unsaid(kind: CinematographyKind, text: String) {
    #expect(words.said(kind, in: Array(Wording.key(text).utf8)).isEmpty)
  }

  @Test(
    "a misspelt word offers the nearest",
    arguments: [
      (CinematographyKind.lightSource, "moonligth", "moonlight"), (.lightSource, "monlight", "moonlight"),
      (.tone, "warn", "warm"), (.shot, "wdie", "wide"), (.cameraAngle, "low", "low-angle"),
      (.shot, "extreme", "extreme-close-up or extreme-wide"), (.time, "sunrize", "sunrise"),
      (.composition, "centre", "center"), (.cameraMove, "pan", "pan-left or pan-right"),
    ])
  func nearest(kind: CinematographyKind, text: String, offered: String) throws {
    let error = try #require(throws: CinematographyError.self) { try words.word(kind, text) }
    #expect(error.description.hasPrefix("\(kind.rawValue): '\(text)'"))
    #expect(error.description.hasSuffix("did you mean \(offered)?"), "\(error)")
  }

  @Test("a word that is like none is told all there are, and where it belongs")
  func unknown() throws {
    let other = try #require(throws: CinematographyError.self) { try words.word(.tone, "moonlight") }
    #expect(other.description.contains("warm, cool, mixed; 'moonlight' is a word of light-source"))
    let long = try #require(throws: CinematographyError.self) {
      try words.word(.shot, String(repeating: "a\u{301}", count: 100_000))
    }
    #expect(long.description.count < 400 && long.description.contains("medium-close-up"))
    #expect(throws: CinematographyError.self) { try words.word(.shot, "") }
    let few = CinematographyVocabulary(kinds: [.init(.tone, [.init("warm", english: "warm", meaning: "")])])
    let missing = try #require(throws: CinematographyError.self) { try few.word(.time, "warm") }
    #expect(missing.reason == "this model has no words for it, only for tone; 'warm' is a word of tone")
  }

  @Test(
    "a prompt's language is that of its words",
    arguments: [
      ("A cat", PromptLanguage.english), ("一只猫", .chinese), ("一只猫戴着 Nike 帽子", .chinese), ("", .english),
      ("A cafe whose sign says 咖啡", .english), ("猫がいる", .english), ("고양이 猫", .english), ("123 …", .english),
      ("𠀀𠀁", .chinese),
    ])
  func language(prompt: String, language: PromptLanguage) { #expect(PromptLanguage(of: prompt) == language) }
}
