import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("GGUF")
struct GGUFTests {
  private static let folder = Golden.bundledFolder + "/formats/gguf/"

  @Test("every type in use stands for the numbers that the gguf package reads, bit by bit")
  func types() throws {
    let file = try GGUFFile(path: Self.folder + "types.gguf")
    let expected = try Golden.tensors("formats/gguf/types.expected.safetensors")
    #expect(file.names.count == 15 && Set(file.names) == Set(expected.keys))
    for name in file.names {
      let matrix = try file.matrix(name)
      #expect(matrix.shape == expected[name]?.shape)
      #expect(matrix.dense.floats().map(\.bitPattern) == expected[name]?.floats().map(\.bitPattern), "\(name)")
    }
  }

  @Test("types that nobody uses for Wan are refused by name, and do not hide the others")
  func rareTypes() throws {
    let file = try GGUFFile(path: Self.folder + "types_rare.gguf")
    #expect(file.names.count == 10)
    for name in file.names {
      let type = try #require(name.split(separator: ".").dropFirst().first).description
      let error = try #require(throws: WeightError.self) { _ = try file.matrix(name) }
      #expect(error.description.contains(type) && error.description.contains(name), "\(error)")
    }
  }

  @Test("rows can be taken out of blocks one by one")
  func rows() throws {
    let file = try GGUFFile(path: Self.folder + "types.gguf")
    guard case .encoded(let matrix) = try file.matrix("test.Q4_K.weight") else {
      Issue.record("not in blocks")
      return
    }
    let all: [Float] = matrix.floats.floats()
    let (first, second): ([Float], [Float]) = (Array(all[..<512]), Array(all[512...]))
    let rows: [Float] = matrix.rows([1, 0, 1]).floats()
    let expected: [Float] = second + first + second
    #expect(rows == expected)
  }

  @Test("shapes are those that the writer noted, and kernels of stable-diffusion.cpp get their channels back")
  func shapes() throws {
    let noted = try GGUFFile(path: Self.folder + "Wan2.2-T2V-A14B-LowNoise-Q4_0.gguf")
    #expect(noted.descriptor("patch_embedding.weight")?.shape == [64, 16, 1, 2, 2])
    #expect(noted.text("general.architecture") == "wan")
    let joined = try openCheckpoint(path: Self.folder + "wan2.2_t2v_high_noise_sdcpp-Q5_1.gguf")
    #expect(joined.descriptor("model.diffusion_model.patch_embedding.weight")?.shape == [64, 16, 1, 2, 2])
  }

  @Test("counts that no file can hold are refused without memory for them")
  func counts() throws {
    let three: [UInt8] = Array("GGUF".utf8) + UInt32(3).littleEndianBytes
    let huge: [UInt8] = UInt64(1 << 60).littleEndianBytes
    let (none, one): ([UInt8], [UInt8]) = (UInt64(0).littleEndianBytes, UInt64(1).littleEndianBytes)
    let array: [UInt8] = UInt32(9).littleEndianBytes + UInt32(8).littleEndianBytes
    let oneValue: [UInt8] = three + none + one
    let named: [UInt8] = oneValue + one + [0x61]
    let bigEndian: [UInt8] = Array("GGUF".utf8) + [0, 0, 0, 3] + none + none
    let cases: [[UInt8]] = [
      three + huge + none, three + none + huge, named + array + huge, oneValue + huge + [0x61], bigEndian,
    ]
    for bytes in cases {
      let error = try #require(throws: CheckpointError.self) { _ = try GGUFFile(Storage(bytes), location: "x") }
      #expect(error.description.hasPrefix("x: byte "), "\(error)")
    }
  }

  @Test("damaged files are read or refused", arguments: 0..<4)
  func damaged(seed: UInt64) throws {
    let sound = [UInt8](try Golden.data(Self.folder + "types.gguf").prefix(1200))
    var whole = sound
    whole += [UInt8](try Golden.data(Self.folder + "types.gguf").dropFirst(1200))
    var random = SeededGenerator(seed: seed)
    var refused = 0
    for _ in 0..<5_000 {
      // Only the header is worth damaging: blocks of any bytes are numbers.
      let header = mutated(sound, telling: [0, 0xFF, 0x7F, 8, 9, 30], using: &random)
      do {
        let file = try GGUFFile(Storage(header + whole[1200...]), location: "x")
        for name in file.names.prefix(3) where file.descriptor(name)?.format.isRead == true {
          _ = try file.matrix(name)
        }
      } catch {
        #expect(error is CheckpointError || error is WeightError)
        refused += 1
      }
    }
    #expect(refused > 0 && refused < 5_000)
  }
}

@Suite("Floats of a byte and less")
struct SmallFloatTests {
  @Test("stand for the numbers that torch reads, NaN for NaN")
  func tables() throws {
    let expected = try Golden.tensors("formats/comfy/fp8_tables.safetensors")
    for (name, table) in [("e4m3fn", SmallFloat.e4m3), ("e5m2", SmallFloat.e5m2), ("e8m0", SmallFloat.e8m0)] {
      let numbers = try #require(expected[name]?.floats())
      #expect(zip(table, numbers).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }, "\(name)")
      #expect(table.count == numbers.count)
    }
  }
}
