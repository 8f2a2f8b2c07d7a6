import CPUBackend
import Checkpoints
import Foundation
import Synchronization
import Tensors
import TestSupport
import Testing
import WanKit

struct QuantizedWeightCacheTests {
  private static let kept = "diffusion_pytorch_model.int8"

  /// Bits of a one-step run in int8, and what the run told.
  private func run(
    _ model: ModelCopy, _ place: QuantizedWeightCache.Place?
  ) async throws -> (bits: [UInt32], notices: [String]) {
    let plan = try GenerationPlan(
      SmallRuns.request(.int8, steps: 1), model: ModelFolder(path: model.path), on: .reference)
    let engine = Engine(backend: CPUBackend(threads: 2), int8Cache: place.map(QuantizedWeightCache.init))
    let recorder = EventRecorder()
    let trace = try await engine.run(plan, keepTrace: true, onEvent: { recorder($0) }, frames: { _ in })
    return (try #require(trace).bits(), recorder.notices)
  }

  private func entries(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains(".int8") }
  }

  @Test("kept weights give the same bytes as fresh ones, for one expert and for two", arguments: ["ti2v", "t2v"])
  func kept(name: String) async throws {
    let (model, folder) = (try ModelCopy(of: name), try TemporaryFolder())
    let fresh = try await run(model, nil)
    #expect(fresh.notices.isEmpty)
    let place = QuantizedWeightCache.Place.folder(folder.path + "/kept")
    let first = try await run(model, place)
    #expect(first.bits == fresh.bits && first.notices.count == 1)
    let second = try await run(model, place)
    #expect(second.bits == fresh.bits && second.notices.isEmpty)
    #expect(try entries(folder.path + "/kept").count == 1)
  }

  @Test("kept beside the model, they do not hide it")
  func beside() async throws {
    let model = try ModelCopy(of: "ti2v")
    let first = try await run(model, .besideModel)
    #expect(try entries(model.path) == ["diffusion_pytorch_model.int8"])
    #expect(try await run(model, .besideModel).bits == first.bits)
  }

  @Test("they are really read: other bytes in them, sealed anew, give another clip")
  func read() async throws {
    let model = try ModelCopy(of: "ti2v")
    let fresh = try await run(model, .besideModel)
    let path = model.path + "/" + Self.kept
    let file = try SafetensorsFile(path: path)
    let tensors = try file.names.dropLast().map { name in
      let tensor = try file.tensor(name)
      return (
        name,
        name.hasSuffix(".weight")
          ? Tensor.filled(shape: tensor.shape, dtype: .i8, as: Int8.self) {
            for i in 0..<$0.count { $0[i] = 77 }
          } : tensor
      )
    }
    var writer = try SealedSafetensorsWriter(
      path: path, entries: tensors.map { .init(name: $0, shape: $1.shape, dtype: $1.dtype) }, metadata: file.metadata)
    for (name, tensor) in tensors { try writer.write(tensor, as: name) }
    try writer.finish()
    let other = try await run(model, .besideModel)
    #expect(other.bits != fresh.bits && other.notices.isEmpty)
  }

  @Test(
    "a flipped bit anywhere is told, and the file is made anew",
    arguments: ["length", "header", "identity", "first matrix", "middle", "scales", "checksums", "last"])
  func damaged(place: String) async throws {
    let model = try ModelCopy(of: "ti2v")
    let fresh = try await run(model, .besideModel)
    let whole = try Golden.data(model.path + "/" + Self.kept)
    let file = try SafetensorsFile(path: model.path + "/" + Self.kept)
    let sums = 8 * (file.names.count)
    try edit(model) { bytes in
      let data = 8 + Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
      let offset =
        switch place {
        case "length": 3
        case "header": 300
        case "identity": 50
        case "first matrix": data + 5
        case "middle": data + (bytes.count - data) / 2
        case "scales": bytes.count - sums - 6
        case "checksums": bytes.count - sums + 3
        default: bytes.count - 1
        }
      bytes[offset] ^= 4
    }
    let again = try await run(model, .besideModel)
    #expect(again.bits == fresh.bits && again.notices.count == 1)
    #expect(again.notices[0].hasPrefix("replacing int8 weights that cannot be used: \(model.path)"), "\(again.notices)")
    #expect(try Golden.data(model.path + "/" + Self.kept) == whole)
    #expect(try await run(model, .besideModel).notices.isEmpty)
  }

