import Foundation
import Layers
import Sampling
import Tensors
import TestSupport
import Testing
import WanModels

@testable import Checkpoints
@testable import WanKit

/// Damaged LoRAs: each is refused by its names or changes what it says; none ends the process.
struct AdapterFuzzTests {
  private static let files = [
    "kohya/style_high_noise", "native/style_low_noise", "wan21_i2v/style_high", "diff/distill_high_noise",
    "lokr/style_high_noise", "lokr/full_high_noise", "loha/style_high_noise", "dora/style_high_noise",
    "dora/peft_high_noise", "diffusers/both",
  ]

  @Test("20 000 damaged headers are refused or read", arguments: files)
  func headers(name: String) throws {
    let sound = [UInt8](try Golden.data(Golden.bundledFolder + "/formats/lora/\(name).safetensors"))
    let length = (0..<8).reduce(0) { $0 | Int(sound[$1]) << (8 * $1) }
    let demand = try ModelFolder(path: Golden.bundledFolder + "/t2v").transformers[.high].demand
    var random = SeededGenerator(seed: UInt64(name.utf8.count))
    try change(sound, name, demand)
    var refused = 0
    for _ in 0..<2_000 {
      var damaged = sound
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        damaged[8 + Int.random(in: 0..<length, using: &random)] =
          Array("0123456789_.ABw[],".utf8).randomElement(using: &random) ?? 0
      }
      do { try change(damaged, name, demand) } catch {
        #expect(error is CheckpointError || error is WeightError || error is ModelError)
        refused += 1
      }
    }
    #expect(refused > 0)
  }

  /// Fits the file, and asks it for the change of every tensor that it names first.
  private func change(_ bytes: [UInt8], _ name: String, _ demand: Demand) throws {
    let source = try SafetensorsFile(Storage(copying: bytes.span), location: name)
    let file = try AdapterFile(source, scales: .none)
    let adapter = try LoRA(
      file, modules: file.modules.filter { !$0.name.hasPrefix("transformer_2.") }, strength: 1, for: demand)
    let shapes = Dictionary(demand.requests.map { ($0.name, $0.shape) }) { first, _ in first }
    for name in adapter.names.prefix(2) {
      let shape = try #require(shapes[name])
      let matrix: Shape = shape.rank == 0 ? [1, 1] : [shape[0], shape.count / max(1, shape[0])]
      if let update = try adapter.update(of: name) { #expect(update.shape.count == matrix.count) }
      _ = try adapter.difference(of: name)
      if let whole = try adapter.wholeUpdate(of: name, matrix: { Tensor.zeros(matrix) }) {
        #expect(whole.shape == matrix)
      }
    }
  }

  @Test("names with numbers that are none are no reason to count to them")
  func numbers() throws {
    let names = ["9223372036854775807", "-5", "64", "00000000000000000000000001"].flatMap { number in
      ["decoder.up_blocks.\(number).resnets.0.norm1.gamma", "decoder.up_blocks.0.resnets.\(number).norm1.gamma"]
    }
    let source = MemorySource(
      (names + ["encoder.mid_block.resnets.0.norm1.gamma", "encoder.down_blocks.0.resnets.0.norm1.gamma"]).map {
        ($0, Tensor.zeros([1]))
      })
    let named = try #require(NamedNetwork.all(in: source.names).first)
    #expect(try named.source(in: source).names.count < names.count)
  }
}
