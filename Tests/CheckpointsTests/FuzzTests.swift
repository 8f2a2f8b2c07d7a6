import Checkpoints
import Tensors
import TestSupport
import Testing

/// Damaged files: each is either refused or read; it never ends the process, and costs little.
@Suite("Damaged files")
struct FuzzTests {
  @Test("of safetensors are read or refused", arguments: 0..<2)
  func safetensors(seed: UInt64) {
    survive(Samples.smallSafetensors, count: 6_000, seed: seed) { bytes in
      try readAll(SafetensorsFile(bytes: bytes))
    }
  }

  @Test("of shard indices are read or refused")
  func indices() {
    let text = #"{"metadata":{"total_size":48},"weight_map":{"a.weight":"m-1","\u0062":"m-2"} , "x":[null,1e3]}"#
    survive(Array(text.utf8), count: 12_000, seed: 3) { bytes in
      let shard = try SafetensorsFile(bytes: Samples.smallSafetensors)
      try readAll(
        ShardedSafetensors(Storage(bytes), location: "index") { (_: String) throws(CheckpointError) in shard })
    }
  }

  @Test("of torch are read or refused: the archive", arguments: 0..<2)
  func archives(seed: UInt64) {
    let pickle = PickleBuilder.dictionary { $0.tensor(count: 16, offset: 1, size: [3, 4], stride: [1, 3]) }
    var zip = ZipBuilder()
    zip.isZip64 = seed == 1
    survive(PickleBuilder.archive(pickle, zip: zip), count: 6_000, seed: seed) { bytes in
      try readAll(TorchArchive(bytes: bytes))
    }
  }

  @Test("of torch are read or refused: the pickle")
  func pickles() {
    let pickle = PickleBuilder.dictionary {
      $0.code("}q\u{1}")
      $0.string("a")
      $0.tensor(count: 16, offset: 1, size: [3, 4], stride: [1, 3])
      $0.code("s")
      $0.string("list")
      $0.code("](K\u{1}G........e\u{5D}as")
    }
    survive(pickle, count: 12_000, seed: 7) { bytes in
      try readAll(TorchArchive(bytes: PickleBuilder.archive(bytes)))
    }
  }

  /// Stack-neutral steps over remembered values: a list of pairs, a dict, a tuple, and the class OrderedDict.
  private static let growth: [[UInt8]] = [
    "h\u{3}h\u{0}tR0", "h\u{0}h\u{0}a0", "h\u{0}(h\u{0}h\u{2}h\u{0}e0", "h\u{1}(K\u{1}h\u{0}K\u{2}h\u{1}u0",
    "h\u{1}Nh\u{2}s0",
    "(h\u{2}h\u{2}tq\u{2}0", "(h\u{0}h\u{2}tq\u{2}0", "]q\u{0}0", "}q\u{1}0", "h\u{0}(h\u{2}2222e0", "(2h\u{0}10",
    "h\u{0}((K\u{1}K\u{2}t(K\u{1}K\u{2}te0", "h\u{3}(h\u{0}tRq\u{1}0",
  ].map { Array($0.utf8) }

  @Test("of torch are read or refused: instructions that make values of values")
  func programs() {
    var random = SeededGenerator(seed: 13)
    var refused = 0
    let seconds = processorSeconds {
      for _ in 0..<2_000 {
        var pickle = [0x80, 2] + Array("]q\u{0}0}q\u{1}0)q\u{2}0ccollections\nOrderedDict\nq\u{3}0".utf8)
        let few = (0..<4).compactMap { _ in Self.growth.randomElement(using: &random) }
        for _ in 0..<200 { pickle += few.randomElement(using: &random) ?? [] }
        pickle += Array("h\u{1}.".utf8)
        do { try readAll(TorchArchive(bytes: PickleBuilder.archive(pickle))) } catch {
          #expect(error is CheckpointError)
          refused += 1
        }
      }
    }
    #expect(refused > 0 && refused < 2_000 && seconds < 60, "\(refused) refused in \(seconds) s")
  }

  @Test("that torch wrote are read or refused", arguments: ["nested", "tensors-protocol4"])
  func recorded(name: String) throws {
    survive(try Samples.bytes("\(name).pth"), count: 1_000, seed: 11) { bytes in try readAll(TorchArchive(bytes: bytes))
    }
  }

  private func readAll(_ source: some WeightSource) throws {
    for name in source.names {
      if let descriptor = source.descriptor(name), descriptor.dtype != nil {
        #expect(descriptor.shape.count <= 1 << 12)
      }
      _ = try source.tensor(name).floats()
    }
  }

  /// Reads `count` mutations of a sound file, and the sound file itself.
  private func survive(_ sound: [UInt8], count: Int, seed: UInt64, _ read: ([UInt8]) throws -> Void) {
    #expect(throws: Never.self) { try read(sound) }
    var random = SeededGenerator(seed: seed)
    var refused = 0
    for _ in 0..<count {
      do { try read(mutated(sound, telling: [0, 0xFF, 0x7F, 0x80, 0x28, 0x85], using: &random)) } catch {
        #expect(error is CheckpointError || error is WeightError)
        refused += 1
      }
    }
    #expect(refused > 0 && refused <= count)
  }
}
