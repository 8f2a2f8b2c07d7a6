import CPUBackend
import Foundation
import Prompts
import Tensors
import TestSupport
import Testing

@testable import WanKit

/// Words of cinematography from a model's folder into plan, metadata and saved runs.
struct CinematographyTests {
  private static let nano =
    URL(fileURLWithPath: Golden.bundledFolder).deletingLastPathComponent()
    .deletingLastPathComponent().path + "/Models/nano-ti2v"

  @Test("the bundled model's words make the prompt that its README shows")
  func bundled() throws {
    let model = try ModelFolder(path: Self.nano)
    let told = try DirectedPrompt(
      "A red ball bounces",
      [.lightSource: "sunset", .composition: "center", .tone: "warm", .cameraMove: "static"], in: model.vocabulary)
    let readme = String(decoding: try Golden.data(Self.nano + "/README.md"), as: UTF8.self)
    #expect(readme.contains("    \(told.text)\n"))
    #expect(try CinematographyVocabulary(ofModel: Self.nano) == model.vocabulary)
  }

  @Test("a plan composes the prompt, and its description keeps the parts")
  func plan() throws {
    var request = SmallRuns.request()
    let plain = try GenerationPlan(request, model: SmallRuns.model("ti2v"), on: .reference)
    #expect(plain.directedPrompt == nil && plain.prompt == request.prompt)
    request.cinematography = [.lightSource: "moonlight", .shot: "Wide shot"]
    let plan = try GenerationPlan(request, model: SmallRuns.model("ti2v"), on: .reference)
    #expect(plan.prompt == "Moonlight, wide shot. A red ball bounces." && plan.userPrompt == request.prompt)
    #expect(plan.tokenIDs != plain.tokenIDs)
    let clip = ClipDescription(plan)
    #expect(clip.prompt == plan.prompt && clip.userPrompt == request.prompt)
    #expect(clip.cinematography == [.lightSource: "moonlight", .shot: "wide"])
    #expect(try JSONDecoder().decode(ClipDescription.self, from: JSONEncoder().encode(clip)) == clip)
    let keys = try JSONSerialization.jsonObject(with: JSONEncoder().encode(ClipDescription(plain))) as? [String: Any]
    #expect(keys?["userPrompt"] == nil && keys?["cinematography"] == nil && keys?["prompt"] != nil)
  }

  @Test("a run that was saved composes the same prompt, and another word is another run")
  func saved() throws {
    let model = try SmallRuns.model("t2v")
    var request = SmallRuns.request()
    request.cinematography = [.tone: "cool"]
    let kept = try JSONDecoder().decode(GenerationRequest.self, from: JSONEncoder().encode(request))
    #expect(kept == request)
    func fingerprint(_ request: GenerationRequest) throws -> RunFingerprint {
      RunFingerprint(try GenerationPlan(request, model: model, on: .reference), on: .reference, version: "1")
    }
    #expect(try fingerprint(kept).differences(from: fingerprint(request)).isEmpty)
    var other = request
    other.cinematography.tone = .warm
    #expect(try fingerprint(other).differences(from: fingerprint(request)).contains { $0.hasPrefix("prompt: ") })
  }

  @Test("a word that the model does not have is an error of the request")
  func unknown() throws {
    var request = SmallRuns.request()
    request.cinematography = [.shot: "wyde"]
    let error = try #require(throws: RequestError.self) {
      try GenerationPlan(request, model: SmallRuns.model("ti2v"), on: .reference)
    }
    #expect("\(error)" == "cinematography: shot: 'wyde' is none of this model's words; did you mean wide?")
  }
}

/// `cinematography.json`: read, or refused with the place; damaged ones never end the process.
struct CinematographyFileTests {
  static let sound = """
    {"place": "behind", "mostKinds": 3, "note": 1, "kinds": [
    {"kind": "style", "words": [{"name": "ink", "english": "ink", "film": false}]},
    {"kind": "tone", "words": [
    {"name": "warm", "english": "warm tones", "chinese": "\\u6696", "also": ["warm colors", "hot"], "meaning": "Red."},
    {"name": "cool-2", "english": "cool tones"}]}]}
    """

  private func read(_ text: some Sequence<UInt8>) throws(ModelError) -> CinematographyVocabulary {
    try CinematographyFile(ConfigurationFile(Storage(copying: Array(text).span), path: "words.json")).vocabulary()
  }

