import Checkpoints
import Foundation
import Tensors
import Testing

@Suite("Opening a checkpoint")
struct OpenCheckpointTests {
  @Test("takes files, indices and folders")
  func kinds() throws {
    try withTemporaryFolder { folder in
      try write(Samples.smallSafetensors, to: folder + "/model.bin")
      #expect(try openCheckpoint(path: folder + "/model.bin") is SafetensorsFile)
      try write(Samples.bytes("nested.pth"), to: folder + "/weights")
      #expect(try openCheckpoint(path: folder + "/weights") is TorchArchive)
      try write(Samples.smallSafetensors, to: folder + "/other.safetensors")
      #expect(try openCheckpoint(path: folder).location == folder + "/other.safetensors")
      try write(Samples.smallSafetensors, to: folder + "/diffusion_pytorch_model.safetensors")
      #expect(try openCheckpoint(path: folder + "/").location == folder + "/diffusion_pytorch_model.safetensors")
    }
  }

  @Test("joins shards, also as a folder")
  func shards() throws {
    try withTemporaryFolder { folder in
      try writeShards(folder)
      let checkpoint = try openCheckpoint(path: folder)
      #expect(checkpoint is ShardedSafetensors && checkpoint.names == ["a", "b", "c"])
      #expect(try checkpoint.tensor("b").floats() == [2, 2, 2, 2])
      #expect(checkpoint.descriptor("c") == TensorDescriptor(shape: [4], dtype: .f32))
      #expect(complaint { _ = try checkpoint.tensor("d") }.contains("'d' is missing"))
    }
  }

  @Test("joins shards that begin or end with tensors without elements")
  func emptyTensors() throws {
    try withTemporaryFolder { folder in
      let entries = [0, 4, 0, 4, 0].enumerated().map { i, count in
        SafetensorsWriter.Entry(name: "t\(i)", shape: [count], dtype: .u8)
      }
      var writer = try ShardedSafetensorsWriter(folder: folder, stem: "m", entries: entries, shardByteCount: 4)
      try writer.write([1, 2, 3].span)
      try writer.write([4].span)
      try writer.write([5, 6, 7, 8].span)
      try writer.finish()
      let checkpoint = try openCheckpoint(path: folder)
      #expect(checkpoint.names == ["t0", "t1", "t2", "t3", "t4"])
      #expect(try checkpoint.tensor("t3").floats() == [5, 6, 7, 8] && checkpoint.tensor("t4").floats().isEmpty)
    }
  }

