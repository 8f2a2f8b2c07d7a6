import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// Small files that would take hours or gigabytes: each is refused after work in proportion to its bytes.
@Suite("Small files of great cost")
struct BoundsTests {
  /// What the archive of a pickle is refused for, and that this took little time.
  private func refusal(of pickle: [UInt8]) -> String {
    var text = ""
    let seconds = processorSeconds {
      text = complaint { _ = try TorchArchive(bytes: PickleBuilder.archive(pickle)) }
    }
    #expect(seconds < 20, "\(pickle.count) bytes took \(seconds) s: \(text.prefix(200))")
    return text
  }

  private static let marks = String(repeating: "\u{301}\u{316}", count: 50_000)

  @Test("copy a remembered list again and again")
  func copies() {
    var pickle = PickleBuilder()
    pickle.code("]q\u{0}(")
    let pair: [UInt8] = Array("K\u{1}K\u{2}".utf8) + [0x86]
    let copy: [UInt8] = Array("h\u{1}h\u{0}".utf8) + [0x85] + Array("R0".utf8)
    let pairs: [UInt8] = Array(repeatElement(pair, count: 5_600).joined())
    let start: [UInt8] = pickle.bytes + pairs + Array("e0ccollections\nOrderedDict\nq\u{1}0".utf8)
    let one: [UInt8] = start + copy + Array("}.".utf8)
    #expect(complaint { _ = try TorchArchive(bytes: PickleBuilder.archive(one)) } == "")
    let many: [UInt8] = start + Array(repeatElement(copy, count: 4_000).joined()) + Array("}.".utf8)
    #expect(refusal(of: many).contains("pickle REDUCE: the pickle needs more memory than any checkpoint does"))
  }

  @Test("give a tensor a remembered list as its size, again and again")
  func longSizes() {
    var pickle = PickleBuilder()
    pickle.code("(" + String(repeating: "K\u{0}", count: 30_000) + "tq\u{0}0")
    pickle.global("torch._utils", "_rebuild_tensor_v2")
    pickle.code("q\u{1}0")
    pickle.code(
      "((X\u{7}\u{0}\u{0}\u{0}storagectorch\nFloatStorage\nX\u{1}\u{0}\u{0}\u{0}0X\u{3}\u{0}\u{0}\u{0}cpuK\u{10}tQq\u{2}00"
    )
    pickle.code("h\u{1}(h\u{2}K\u{0}h\u{0}h\u{0}tR.")
    #expect(refusal(of: pickle.bytes).contains("a tensor needs an offset, sizes and as many strides"))
  }

  @Test("give tensors one remembered tuple of many axes")
  func sharedSizes() {
    var pickle = PickleBuilder()
    pickle.code("(" + String(repeating: "K\u{0}", count: 32) + "tq\u{0}0")
    pickle.global("torch._utils", "_rebuild_tensor_v2")
    pickle.code("q\u{1}0")
    pickle.code(
      "((X\u{7}\u{0}\u{0}\u{0}storagectorch\nFloatStorage\nX\u{1}\u{0}\u{0}\u{0}0X\u{3}\u{0}\u{0}\u{0}cpuK\u{10}tQq\u{2}00"
    )
    pickle.code("(h\u{2}K\u{0}h\u{0}h\u{0}tq\u{3}0]")
    pickle.code(String(repeating: "h\u{1}h\u{3}R0", count: 50_000) + ".")
    #expect(refusal(of: pickle.bytes).contains("pickle REDUCE: the pickle needs more memory than any checkpoint does"))
  }

  @Test(
    "claim more elements than a number counts",
    arguments: ["FloatStorage", "ComplexFloatStorage", "ComplexDoubleStorage"],
    [[1 << 62, 1 << 62], [0, 1 << 62, 1 << 62], [1 << 62, 2], [1 << 60, 7], [1 << 61]])
  func endlessShapes(type: String, size: [Int]) {
    let pickle = PickleBuilder.dictionary {
      $0.tensor(count: 16, size: size, stride: size.map { _ in 0 }, type: type)
    }
    #expect(refusal(of: pickle).contains("w'"), "\(refusal(of: pickle))")
  }