  @Test("everything in it counts")
  func whole() throws {
    let words = try read(Self.sound.utf8)
    #expect(words.place == .behind && words.mostKinds == 3 && words.kinds.map(\.kind) == [.style, .tone])
    #expect(words[.style].first?.isFilm == false)
    let warm = try words.word(.tone, "hot")
    #expect(warm.chinese == "暖" && warm.meaning == "Red." && warm.isFilm && words[.tone][1].name == "cool-2")
  }

  private static func word(_ members: String) -> String { #"{"kinds": [{"kind": "tone", "words": [{\#(members)}]}]}"# }

  @Test(
    "what is wrong is told by its place",
    arguments: [
      ("[]", "is not a JSON object"), ("{}", "'kinds' must be"), (#"{"kinds": []}"#, "'kinds' must be"),
      (#"{"kinds": [{"kind": "smell", "words": []}]}"#, "not 'smell'"),
      (#"{"kinds": [{"kind": "tone", "words": []}]}"#, "'tone' must have 'words'"),
      (#"{"kinds": [{"kind": "tone"}]}"#, "'tone' must have 'words'"), (#"{"kinds": [7]}"#, "'kind' must be one of"),
      (word(#""name": "Warm Tones", "english": "x""#), "small letters, digits and hyphens, not 'Warm Tones'"),
      (word(#""name": "list", "english": "x""#), "not 'list'"),
      (word(#""name": "a""#), "'english' of 'tone' 'a' is missing"),
      (word(#""name": "a", "english": " ""#), "'english' of 'tone' 'a' must be a line"),
      (word(#""name": "a", "english": "x\u001b[2J""#), "must be a line"),
      (word(#""name": "a", "english": "x\ny""#), "must be a line"),
      (word(#""name": "a", "english": "\#(String(repeating: "x", count: 129))""#), "at most 128 bytes"),
      (word(#""name": "a", "english": "x", "also": "y""#), "'also' of 'tone' 'a' must be a list"),
      (word(#""name": "a", "english": "x"}, {"name": "a", "english": "y""#), "'a' of 'tone' occurs twice"),
      (#"{"place": "beside", "kinds": [{"kind": "tone", "words": [{"name": "a", "english": "b"}]}]}"#, "not 'beside'"),
    ])
  func wrong(text: String, reason: String) throws {
    let error = try #require(throws: ModelError.self) { try read(text.utf8) }
    #expect(error.description.hasPrefix("words.json: ") && error.description.contains(reason), "\(error)")
  }

  @Test("a kind that occurs twice is refused")
  func twice() throws {
    let kind = #"{"kind": "tone", "words": [{"name": "a", "english": "b"}]}"#
    let error = try #require(throws: ModelError.self) { try read("{\"kinds\": [\(kind), \(kind)]}".utf8) }
    #expect(error.description.contains("'tone' occurs twice"))
  }

  @Test("damaged files are read or refused, and what is read composes prompts", arguments: 0..<2)
  func fuzz(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var refused = 0
    for _ in 0..<5_000 {
      do {
        let words = try read(mutated(Array(Self.sound.utf8), telling: Array("{}[]\",:-.e9".utf8), using: &random))
        for kind in words.kinds {
          let told = try DirectedPrompt("A cat", [kind.kind: kind.words[0].name], in: words)
          #expect(told.text.lowercased().contains(kind.words[0].english.lowercased()))
        }
      } catch let error as ModelError {
        #expect(error.description.hasPrefix("words.json: "))
        refused += 1
      }
    }
    #expect(refused > 500 && refused < 5_000)
  }

  @Test("a folder's own file counts, a damaged one is refused by name, and converted models keep it")
  func folders() throws {
    let copy = try ModelCopy(of: "ti2v")
    #expect(try ModelFolder(path: copy.path).vocabulary == .published)
    try copy.write(Self.sound, to: "cinematography.json")
    #expect(try ModelFolder(path: copy.path).vocabulary == read(Self.sound.utf8))
    let folder = try TemporaryFolder()
    let made = folder.path + "/converted"
    let request = ConversionRequest(input: copy.path, output: made, format: .bf16, layout: .diffusers)
    _ = try Conversion(request).run(on: CPUBackend(threads: 2))
    #expect(try ModelFolder(path: made).vocabulary == read(Self.sound.utf8))
    try copy.write("{\"kinds\": 1}", to: "cinematography.json")
    let error = try #require(throws: ModelError.self) { try ModelFolder(path: copy.path) }
    #expect(error.description.contains("cinematography.json: 'kinds' must be"))
  }
}