  @Test("names a missing shard, and a tensor missing from its shard")
  func missingShards() throws {
    try withTemporaryFolder { folder in
      try writeShards(folder)
      let shard = folder + "/m-00002-of-00002.safetensors"
      try write(Samples.smallSafetensors, to: shard)
      #expect(
        complaint { _ = try openCheckpoint(path: folder) }.contains(
          "\(shard): the shard lacks tensors that the index places in it: 'c'"))
      try FileManager.default.removeItem(atPath: shard)
      #expect(
        complaint { _ = try openCheckpoint(path: folder) }.contains(
          "m.safetensors.index.json: 1 of its 2 shards is missing: 'm-00002-of-00002.safetensors'; download it into"))
      try FileManager.default.removeItem(atPath: folder + "/m-00001-of-00002.safetensors")
      #expect(
        complaint { _ = try openCheckpoint(path: folder) }.contains(
          "2 of its 2 shards are missing: 'm-00001-of-00002.safetensors', 'm-00002-of-00002.safetensors'; download them"
        ))
      try write([], to: folder + "/m-00001-of-00002.safetensors")
      try write([0], to: folder + "/m-00002-of-00002.safetensors")
      #expect(
        complaint { _ = try openCheckpoint(path: folder) }.contains(
          "2 of its shards cannot be opened: 'm-00001-of-00002.safetensors', 'm-00002-of-00002.safetensors'"))
    }
  }

  @Test(
    "refuses indices that are none, or that reach outside their folder",
    arguments: [
      (#"{"weight_map":{"a":"../x.safetensors"}}"#, "not the name of a file beside the index"),
      (#"{"weight_map":{"a":"x","a":"x"}}"#, "the tensor 'a' occurs twice"),
      (#"{"metadata":{}}"#, "it has no 'weight_map'"),
      (#"{"weight_map":{"a":1}}"#, "byte 19: '\"' is expected"), (#"{"weight_map":{"a":"#, "byte 19: '\"' is expected"),
    ])
  func badIndices(text: String, expected: String) {
    let complaint = complaint {
      _ = try ShardedSafetensors(Storage(Array(text.utf8)), location: "index") { (_: String) throws(CheckpointError) in
        try SafetensorsFile(bytes: Samples.smallSafetensors)
      }
    }
    #expect(complaint.contains(expected), "\(complaint)")
  }

  @Test("says what it found instead")
  func refused() throws {
    try withTemporaryFolder { folder in
      func complaintOf(_ name: String, _ text: String) throws -> String {
        try write(Array(text.utf8), to: folder + "/" + name)
        return complaint { _ = try openCheckpoint(path: folder + "/" + name) }
      }
      #expect(complaint { _ = try openCheckpoint(path: folder) }.contains("the folder holds no safetensors file; name"))
      #expect(complaint { _ = try openCheckpoint(path: folder + "/none") }.contains("none: cannot open: No such file"))
      #expect(try complaintOf("empty.pth", "").contains("the file is empty"))
      #expect(try complaintOf("a.gguf", "GGUF\u{9}\0\0\0").contains("byte 4: this is version 9"))
      #expect(try complaintOf("b.pth", "version https://git-lfs.github.com/spec/v1").contains("a pointer of git-lfs"))
      #expect(try complaintOf("c.safetensors", "<!DOCTYPE html>").contains("a web page"))
      #expect(try complaintOf("d.txt", "hello").contains("this is text, neither a safetensors file"))
      #expect(try complaintOf("e", "\u{1}\u{2}\u{3}").contains("this is neither"))
      #expect(try complaintOf("e.pth", "\u{1}\u{2}\u{3}").contains("this is no archive of torch.save"))
      #expect(try complaintOf("f.pth", "PK\u{3}\u{4}..").contains("the zip archive has no end record"))
      #expect(complaint { _ = try openCheckpoint(path: folder) }.contains("c.safetensors: this is a web page"))
      try write(Samples.smallSafetensors, to: folder + "/f.safetensors")
      #expect(
        complaint { _ = try openCheckpoint(path: folder) }.contains(
          "several checkpoints: 'c.safetensors', 'f.safetensors'"))
    }
  }

  @Test("gives other names to tensors")
  func renamed() throws {
    let base = try SafetensorsFile(bytes: Samples.smallSafetensors)
    let renamed = try RenamedSource(base, removingPrefix: "a.")
    #expect(renamed.names == ["weight"] && renamed.descriptor("weight") == base.descriptor("a.weight"))
    #expect(try renamed.tensor("weight").floats() == base.tensor("a.weight").floats())
    #expect(complaint { _ = try renamed.tensor("b") }.contains("'b' is missing"))
    #expect(complaint { _ = try RenamedSource(base) { _ in "x" } }.contains("'x': both 'a.weight' and 'b'"))
  }

  /// `a` and `b` in one shard, `c` in the next.
  private func writeShards(_ folder: String) throws {
    let entries = ["a", "b", "c"].map { SafetensorsWriter.Entry(name: $0, shape: [4], dtype: .f32) }
    var writer = try ShardedSafetensorsWriter(folder: folder, stem: "m", entries: entries, shardByteCount: 32)
    for (i, entry) in entries.enumerated() {
      try writer.write(Tensor([Float](repeating: Float(i + 1), count: 4), shape: [4]), as: entry.name)
    }
    try writer.finish()
  }
}
