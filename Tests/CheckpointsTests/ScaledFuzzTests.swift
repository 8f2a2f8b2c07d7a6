import Foundation
import Tensors
import TestSupport
import Testing

@testable import Checkpoints

/// Damaged headers of files whose tensors belong together: scales that do not fit, pairs that are none.
@Suite("Damaged headers of")
struct ScaledFuzzTests {
  private static let formats = Golden.bundledFolder + "/formats/"

  /// Damages the names, shapes and types in a header, and keeps the file's length.
  private func survive(_ path: String, count: Int, seed: UInt64, _ read: (SafetensorsFile) throws -> Void) throws {
    let sound = [UInt8](try Golden.data(Self.formats + path))
    let length = (0..<8).reduce(0) { $0 | Int(sound[$1]) << (8 * $1) }
    try read(SafetensorsFile(Storage(sound), location: path))
    var random = SeededGenerator(seed: seed)
    var refused = 0
    for _ in 0..<count {
      var damaged = sound
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        damaged[8 + Int.random(in: 0..<length, using: &random)] =
          Array("0123456789_.ABw[],".utf8).randomElement(using: &random) ?? 0
      }
      do { try read(SafetensorsFile(Storage(damaged), location: path)) } catch {
        #expect(error is CheckpointError || error is WeightError)
        refused += 1
      }
    }
    #expect(refused > 0)
  }

  @Test(
    "matrices with scales are read or refused",
    arguments: [
      "wan2.2_t2v_high_noise_14B_mixed_mxfp8_nvfp4", "wan2.2_t2v_high_noise_14B_fp8_scaled_new",
      "wan2.2_t2v_A14b_low_noise_int8_lightx2v_4step",
    ])
  func scales(name: String) throws {
    try survive("comfy/diffusion_models/\(name).safetensors", count: 7_000, seed: 1) { file in
      let source = try ScaledSource.wrapping(file, metadata: file.metadata)
      for name in source.names where source.descriptor(name)?.format.isRead == true {
        #expect(try source.matrix(name).shape == source.descriptor(name)?.shape)
      }
    }
  }

  @Test(
    "scales that have no elements, or several for a row of bytes, are refused", arguments: [[4, 0, 1], [4, 2, 1]])
  func shapes(scales: [Int]) throws {
    let source = MemorySource([
      ("l.weight", Tensor.zeros([4, 8], dtype: .i8)), ("l.weight_scale", Tensor.zeros(Shape(scales))),
    ])
    #expect(throws: CheckpointError.self) { _ = try ScaledSource.wrapping(source) }
  }

  @Test(
    "LoRAs are read or refused",
    arguments: ["kohya/style_high_noise", "lokr/style_high_noise", "dora/peft_high_noise", "diffusers/both"])
  func adapters(name: String) throws {
    try survive("lora/\(name).safetensors", count: 1_500, seed: 2) { file in
      let adapter = try AdapterFile(file, scales: .none)
      for module in adapter.modules {
        let rank = module.tensors[.down].flatMap { file.descriptor($0)?.shape.dimensions.first }
        _ = try adapter.scale(of: module, rank: rank)
      }
    }
  }
}
