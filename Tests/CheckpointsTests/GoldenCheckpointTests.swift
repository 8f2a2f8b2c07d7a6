import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Published layouts")
struct GoldenCheckpointTests {
  private struct Recorded: Decodable {
    struct Entry: Decodable {
      let name: String
      let dtype: String
      let shape: [Int]
      let first: [Float]
      let sum: Double
    }
    let count: Int
    let tensors: [Entry]
  }

  @Test("open, and hold the numbers that torch reads")
  func values() throws {
    let recorded = try JSONDecoder().decode(
      [String: Recorded].self, from: Golden.data(Samples.folder + "golden.json"))
    #expect(recorded.count == 14)
    let root = URL(fileURLWithPath: Golden.bundledFolder).deletingLastPathComponent().deletingLastPathComponent().path
    for (path, expected) in recorded {
      let checkpoint = try openCheckpoint(path: root + "/" + path)
      #expect(checkpoint.names.count == expected.count)
      for entry in expected.tensors {
        let tensor = try checkpoint.tensor(entry.name)
        #expect(tensor.shape.dimensions == entry.shape && tensor.dtype.rawValue == entry.dtype)
        #expect(tensor.storage.isMapped, "\(path) \(entry.name)")
        let floats = tensor.floats()
        #expect(Array(floats.prefix(3)) == entry.first)
        #expect(abs(floats.reduce(0) { $0 + Double($1) } - entry.sum) <= 1e-9 * max(1, abs(entry.sum)))
      }
    }
  }

  @Test(
    "cut off anywhere are refused",
    arguments: ["t2v/Wan2.1_VAE.pth", "i2v/low_noise_model/diffusion_pytorch_model.safetensors"])
  func truncated(path: String) throws {
    let data = try Golden.data(Golden.bundledFolder + "/" + path)
    for part in 0..<40 {
      let storage = Storage([UInt8](data.prefix(data.count * part / 40)))
      #expect(throws: CheckpointError.self) {
        if path.hasSuffix("pth") {
          _ = try TorchArchive(storage, location: path)
        } else {
          _ = try SafetensorsFile(storage, location: path)
        }
      }
    }
  }
}