  @Test("files of two checkpoints that were exchanged are made anew")
  func exchanged() async throws {
    let (first, second) = (try ModelCopy(of: "ti2v"), try ModelCopy(of: "ti2v"))
    try second.rewrite("diffusion_pytorch_model.safetensors") { tensors in
      tensors.replace("blocks.0.ffn.0.weight") { Tensor.random($0.shape, seed: 1, scale: 0.02) }
    }
    let bits = try await run(first, .besideModel).bits
    _ = try await run(second, .besideModel)
    try edit(first) { $0 = (try? Golden.data(second.path + "/" + Self.kept)) ?? Data() }
    let again = try await run(first, .besideModel)
    #expect(again.bits == bits && again.notices.count == 1)
    #expect(again.notices[0].contains("it is not of this checkpoint"), "\(again.notices)")
  }

  @Test("two runs that make the same file at once both end well")
  func concurrent() async throws {
    let model = try ModelCopy(of: "ti2v")
    let bits = try await run(model, nil).bits
    async let first = run(model, .besideModel)
    async let second = run(model, .besideModel)
    for result in try await [first, second] { #expect(result.bits == bits) }
    #expect(try entries(model.path) == [Self.kept])
    #expect(try await run(model, .besideModel).notices.isEmpty)
  }

  @Test("another checkpoint under the same name is quantized anew")
  func changed() async throws {
    let (model, folder) = (try ModelCopy(of: "ti2v"), try TemporaryFolder())
    _ = try await run(model, .folder(folder.path))
    try model.rewrite("diffusion_pytorch_model.safetensors") { tensors in
      tensors.replace("blocks.0.ffn.0.weight") { Tensor.random($0.shape, seed: 1, scale: 0.02) }
    }
    let fresh = try await run(model, nil)
    let kept = try await run(model, .folder(folder.path))
    #expect(kept.bits == fresh.bits && kept.notices.count == 1)
  }

  @Test("a place that cannot be written is told and does no harm")
  func unwritable() async throws {
    let model = try ModelCopy(of: "ti2v")
    let result = try await run(model, .folder("/dev/null/kept"))
    #expect(result.bits == (try await run(model, nil)).bits)
    #expect(result.notices.count == 1 && result.notices[0].hasPrefix("int8 weights are not kept: "))
  }

  @Test("a truncated or foreign file is replaced, and no partial file stays", arguments: [0, 7, 8, 300, 4000])
  func truncated(length: Int) async throws {
    let model = try ModelCopy(of: "ti2v")
    let fresh = try await run(model, .besideModel)
    try edit(model) { bytes in bytes = Data(bytes.prefix(length)) }
    let again = try await run(model, .besideModel)
    #expect(again.bits == fresh.bits && again.notices.count == 1)
    #expect(try entries(model.path) == ["diffusion_pytorch_model.int8"])
  }

  @Test("damaged headers never crash a run")
  func fuzz() async throws {
    let model = try ModelCopy(of: "ti2v")
    let fresh = try await run(model, .besideModel)
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<10 {
      try edit(model) { bytes in
        for _ in 0..<3 {
          bytes[Int.random(in: 0..<2000, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
      }
      let result = try await run(model, .besideModel)
      #expect(result.bits == fresh.bits)
    }
  }

  private func edit(_ model: ModelCopy, _ change: (inout Data) -> Void) throws {
    let url = URL(fileURLWithPath: model.path + "/diffusion_pytorch_model.int8")
    var bytes = try Data(contentsOf: url)
    change(&bytes)
    try bytes.write(to: url)
  }
}
