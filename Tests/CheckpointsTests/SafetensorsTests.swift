import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Safetensors files")
struct SafetensorsTests {
  @Test("give names, shapes, types, texts and elements")
  func small() throws {
    let file = try SafetensorsFile(bytes: Samples.smallSafetensors)
    #expect(file.names == ["a.weight", "b"])
    #expect(file.metadata.map(\.key) == ["format"] && file.metadata.map(\.value) == ["pt"])
    #expect(file.descriptor("a.weight") == TensorDescriptor(shape: [2, 3], dtype: .f32))
    #expect(file.descriptor("c") == nil)
    let bits = UInt32(0x0302_0100)
    #expect(try file.tensor("a.weight").floats()[0] == Float(bitPattern: bits))
    #expect(try file.tensor("b").withSpan(of: UInt16.self) { $0[3] } == 0x1F1E)
    #expect(complaint { _ = try file.tensor("c") }.contains("'c' is missing"))
  }

  @Test("are used in place, and copied only where the offset is odd")
  func alignment() throws {
    let header =
      #"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"y":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#
    let padding = String(repeating: " ", count: (64 - (header.utf8.count + 8) % 64) % 64)
    let bytes = Samples.safetensors(header + padding, data: [9] + Float(1.5).bitPattern.littleEndianBytes)
    let storage = Storage(bytes)
    let file = try SafetensorsFile(storage, location: "test")
    #expect(try file.tensor("x").storage === storage)
    #expect(try file.tensor("y").storage !== storage)
    #expect(try file.tensor("y").floats() == [1.5])
  }

  @Test("know the types that the engine lacks, and refuse only their tensors", arguments: ["F8_E4M3", "U16", "NEW"])
  func unknownTypes(type: String) throws {
    let size = type == "U16" ? 4 : 2
    let file = try SafetensorsFile(
      bytes: Samples.safetensors(
        #"{"x":{"dtype":"\#(type)","shape":[2],"data_offsets":[0,\#(size)]},"y":{"dtype":"U8","shape":[1],"data_offsets":[\#(size),\#(size + 1)]}}"#,
        data: [UInt8](repeating: 7, count: size + 1)))
    #expect(
      file.names == ["x", "y"] && file.descriptor("x")?.dtype == nil && file.descriptor("x")?.format.name == type)
    #expect(try file.tensor("y").floats() == [7])
    #expect(complaint { _ = try file.tensor("x") }.contains("tensor 'x' is stored as \(type), which is not read yet"))
  }

  @Test(
    "that break the format's rules are refused with a place",
    arguments: [
      ("no length", [1, 2, 3], "byte 0: 8 bytes are needed, 3 are left"),
      (
        "a length of 2^63", Samples.safetensors("{}", length: 1 << 63),
        "byte 0: the number 9223372036854775808 is too large"
      ),
      (
        "a length past the end", Samples.safetensors("{}", length: 3),
        "its header alone has 3 bytes, 2 are there; an unfinished download"
      ),
      ("no JSON", Samples.safetensors("abc"), "byte 8: '{' is expected"),
      ("a byte order mark", Samples.safetensors("\u{FEFF}{}"), "byte 8: '{' is expected"),
      ("text behind", Samples.safetensors("{} x"), "byte 11: nothing may follow"),
      ("a duplicate", entries(("x", "U8", "[1]", "[0,1]"), ("x", "U8", "[1]", "[1,2]")), "the tensor 'x' occurs twice"),
      ("a gap", entries(("x", "U8", "[1]", "[0,1]"), ("y", "U8", "[1]", "[2,3]")), "'y': bytes "),
      ("an overlap", entries(("x", "U8", "[2]", "[0,2]"), ("y", "U8", "[2]", "[1,3]")), "'y': its bytes overlap"),
      (
        "bytes past the end", entries(("x", "U8", "[9]", "[0,9]")),
        "its header describes 9 bytes of tensors, 3 are there"
      ),
      ("bytes to spare", entries(("x", "U8", "[2]", "[0,2]")), "1 bytes behind the last tensor"),
      ("offsets backwards", entries(("x", "U8", "[1]", "[3,2]")), "of the tensor 'x' run backwards: [3, 2]"),
      ("three offsets", entries(("x", "U8", "[1]", "[0,1,3]")), "the list has more than 2 numbers"),
      ("one offset", entries(("x", "U8", "[1]", "[3]")), "'x' needs a dtype, a shape and two data_offsets"),
      ("a negative offset", entries(("x", "U8", "[1]", "[-1,3]")), "an integer of zero or more is expected"),
      ("a fraction", entries(("x", "U8", "[1]", "[0,3.0]")), "an integer of zero or more is expected"),
      ("an overflow", entries(("x", "U8", "[1]", "[0,99999999999999999999]")), "the number is too large"),
      ("a huge shape", entries(("x", "F32", "[4611686018427387904,8]", "[0,3]")), "'x': its shape"),
      ("a huge empty shape", entries(("x", "F32", "[4611686018427387904,8,0]", "[0,0]")), "'x': its shape"),
      ("a wrong size", entries(("x", "F32", "[1]", "[0,3]")), "'x': its shape [1] of F32 does not fill its 3 bytes"),
      ("no dtype", Samples.safetensors(#"{"x":{"shape":[1],"data_offsets":[0,1]}}"#), "'x' needs a dtype"),
      (
        "deep nesting", Samples.safetensors(#"{"x":{"y":"# + String(repeating: "[", count: 999)),
        "nested deeper than 32"
      ),
    ] as [(String, [UInt8], String)])
  func refused(what: String, bytes: [UInt8], expected: String) {
    let complaint = complaint { _ = try SafetensorsFile(bytes: bytes) }
    #expect(complaint.hasPrefix("test.safetensors:") && complaint.contains(expected), "\(complaint)")
  }

  @Test("cut off anywhere are refused")
  func truncated() {
    for length in Samples.smallSafetensors.indices {
      #expect(throws: CheckpointError.self) {
        try SafetensorsFile(bytes: Array(Samples.smallSafetensors.prefix(length)))
      }
    }
  }

  @Test("may have empty tensors, scalars and no tensors")
  func empty() throws {
    let file = try SafetensorsFile(
      bytes: Samples.safetensors(
        #"{"e":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"s":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#,
        data: [5]))
    #expect(try file.tensor("e").floats().isEmpty && file.tensor("s").floats() == [5])
    #expect(try SafetensorsFile(bytes: Samples.safetensors("{}")).names.isEmpty)
  }

  @Test("have names with every kind of escape")
  func escapes() throws {
    let file = try SafetensorsFile(
      bytes: Samples.safetensors(
        #"{"a\"\\\/\u00e9\ud83d\ude00\n":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"extra":[1,-2.5e3,null,true,{"a":"b"}]}}"#
      ))
    #expect(file.names == ["a\"\\/é😀\n"])
  }

  /// A file of three data bytes.
  private static func entries(_ entries: (name: String, type: String, shape: String, offsets: String)...) -> [UInt8] {
    let members = entries.map {
      #""\#($0.name)":{"dtype":"\#($0.type)","shape":\#($0.shape),"data_offsets":\#($0.offsets)}"#
    }
    return Samples.safetensors("{" + members.joined(separator: ",") + "}", data: [1, 2, 3])
  }
}
