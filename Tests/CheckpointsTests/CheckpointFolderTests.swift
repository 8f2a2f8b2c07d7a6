import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("A folder whose checkpoint is not all there")
struct CheckpointFolderTests {
  private let usual = "diffusion_pytorch_model.safetensors"

  private func complaintOf(_ names: String...) throws -> String {
    try withTemporaryFolder { folder in
      for name in names { try write(Samples.smallSafetensors, to: folder + "/" + name) }
      return complaint { _ = try openCheckpoint(path: folder) }
    }
  }

  @Test("names the index, and the shards that are missing with it")
  func index() throws {
    let stem = "diffusion_pytorch_model-0000"
    #expect(
      try complaintOf("\(stem)1-of-00002.safetensors", "\(stem)2-of-00002.safetensors").contains(
        "the index '\(usual).index.json' of these 2 shards is missing; download it into the same folder"))
    let two = try complaintOf("\(stem)1-of-00003.safetensors", "\(stem)3-of-00003.safetensors")
    #expect(
      two.contains("these 3 shards is missing, and so is '\(stem)2-of-00003.safetensors'; download them"), "\(two)")
    let one = try complaintOf("model-00002-of-00003.safetensors")
    #expect(one.contains("'model.safetensors.index.json'") && one.contains("so are 'model-00001-of-00003.safetensors'"))
  }

  @Test("names the part of a download")
  func part() throws {
    #expect(try complaintOf(usual + ".part").contains("an unfinished download: '\(usual).part'"))
    #expect(try complaintOf("x.safetensors.incomplete").contains("an unfinished download"))
    try withTemporaryFolder { folder in
      let cache = folder + "/.cache/huggingface/download"
      try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
      try write([1], to: cache + "/\(usual).4d7a.incomplete")
      #expect(complaint { _ = try openCheckpoint(path: folder) }.contains("download/\(usual).4d7a.incomplete'"))
    }
  }

  @Test("is refused while aria2 is not done")
  func aria2() throws {
    #expect(try complaintOf(usual, usual + ".aria2").contains("aria2's '\(usual).aria2' lies beside it"))
  }

  @Test("may have macOS's companions beside it, and is missed where they are alone")
  func appleDouble() throws {
    #expect(try complaintOf("x.safetensors", "._x.safetensors", "._x.safetensors.index.json") == "")
    #expect(try complaintOf(usual, "._" + usual) == "")
    #expect(try complaintOf("._" + usual).contains("'._\(usual)' is what macOS keeps beside '\(usual)'"))
  }

  @Test("is recognised where it was unpacked, and as GGUF")
  func others() throws {
    #expect(try complaintOf("data.pkl", "version").contains("an unpacked archive of torch.save"))
    #expect(try complaintOf("a.GGUF").contains("'a.GGUF' is a GGUF file, which is not read yet"))
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/archive", withIntermediateDirectories: true)
      try write([1], to: folder + "/archive/data.pkl")
      #expect(complaint { _ = try openCheckpoint(path: folder) }.contains("an unpacked archive"))
    }
  }

  @Test("says where a link leads that leads nowhere")
  func links() throws {
    try withTemporaryFolder { folder in
      let files = FileManager.default
      let path = folder + "/" + usual
      try files.createSymbolicLink(atPath: path, withDestinationPath: "../../blobs/4d7a")
      #expect(
        complaint { _ = try openCheckpoint(path: folder) }.contains(
          "\(path): this is a link to '../../blobs/4d7a', which is not there; the download is unfinished, or"))
      try files.removeItem(atPath: path)
      try files.createSymbolicLink(atPath: path, withDestinationPath: "gone")
      #expect(complaint { _ = try openCheckpoint(path: folder) }.contains("put its target back"))
      try files.removeItem(atPath: path)
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
      #expect(complaint { _ = try SafetensorsFile(path: path) }.contains("a folder lies where a file is expected"))
    }
  }

  @Test("names a shard whose link leads nowhere, and one that is being downloaded")
  func shards() throws {
    try withTemporaryFolder { folder in
      let index = #"{"weight_map":{"b":"m-1.safetensors","c":"m-2.safetensors"}}"#
      try write(Array(index.utf8), to: folder + "/m.safetensors.index.json")
      try write(Samples.smallSafetensors, to: folder + "/m-1.safetensors")
      try write([1], to: folder + "/m-2.safetensors.part")
      let part = complaint { _ = try openCheckpoint(path: folder) }
      #expect(part.contains("1 of its 2 shards is missing: 'm-2.safetensors'; 'm-2.safetensors.part' is an unfinished"))
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/m-2.safetensors", withDestinationPath: "../blobs/x")
      #expect(complaint { _ = try openCheckpoint(path: folder) }.contains("m-2.safetensors: this is a link to"))
    }
  }

  @Test("names a few of very many missing shards, written as those that are there")
  func manyAbsent() throws {
    try withTemporaryFolder { folder in
      for i in 0..<300 { try write(Samples.smallSafetensors, to: folder + "/x\(i).safetensors") }
      for i in [1, 3] {
        try write(Samples.smallSafetensors, to: folder + "/m-0000\(i)-of-999999.safetensors")
      }
      var text = ""
      let seconds = processorSeconds { text = complaint { _ = try openCheckpoint(path: folder) } }
      #expect(text.contains("so are 'm-00002-of-999999.safetensors', 'm-00004-of-999999.safetensors', "), "\(text)")
      #expect(text.contains("'m-00010-of-999999.safetensors' and 999989 more; download them"), "\(text)")
      #expect(seconds < 5, "\(seconds) s")
    }
  }

  @Test("knows the names of shards")
  func names() throws {
    let shard = try #require(ShardName("model-00002-of-00003.safetensors"))
    #expect(shard.stem == "model" && shard.number == 2 && shard.count == 3)
    #expect(shard.name(ofShard: 3) == "model-00003-of-00003.safetensors")
    let others = [
      "model-00001-of-00001.safetensors", "model-00004-of-00003.safetensors", "model-00000-of-00003.safetensors",
      "00001-of-00002", "a-1-of-99999999999999999999.safetensors", "a-b-of-c.safetensors", "", "-", ".",
    ]
    for name in others { #expect(ShardName(name) == nil, "\(name)") }
  }
}