  @Test("claim more bytes all together than a number counts")
  func endlessSums() {
    var pickle = PickleBuilder()
    pickle.code("}")
    for i in 0..<9 {
      pickle.string("w\(i)")
      pickle.tensor(count: 16, size: [1 << 55], stride: [0], type: "ComplexFloatStorage")
      pickle.code("s")
    }
    pickle.code(".")
    #expect(refusal(of: pickle.bytes).contains("'w4': the tensors up to this one claim more than"))
  }

  @Test("have names that are a letter under many marks", arguments: [30, 31, 400])
  func markedNames(count: Int) {
    let name =
      "é" + String(repeating: "\u{316}", count: count - count / 2) + String(repeating: "\u{301}", count: count / 2)
    let json = "{\"\(name)\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"
    var pickle = PickleBuilder()
    pickle.code("}")
    pickle.string(name)
    pickle.tensor(count: 16, size: [1], stride: [1])
    pickle.code("s.")
    var zip = ZipBuilder()
    zip.add(name, [])
    let archive = PickleBuilder.archive(pickle.bytes)
    let expected = "more than 30 combining marks in a row"
    for text in [
      complaint { _ = try SafetensorsFile(bytes: Samples.safetensors(json)) },
      complaint { _ = try TorchArchive(bytes: archive) },
    ] {
      #expect(count > 30 ? text.contains(expected) : text.isEmpty, "\(text)")
    }
    #expect(complaint { _ = try TorchArchive(bytes: zip.bytes) }.contains(count > 30 ? expected : "called data.pkl"))
  }

  @Test("name a dictionary of nameless members many times over")
  func namelessMembers() {
    var pickle = PickleBuilder()
    pickle.code("}q\u{0}(" + String(repeating: "NN", count: 30_000) + "u0](")
    pickle.code(String(repeating: "h\u{0}", count: 30_000) + "e.")
    #expect(refusal(of: pickle.bytes).contains("named more often"))
  }

  @Test("name a tensor more often than a checkpoint has tensors")
  func manyNames() {
    var pickle = PickleBuilder()
    pickle.tensor(count: 16, size: [1], stride: [1])
    pickle.code("q\u{0}0]")
    for _ in 0..<3 { pickle.code("(" + String(repeating: "h\u{0}", count: 50_000) + "e") }
    pickle.code(".")
    #expect(refusal(of: pickle.bytes).contains("named more often"))
  }

  @Test("have names that take long to compare, wherever a pickle has names")
  func longNames() {
    let name = "a" + Self.marks
    var global = PickleBuilder()
    global.global("torch", name)
    #expect(refusal(of: global.bytes).contains("a name of more than 256 bytes"))
    var pushed = PickleBuilder()
    pushed.string("torch")
    pushed.string(name)
    #expect(refusal(of: pushed.bytes + [0x93]).contains("a name of more than 256 bytes"))
    let key = PickleBuilder.dictionary { $0.tensor(key: name, count: 16, size: [1], stride: [1]) }
    #expect(refusal(of: key).contains("not the name of a storage"))
    var member = PickleBuilder()
    member.code("}")
    member.string("state_dict" + Self.marks)
    member.tensor(count: 16, size: [1], stride: [1])
    member.code("s.")
    #expect(refusal(of: member.bytes).contains("at greater length"))
    // A long text that names nothing is passed over.
    let text = PickleBuilder.dictionary { $0.string(name) }
    #expect(refusal(of: text) == "")
  }

  @Test("of zip have long names")
  func zipNames() {
    var zip = ZipBuilder()
    for i in 0..<40 { zip.add("\(i)" + String(Self.marks.unicodeScalars.prefix(16_000)), []) }
    var text = ""
    let seconds = processorSeconds { text = complaint { _ = try TorchArchive(bytes: zip.bytes) } }
    #expect(text.contains("an entry's name has 32001 bytes") && seconds < 20, "\(seconds) s: \(text)")
  }

