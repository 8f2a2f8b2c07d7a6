import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing
import WanKit

/// Files of a model that would be waited for, or that cost far more than their size: refused in good time.
struct BoundedFilesTests {
  /// Why a folder is refused, which must not take long; nothing where it is a model.
  private func refusal(of copy: ModelCopy) -> String {
    var text = ""
    let seconds = processorSeconds {
      do throws(ModelError) { _ = try ModelFolder(path: copy.path) } catch { text = error.description }
    }
    #expect(seconds < 20, "\(text)")
    return text
  }

  @Test(
    "a model file that is a pipe",
    arguments: [
      "config.json", "generation_config.json", "cinematography.json", ModelCopy.transformer, "Wan2.2_VAE.pth",
      ModelCopy.textEncoder,
      "google/umt5-xxl/tokenizer.json",
    ])
  func pipes(name: String) throws {
    let copy = try ModelCopy(of: "ti2v")
    try makePipe(at: copy.path + "/" + name)
    let text = refusal(of: copy)
    #expect(text.contains(name) && text.contains("it is a named pipe, not a regular file"), "\(text)")
  }

  /// config.json with one more member.
  private func configuration(with member: String) throws -> ModelCopy {
    let copy = try ModelCopy(of: "ti2v")
    try copy.replace("{", by: "{\"extra\": \(member),", in: "config.json")
    return copy
  }

  @Test("a configuration that nests deeply")
  func depth() throws {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      func nested(_ depth: Int) -> String {
        String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
      }
      let deepest = try configuration(with: nested(31))
      #expect(refusal(of: deepest) == "")
      for depth in [32, 500, 100_000] {
        let copy = try configuration(with: nested(depth))
        #expect(refusal(of: copy).contains("nested deeper than 32"))
      }
    }
  }

  @Test("a configuration of a megabyte, whatever it is made of")
  func size() throws {
    let marks = String(repeating: "\u{301}\u{316}", count: 100_000)
    for (member, problem) in [
      ("\"\(marks)\"", nil), ("[" + String(repeating: "[],", count: 200_000) + "1]", nil),
      (String(repeating: "9", count: 300), nil), (String(repeating: "9", count: 500_000), "a JSON value is expected"),
      ("1, \"\(marks)\": 1", "more than 1024 bytes"), ("1, \"extra\": 1", "occurs twice"),
      ("1, \"solver\": 1, \"model_type\": \"ti2v\(marks)\"", "occurs twice"),
    ] as [(String, String?)] {
      let copy = try configuration(with: member)
      let text = refusal(of: copy)
      #expect(problem.map(text.contains) ?? text.isEmpty, "\(text)")
    }
    let copy = try ModelCopy(of: "ti2v")
    try copy.set("model_type", to: "\"ti2v\(marks)\"")
    #expect(refusal(of: copy).contains("'model_type' must be a text"))
  }

  @Test("a configuration behind a byte order mark is read")
  func byteOrderMark() throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.replace("{", by: "\u{FEFF}{", in: "config.json")
    #expect(try ModelFolder(path: copy.path).latentChannels > 0)
  }

  @Test("an autoencoder of seventy stages is inspected, not computed")
  func stages() throws {
    let copy = try ModelCopy(of: "ti2v")
    let shapes: [(String, Shape)] =
      [("encoder.conv1.weight", [1, 3, 1, 1, 1]), ("decoder.conv1.weight", [1, 1, 1, 1, 1])]
      + (0..<64).flatMap { i -> [(String, Shape)] in
        [
          ("encoder.downsamples.\(i).resample.1.weight", [1, 1, 1, 1]),
          ("decoder.upsamples.\(i).resample.1.weight", [1, 1, 1, 1]),
        ]
      }
    let file = copy.path + "/stages.safetensors"
    var writer = try SafetensorsWriter(
      path: file, entries: shapes.map { .init(name: $0.0, shape: $0.1, dtype: .f32) })
    for (name, shape) in shapes { try writer.write(.zeros(shape), as: name) }
    try writer.finish()
    let report = try Inspection(path: file)
    #expect(!report.isComplete && report.networks[0].problems[0].contains("64 of which change the size"))
  }

  @Test("a transformer of hundreds of layers, of which nothing is there, is refused as such")
  func layers() throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.rewrite(ModelCopy.transformer) { tensors in
      for i in 2..<600 { tensors.append(("blocks.\(i).x", .zeros([0]))) }
    }
    #expect(refusal(of: copy).contains("600 layers are more than any model has"))
  }
}
