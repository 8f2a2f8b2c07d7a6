import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
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
      let fresh = Tensor([1], shape: [1])
      fresh.discardCachedPages()
      #expect(fresh.floats() == [1])
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

@Suite("Writing GGUF")
struct GGUFWriterTests {
  @Test("values and tensors come back, and tensors begin at multiples of 32 bytes")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.gguf")
    let numbers = Tensor.random([3, 64], seed: 1)
    let codes = ElementCoding.q8_0.encode(numbers.floats().span)
    let odd = Tensor([1, 2, 3], shape: [3])
    var writer = try GGUFWriter(
      path: path,
      entries: [
        .init(name: "odd", shape: [3], dtype: .f32), .init(name: "empty", shape: [0], dtype: .f32),
        .init(name: "deep", shape: [1, 3, 1, 8, 8], dtype: .f32),
        .init(name: "codes", shape: [3, 64], format: ElementFormat(.q8_0)),
      ],
      values: [
        ("general.architecture", .string("wan")), ("a.number", .number(0.5)), ("a.count", .integer(7)),
        ("a.flag", .bool(true)), ("a.words", .strings(["ä", "", "b"])), ("a.numbers", .numbers([1, -2])),
        ("a.kinds", .integers([3, -1])), ("a.bytes", .bytes([0, 255])),
      ])
    try writer.write(odd, as: "odd")
    try writer.write(numbers.reshaped([1, 3, 1, 8, 8]), as: "deep")
    // In two parts.
    try writer.write(codes.span.extracting(0..<50))
    try writer.write(codes.span.extracting(50..<codes.count))
    try writer.finish()

    let file = try GGUFFile(path: path)
    #expect(file.names == ["odd", "empty", "deep", "codes"])
    #expect(try file.tensor("odd").floats() == [1, 2, 3])
    #expect(try file.tensor("deep").floats() == numbers.floats() && file.descriptor("deep")?.shape == [1, 3, 1, 8, 8])
    guard case .encoded(let matrix) = try file.matrix("codes") else {
      Issue.record("not in blocks")
      return
    }
    #expect(matrix.codes.withBytes { span in span.indices.map { span[$0] } } == codes && matrix.isWhole)
    #expect(matrix.codes.byteOffset % 32 == 0)
    #expect(file.text("general.architecture") == "wan" && file.metadata.map(\.value) == ["wan"])
    #expect(try file.strings("a.words") == ["ä", "", "b"] && file.numbers("a.numbers") == [1, -2])
    #expect(try file.numbers("a.kinds") == [3, -1] && file.bytes("a.bytes") == [0, 255])
  }

  @Test("what GGUF does not have, a name that comes twice and elements that are missing leave no file")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.gguf")
    #expect(throws: CheckpointError.self) {
      _ = try GGUFWriter(path: path, entries: [.init(name: "a", shape: [4], format: ElementFormat(.e4m3))])
    }
    let entry = SafetensorsWriter.Entry(name: "a", shape: [4], dtype: .f32)
    #expect(throws: CheckpointError.self) { _ = try GGUFWriter(path: path, entries: [entry, entry]) }
    #expect(throws: CheckpointError.self) { try GGUFWriter(path: path, entries: [entry]).finish() }
    #expect(try folder.allContents() == [])
  }
}
