import Foundation
import TestSupport
import Testing

@testable import Prompts

/// How prompts and words become one text.
struct DirectedPromptTests {
  private func directed(
    _ prompt: String, _ look: Cinematography, _ words: CinematographyVocabulary = .published
  ) throws -> DirectedPrompt { try DirectedPrompt(prompt, look, in: words) }

  @Test("words stand in front in the published order, whatever the order of the choices")
  func order() throws {
    let look: Cinematography = [
      .composition: "left-heavy", .shot: "medium-close-up", .lightSource: "daylight", .lightAngle: "edge",
    ]
    let english = try directed("A young girl sits in a field of tall grass.", look)
    #expect(
      english.text == "Daylight, edge lighting, medium close-up shot, left-heavy composition. "
        + "A young girl sits in a field of tall grass.")
    #expect(english.added == [.lightSource, .lightAngle, .shot, .composition] && english.notices.isEmpty)
    let chinese = try directed("一个年轻的女孩坐在高草丛生的田野中。", look)
    #expect(chinese.text == "日光，边缘光，中近景，左侧重构图，一个年轻的女孩坐在高草丛生的田野中。")
  }

  @Test("a style comes first, and the camera's move goes into the sentence")
  func styleAndMove() throws {
    var look = Cinematography()
    (look.style, look.tone, look.cameraMove) = (.felt, .warm, .pushIn)
    #expect(try directed("A fox runs.", look).text == "Felt style, warm colors. A fox runs, camera pushes in.")
    #expect(try directed("A fox runs!", look).text == "Felt style, warm colors. A fox runs! Camera pushes in.")
    #expect(try directed("一只狐狸在跑。", look).text == "毛毡风格，暖色调，一只狐狸在跑，镜头推进。")
    #expect(try directed("  ", look).text == "Felt style, warm colors. Camera pushes in.")
  }

  @Test("an asked language goes before the prompt's own")
  func language() throws {
    var look: Cinematography = [.lightSource: "moonlight"]
    look.language = .chinese
    #expect(try directed("A cat", look).text == "月光，A cat")
    look.language = .english
    #expect(try directed("一只猫", look).text == "Moonlight. 一只猫")
  }

  @Test("no word of any kind is told twice, in neither language")
  func never() throws {
    for kind in CinematographyVocabulary.published.kinds {
      for word in kind.words {
        for prompt in word.phrases.map({ "A cat, \($0), sits." }) {
          let told = try directed(prompt, [kind.kind: word.name])
          #expect(told.text == prompt && told.added.isEmpty && told.notices.isEmpty, "\(told)")
        }
      }
    }
  }

  @Test("a directed prompt that is directed again stays as it is")
  func again() throws {
    let words = CinematographyVocabulary.published
    var random = SeededGenerator(seed: 3)
    for _ in 0..<300 {
      var look = Cinematography()
      for kind in words.kinds where Bool.random(using: &random) {
        look[kind.kind] = kind.words.randomElement(using: &random)?.name
      }
      let prompt = Bool.random(using: &random) ? "A cat sits on a roof." : "一只猫坐在屋顶上。"
      let once = try directed(prompt, look)
      #expect(try directed(once.text, look).text == once.text, "\(once.text)")
    }
  }

  @Test("an angle is left out beside a camera's move, chosen or told by the prompt")
  func angles() throws {
    let both = try directed("A cat sits.", [.cameraAngle: "low-angle", .cameraMove: "orbit"])
    #expect(both.text == "A cat sits, camera orbits." && both.notices.count == 1)
    #expect(both.notices[0].contains("camera-angle low-angle") && both.notices[0].contains("camera orbits"))
    let told = try directed("A cat sits, the camera pans left.", [.cameraAngle: "aerial", .tone: "cool"])
    #expect(told.text == "Cool colors. A cat sits, the camera pans left." && told.notices.count == 1)
    #expect(try directed("A cat sits.", [.cameraAngle: "low-angle"]).text == "Low angle shot. A cat sits.")
  }

  @Test("a style that is no film takes no words, chosen or told by the prompt")
  func drawings() throws {
    let look: Cinematography = [
      .style: "illustration", .lightSource: "moonlight", .shot: "wide", .cameraMove: "static",
    ]
    let chosen = try directed("A cat sits.", look)
    #expect(chosen.text == "2D illustration style. A cat sits, static camera.")
    #expect(chosen.notices.count == 1 && chosen.notices[0].contains("light-source moonlight, shot wide"))
    let told = try directed("水彩画，一只猫", [.tone: "cool"])
    #expect(told.text == "水彩画，一只猫" && told.notices.count == 1)
  }

  @Test("more kinds than are usual are kept, and told of in English alone")
  func many() throws {
    let look: Cinematography = [
      .time: "night", .lightSource: "moonlight", .light: "hard", .tone: "cool", .shot: "wide", .style: "cinematic",
      .cameraMove: "static",
    ]
    let english = try directed("A cat", look)
    #expect(
      english.added.count == 7
        && english.notices == [
          "5 kinds of words stand before the subject: all are kept, but the model has learned from at most 4"
        ])
    #expect(try directed("一只猫", look).notices.isEmpty)
  }

  @Test("another word of a kind that the prompt says is put beside it, with a word of warning")
  func contradiction() throws {
    let told = try directed("Extreme close-up shot of a cat.", [.shot: "wide"])
    #expect(told.text == "Wide shot. Extreme close-up shot of a cat.")
    #expect(told.notices == ["the prompt says 'extreme close-up shot' itself, and shot wide beside it"])
  }

  @Test("a vocabulary may have its words behind the subject")
  func behind() throws {
    let words = CinematographyVocabulary(
      kinds: [
        .init(.lightSource, [.init("sunset", english: "sunset scene", meaning: "")]),
        .init(.tone, [.init("warm", english: "warm tones", meaning: "")]),
        .init(.cameraMove, [.init("static", english: "static camera", meaning: "")]),
      ], place: .behind)
    var look: Cinematography = [.cameraMove: "static", .tone: "warm", .lightSource: "sunset"]
    #expect(
      try directed("A red ball bounces", look, words).text
        == "A red ball bounces, sunset scene, warm tones, static camera.")
    #expect(
      try directed("A red ball bounces, warm tones.", look, words).text
        == "A red ball bounces, warm tones, sunset scene, static camera.")
    #expect(try directed("一只猫", [.tone: "warm"], words).text == "一只猫, warm tones.")
    look.language = .chinese
    let error = try #require(throws: CinematographyError.self) { try directed("A cat", look, words) }
    #expect(error.description == "prompt-language: this model has no Chinese words; its prompts are English")
  }

  @Test("words are kept by their own names, and come back from JSON")
  func names() throws {
    let told = try directed("A cat", [.shot: "Wide Shot", .lightSource: "月光"])
    #expect(told.cinematography == [.shot: "wide", .lightSource: "moonlight"])
    var look = told.cinematography
    look.language = .english
    let json = try JSONEncoder().encode(look)
    #expect(try JSONDecoder().decode(Cinematography.self, from: json) == look)
    for text in [#"{"shots": "wide"}"#, #"{"language": "klingon"}"#, #"{"shot": 1}"#, "[]"] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(Cinematography.self, from: Data(text.utf8)) }
    }
  }

  @Test("any prompt is directed in a moment")
  func anything() throws {
    var random = SeededGenerator(seed: 5)
    let pieces = ["shot", "wide ", "中近景", "。", "!", "e\u{301}\u{301}", "\u{0}", "-", "\n", "Moonlight", " ", "🦊", "镜头"]
    for count in [1, 7, 60, 5000] {
      for _ in 0..<20 {
        let prompt = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        let told = try directed(prompt, [.shot: "wide", .lightSource: "moonlight", .cameraMove: "orbit"])
        #expect(told.text.utf8.count >= prompt.utf8.count - 200)
      }
    }
  }
}
