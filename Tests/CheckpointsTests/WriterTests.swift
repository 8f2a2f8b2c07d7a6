import Checkpoints
import Files
import Foundation
import Tensors
import Testing

@Suite("Writing safetensors")
struct WriterTests {
  private let entries = [
    SafetensorsWriter.Entry(name: "a \"quoted\"\n", shape: [2, 2], dtype: .f32),
    SafetensorsWriter.Entry(name: "nothing", shape: [0], dtype: .i64),
    SafetensorsWriter.Entry(name: "b", shape: [3], dtype: .bf16),
  ]

  @Test("gives back what was written, whole or in pieces")
  func roundTrip() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/x.safetensors"
      var writer = try SafetensorsWriter(path: path, entries: entries, metadata: [("seed", "1"), ("prompt", "猫\t")])
      try writer.write(Tensor([1, 2, 3, 4], shape: [2, 2]), as: "a \"quoted\"\n")
      try writer.write([0x80, 0x3F, 0x00].span)
      try writer.write([0x40, 0x40, 0x40].span)
      #expect(!FileManager.default.fileExists(atPath: path))
      try writer.finish()
      let file = try SafetensorsFile(path: path)
      #expect(file.names == entries.map(\.name) && file.metadata.map(\.value) == ["1", "猫\t"])
      #expect(try file.tensor("a \"quoted\"\n").floats() == [1, 2, 3, 4])
      #expect(try file.tensor("b").floats() == [1, 2, 3])
      #expect(try file.tensor("a \"quoted\"\n").byteOffset.isMultiple(of: 64))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["x.safetensors"])
    }
  }

  @Test("leaves nothing behind when it is given up")
  func abandoned() throws {
    try withTemporaryFolder { folder in
      do {
        var writer = try SafetensorsWriter(path: folder + "/x.safetensors", entries: entries)
        try writer.write([1].span)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
        do throws(CheckpointError) {
          try writer.finish()
          Issue.record("a file was finished without all of its elements")
        } catch {
          #expect("\(error)".contains("its elements are not all there"))
        }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test("refuses tensors out of turn, of another shape, too many bytes, doubled names, missing folders")
  func misuse() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/x.safetensors"
      var writer = try SafetensorsWriter(path: path, entries: entries)
      #expect(throws: CheckpointError.self) { try writer.write(Tensor.zeros([3], dtype: .bf16), as: "b") }
      #expect(throws: CheckpointError.self) { try writer.write(Tensor.zeros([4]), as: entries[0].name) }
      #expect(throws: CheckpointError.self) { try writer.write([UInt8](repeating: 0, count: 17).span) }
      #expect(throws: CheckpointError.self) {
        _ = try SafetensorsWriter(path: path, entries: [entries[0], entries[0]])
      }
      #expect(complaint { _ = try SafetensorsWriter(path: folder + "/no/x", entries: []) }.contains("cannot create"))
    }
  }
}

@Suite("Mapped files")
struct MappedFileTests {
  @Test("outlive their reader, and give memory back")
  func lifetime() throws {
    try withTemporaryFolder { folder in
      try write(Samples.smallSafetensors, to: folder + "/x.safetensors")
      var tensor = try SafetensorsFile(path: folder + "/x.safetensors").tensor("b")
      let before = tensor.floats()
      tensor.discardCachedPages()
      #expect(tensor.floats() == before && tensor.storage.isMapped)
      let mayOverwrite = tensor.isUniquelyReferenced()
      #expect(!mayOverwrite, "a mapped tensor must never be overwritten")
      tensor = Tensor([1], shape: [1])
      tensor.discardCachedPages()
      let mayOverwriteFresh = tensor.isUniquelyReferenced()
      #expect(tensor.floats() == [1] && mayOverwriteFresh)
    }
  }

  @Test("may be empty, but not folders")
  func edges() throws {
    try withTemporaryFolder { folder in
      try write([], to: folder + "/empty")
      #expect(try MappedFile(path: folder + "/empty").byteCount == 0)
      try write([1, 2, 3], to: folder + "/three")
      #expect(try MappedFile(path: folder + "/three").bytes(in: 1..<3) == [2, 3])
      #expect(throws: FileError.self) { try MappedFile(path: folder) }
    }
  }
}
