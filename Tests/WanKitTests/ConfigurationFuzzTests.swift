import Foundation
import Tensors
import TestSupport
import Testing
import WanModels

@testable import WanKit

/// Damaged configurations are read or refused; they never end the process.
struct ConfigurationFuzzTests {
  private static let sound = """
    {"_class_name": "WanModel", "dim": 96, "eps": 1e-06, "ffn_dim": 192, "freq_dim": 64, "in_dim": 48,
    "model_type": "ti2v", "num_heads": 4, "num_layers": 2, "out_dim": 48, "text_len": 512, "size": [128, 64],
    "frames": 17, "fps": 12, "steps": 20, "shift": 5.0, "guidance": [3.5, 4], "solver": "unipc", "recipe": "turbo",
    "timesteps": [1000, 937.5, 600], "switch": 2, "boundary": 0.9, "note": "\\u00e9"}
    """

  private static let telling = Array("{}[]\",:-.e9".utf8)

  @Test("each alone", arguments: 0..<2)
  func fields(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var refused = 0
    for _ in 0..<10_000 {
      do {
        try read(mutated(Array(Self.sound.utf8), telling: Self.telling, using: &random))
      } catch {
        #expect(error.description.contains("fuzz.json"))
        refused += 1
      }
    }
    #expect(refused > 1_000 && refused < 10_000)
  }

  private func read(_ text: [UInt8]) throws(ModelError) {
    let file = try ConfigurationFile(Storage(copying: text.span), path: "fuzz.json")
    let facts = try TransformerConfiguration.Facts(file)
    #expect(facts.heads >= 1 && facts.textLength >= 1 && facts.epsilon > 0)
    let defaults = try ModelFamily.ti2v5B.defaults.overridden(by: file)
    #expect(defaults.steps >= 1 && defaults.width >= 1 && defaults.shift > 0 && defaults.guidance.low.isFinite)
    #expect((0...1).contains(defaults.own.boundary ?? 0) && (defaults.own.switchStep ?? 0) >= 0)
    _ = try file.string("model_type")
  }

  @Test("in their folders")
  func folders() throws {
    let copy = try ModelCopy(of: "ti2v")
    let config = Array(try Golden.data(copy.path + "/config.json"))
    var random = SeededGenerator(seed: 9)
    for _ in 0..<60 {
      try copy.write(Data(mutated(config, telling: Self.telling, using: &random)), to: "config.json")
      do {
        _ = try ModelFolder(path: copy.path)
      } catch {
        #expect(error.description.contains(copy.path))
      }
    }
  }
}
