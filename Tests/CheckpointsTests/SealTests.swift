import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

struct SealTests {
  /// A sealed file of three tensors, and its bytes.
  private func sealed(_ folder: TemporaryFolder) throws -> (path: String, bytes: [UInt8]) {
    let path = folder.path("a.safetensors")
    let (a, b) = (Tensor((0..<40).map(Float.init), shape: [5, 8]), Tensor.zeros([7], dtype: .i8))
    let none = Tensor.zeros([0], dtype: .f32)
    var writer = try SealedSafetensorsWriter(
      path: path,
      entries: [
        .init(name: "a", shape: a.shape, dtype: .f32), .init(name: "none", shape: [0], dtype: .f32),
        .init(name: "b", shape: b.shape, dtype: .i8),
      ], metadata: [("key", "value")])
    try writer.write(a, as: "a")
    try writer.write(none, as: "none")
    try writer.write(b, as: "b")
    try writer.finish()
    return (path, Array(try Data(contentsOf: URL(fileURLWithPath: path))))
  }

  private func check(_ bytes: [UInt8]) throws {
    try SafetensorsFile(Storage(copying: bytes.span), location: "a.safetensors").checkSeal()
  }

  @Test("a sealed file is an ordinary one with one tensor more, and its seal holds")
  func whole() throws {
    let folder = try TemporaryFolder()
    let (path, bytes) = try sealed(folder)
    let file = try SafetensorsFile(path: path)
    #expect(file.names == ["a", "none", "b", "checksums"])
    #expect(try file.tensor("a").floats() == (0..<40).map(Float.init))
    try file.checkSeal()
    try check(bytes)
    #expect(folder.contents == ["a.safetensors"])
  }

  @Test("a flipped bit in any byte is an error")
  func bits() throws {
    let (_, bytes) = try sealed(TemporaryFolder())
    for i in bytes.indices {
      var other = bytes
      other[i] ^= 1 << UInt8(i % 8)
      #expect(throws: (any Error).self, "byte \(i)") { try check(other) }
    }
  }

  @Test("a damaged tensor is named")
  func named() throws {
    let (_, bytes) = try sealed(TemporaryFolder())
    let data = 8 + Int(bytes[0]) + Int(bytes[1]) << 8
    for (offset, name) in [(0, "'a'"), (159, "'a'"), (160, "'b'"), (166, "'b'"), (167, "header or its checksums")] {
      var other = bytes
      other[data + offset] ^= 0x10
      let error = #expect(throws: CheckpointError.self) { try check(other) }
      #expect(error?.description.contains(name) == true, "\(offset): \(String(describing: error))")
    }
  }

  @Test("exchanged tensors, truncated files, other files and ten thousand damaged ones are errors, never traps")
  func fuzz() throws {
    let (_, bytes) = try sealed(TemporaryFolder())
    for count in bytes.indices {
      #expect(throws: (any Error).self) { try check(Array(bytes[..<count])) }
    }
    var generator = SeededGenerator(seed: 9)
    for _ in 0..<10_000 {
      var other = bytes
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        other[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      if other != bytes { #expect(throws: (any Error).self) { try check(other) } }
    }
  }

  @Test("a file without a seal says so, and a cancelled check ends")
  func others() throws {
    let folder = try TemporaryFolder()
    let plain = folder.path("plain.safetensors")
    var writer = try SafetensorsWriter(path: plain, entries: [.init(name: "a", shape: [2], dtype: .f32)])
    try writer.write(Tensor([1, 2], shape: [2]), as: "a")
    try writer.finish()
    let error = #expect(throws: CheckpointError.self) { try SafetensorsFile(path: plain).checkSeal() }
    #expect(error?.description.contains("carries no checksums") == true)
    let (path, _) = try sealed(folder)
    #expect(throws: CancellationError.self) { try SafetensorsFile(path: path).checkSeal { true } }
  }
}