  @Test(
    "of JSON are read to the byte that is wrong",
    arguments: [
      ("{\"a\(marks)\": 1}", "a string of more than 1024 bytes"),
      ("{\"a\":{\"dtype\":\"F\(marks)\",\"shape\":[0],\"data_offsets\":[0,0]}}", "a string of more than 64 bytes"),
      (
        "{"
          + Array(repeating: "\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}", count: 20_000)
          .joined(separator: ",") + "}", "the tensor 'a' occurs twice"
      ),
      ("{\"a\":{\"x\":" + String(repeating: "[", count: 300_000), "JSON nested deeper than 32"),
      ("{\"a\":" + String(repeating: "{\"a\":", count: 100_000), "JSON nested deeper than 32"),
      ("{\"a\":{\"x\":" + String(repeating: "9", count: 1_000_000) + "}}", "a JSON value is expected"),
      ("{\"a\":{\"shape\":[" + String(repeating: "9", count: 1_000_000) + "]}}", "the number is too large"),
      ("{\"a\":{\"x\":\"" + String(repeating: "\\u00e9", count: 200_000) + "\"}}", "needs a dtype"),
      (
        "{\"__metadata__\":{" + Array(repeating: "\"a\":\"\"", count: 100_000).joined(separator: ",") + "}} x",
        "nothing may follow"
      ),
    ])
  func json(text: String, expected: String) {
    var found = ""
    let seconds = processorSeconds {
      found = complaint { _ = try SafetensorsFile(bytes: Samples.safetensors(text)) }
    }
    #expect(found.contains(expected) && seconds < 20, "\(seconds) s: \(found.prefix(300))")
  }

  @Test("of shards lie in thousands of files")
  func manyShards() throws {
    let count = 4_000
    let map = (0..<count).map { "\"t\($0)\":\"s\($0)\"" }.joined(separator: ",")
    let shard = try SafetensorsFile(bytes: Samples.smallSafetensors)
    var text = ""
    let seconds = processorSeconds {
      text = complaint {
        _ = try ShardedSafetensors(Storage(Array("{\"weight_map\":{\(map)}}".utf8)), location: "index") {
          (_: String) throws(CheckpointError) in shard
        }
      }
    }
    #expect(
      text.contains("the shard lacks tensors that the index places in it: 't0'") && seconds < 5, "\(seconds) s: \(text)"
    )
  }

  @Test(
    "never lead to shards outside their folder",
    arguments: [
      "/etc/passwd", "../a", "a/b", "..", ".", "", "a\\u0000b", "..\\/a", "../\u{301}a", "..\\u002f\\u0301a",
      "/\u{338}",
      "a/\u{200D}b", "a\\u0000\u{301}", String(repeating: "a", count: 256),
    ])
  func shardNames(name: String) {
    let index = Storage(Array("{\"weight_map\":{\"t\":\"\(name)\"}}".utf8))
    let text = complaint {
      _ = try ShardedSafetensors(index, location: "index") { (file: String) throws(CheckpointError) in
        Issue.record("\(file) was opened")
        throw CheckpointError(path: file, "opened")
      }
    }
    #expect(
      text.contains("is not the name of a file beside the index") || text.contains("more than 255 bytes"), "\(text)")
  }

  @Test("are pipes where a checkpoint, an index or a shard should be")
  func pipes() throws {
    try withTemporaryFolder { folder in
      try makePipe(at: folder + "/a.safetensors")
      let expected = "a.safetensors: cannot open: it is a named pipe, not a regular file"
      #expect(complaint { _ = try openCheckpoint(path: folder + "/a.safetensors") }.contains(expected))
      #expect(complaint { _ = try openCheckpoint(path: folder) }.contains(expected))
      try write(Array("{\"weight_map\":{\"t\":\"a.safetensors\"}}".utf8), to: folder + "/b.safetensors.index.json")
      #expect(complaint { _ = try openCheckpoint(path: folder) }.contains(expected))
    }
  }
}
