import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// A file that is not what its name says, and the sentence about it.
struct ForeignFile: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let name: String
  let bytes: [UInt8]
  let says: String

  init(_ what: String, _ name: String, bytes: [UInt8], says: String) {
    (testDescription, self.name, self.bytes, self.says) = (what, name, bytes, says)
  }

  init(_ what: String, _ name: String, _ text: String, says: String) {
    self.init(what, name, bytes: Array(text.utf8), says: says)
  }
}

@Suite("Files that are something else")
struct RecognitionTests {
  static let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9214\n"

  static let texts: [ForeignFile] = [
    ForeignFile(
      "a pointer", "a.safetensors", pointer,
      says: "a pointer of git-lfs, not the file itself, which has 9214 bytes; fetch it"),
    ForeignFile("an old pointer", "a.pth", "version https://hawser.github.com/spec/v1\n", says: "a pointer of git-lfs"),
    ForeignFile("a pointer for an index", "a.index.json", pointer, says: "a pointer of git-lfs"),
    ForeignFile(
      "a page", "a.safetensors", "\u{FEFF}\r\n <!DocType HTML>\n<html>", says: "a web page; the download failed"),
    ForeignFile(
      "a page with a title", "a.pth", "<html><head><title lang=en>Sign  in</title>", says: "a web page: 'Sign in'"),
    ForeignFile(
      "a page of many bytes", "a.safetensors", "<html>" + String(repeating: "é", count: 9000), says: "a web page"),
    ForeignFile("a page for an index", "a.index.json", "<!-- x --><html>", says: "a web page"),
    ForeignFile(
      "an XML error", "a.pth", "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
      says: "an XML message of a server: 'AccessDenied'"),
    ForeignFile(
      "a JSON error", "a.pth", #"{"error":"Not found"}"#, says: #"message of a server: '{"error":"Not found"}'"#),
    ForeignFile(
      "a JSON error for an index", "a.index.json", #"{ "detail" : "x" }"#, says: "an error message of a server"),
    ForeignFile("other JSON", "a.safetensors", #"{"a": 1}"#, says: #"this is JSON, neither a safetensors file"#),
    ForeignFile("a text", "a.pth", "Entry not found", says: "torch.save: 'Entry not found'; the download failed"),
    ForeignFile(
      "notes", "README.md", "# Wan2.2", says: "torch.save: '# Wan2.2'; give the file of the tensors, or the model's"),
    ForeignFile("a page of notes", "README.md", "<!-- x -->", says: "a web page; give the file of the tensors"),
    ForeignFile("a setting", "x.yaml", "a: 1", says: "'a: 1'; give the file of the tensors, or the model's folder"),
    ForeignFile("a checksum", "a.safetensors.sha256", "4d7a  a", says: "'4d7a a'; give the file of the tensors"),
    ForeignFile("text without an ending", "passwd", "root:x:0", says: "'root:x:0'; give the file of the tensors"),
    ForeignFile("a text under a link's name", "a.pth?download=true", "no", says: "'no'; the download failed"),
    ForeignFile("text for an index", "a.index.json", "Entry not found", says: "text, not JSON: 'Entry not found'"),
    ForeignFile("a link's text", "a.safetensors", "../../blobs/4d7a", says: "the text of a link: '../../blobs/4d7a'"),
    ForeignFile("UTF-16", "a.index.json", bytes: [0xFF, 0xFE, 0x7B, 0], says: "text in UTF-16"),
    ForeignFile("UTF-16 of the other order", "a.index.json", bytes: [0xFE, 0xFF, 0, 0x7B], says: "text in UTF-16"),
    ForeignFile("UTF-16 without a mark", "a.index.json", bytes: [0x7B, 0, 0x22, 0, 0x6D, 0], says: "text in UTF-16"),
    ForeignFile("UTF-32", "a.index.json", bytes: [0xFF, 0xFE, 0, 0, 0x7B, 0, 0, 0], says: "text in UTF-32"),
  ]

  static let binaries: [ForeignFile] = [
    ForeignFile(
      "AppleDouble", "a.safetensors", bytes: [0, 5, 0x16, 7, 0, 2, 0, 0, 77],
      says: "an AppleDouble file, which macOS keeps beside"),
    ForeignFile("7z", "a.pth", bytes: [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0], says: "a 7z archive; unpack it"),
    ForeignFile("gzip", "a.pth", bytes: [0x1F, 0x8B, 8, 0], says: "a gzip archive"),
    ForeignFile(
      "gzip as safetensors", "a.safetensors", bytes: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3], says: "a gzip archive"),
    ForeignFile("zstd", "a.safetensors", bytes: [0x28, 0xB5, 0x2F, 0xFD, 4], says: "a zstd archive"),
    ForeignFile("rar", "a.safetensors", "Rar!\u{1A}\u{7}\u{1}\0", says: "a RAR archive"),
    ForeignFile("xz", "a.safetensors", bytes: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0], says: "an xz archive"),
    ForeignFile("bzip2", "a.safetensors", "BZh91AY&SY\u{1}", says: "a bzip2 archive"),
    ForeignFile("HDF5", "a.bin", bytes: [0x89] + Array("HDF\r\n\u{1A}\n".utf8), says: "an HDF5 file"),
    ForeignFile("NumPy", "a.bin", bytes: [0x93] + Array("NUMPY\u{1}".utf8), says: "an array of NumPy"),
    ForeignFile("a picture", "a.safetensors", bytes: [0x89] + Array("PNG\r\n\u{1A}\n".utf8), says: "a PNG picture"),
    ForeignFile("ONNX", "a.onnx", bytes: [8, 7, 0x12, 0], says: "an ONNX model, which is not read"),
    ForeignFile("msgpack", "a.msgpack", bytes: [0x82, 1, 0, 1], says: "a msgpack checkpoint"),
    ForeignFile(
      "zeros", "a.safetensors", bytes: [UInt8](repeating: 0, count: 5000),
      says: "begins with zeros: space that a downloader reserved"),
    ForeignFile("one zero", "a.pth", bytes: [0], says: "begins with zeros"),
    ForeignFile("nothing", "a.pth", bytes: [], says: "the file is empty"),
    ForeignFile(
      "another pickle", "a.pth", bytes: [0x80, 4, 0x95, 0, 0], says: "this is a bare pickle, not an archive"),
    ForeignFile(
      "a configuration", "config.json", "{}", says: "this is the configuration of a model, which holds no tensors"),
    ForeignFile("a tokenizer", "spiece.model", bytes: [0x0A, 0, 0], says: "this is the tokenizer of a model"),
    ForeignFile(
      "a part", "a.safetensors.part", bytes: Samples.smallSafetensors, says: "an unfinished download by its name"),
    ForeignFile(
      "a part of the hub's client", "4d7a.incomplete", bytes: [1], says: "an unfinished download by its name"),
    ForeignFile("a part of a browser", "a.pth.crdownload", bytes: [1], says: "an unfinished download by its name"),
    ForeignFile(
      "half a file", "a.safetensors", bytes: Array(Samples.smallSafetensors.dropLast(9)),
      says: "describes 32 bytes of tensors, 23 are there"),
    ForeignFile(
      "half a header", "a.safetensors", bytes: Array(Samples.smallSafetensors.prefix(50)),
      says: "the file is cut short: its header alone"),
  ]

  @Test("are named, each kind by its sentence", arguments: texts + binaries)
  func named(file: ForeignFile) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/" + file.name
      try write(file.bytes, to: path)
      let complaint = complaint { _ = try openCheckpoint(path: path) }
      #expect(complaint.hasPrefix(path + ":") && complaint.contains(file.says), "\(complaint)")
      #expect(complaint.utf8.count < 700)
    }
  }

  @Test(
    "of tar are told by what they hold", arguments: [("storages", "the tar form of .pth"), ("x.bin", "a tar archive")])
  func tar(first: String, says: String) throws {
    try withTemporaryFolder { folder in
      var bytes = Array(first.utf8) + [UInt8](repeating: 0, count: 1024 - first.utf8.count)
      bytes.replaceSubrange(257..<262, with: Array("ustar".utf8))
      try write(bytes, to: folder + "/a.pth")
      #expect(complaint { _ = try openCheckpoint(path: folder + "/a.pth") }.contains("this is \(says)"))
    }
  }

  @Test(
    "are never seen in a checkpoint whose length is any bytes",
    arguments: [[0x1F, 0x8B], [0xFF, 0xFE], [0xFF, 0xD8]])
  func lengths(start: [UInt8]) throws {
    let length = Int(start[0]) | Int(start[1]) << 8
    let header = #"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
    let padding = String(repeating: " ", count: length - header.utf8.count)
    try withTemporaryFolder { folder in
      try write(Samples.safetensors(header + padding, data: [7]), to: folder + "/a.safetensors")
      #expect(try openCheckpoint(path: folder).names == ["x"])
    }
  }

  @Test("are read with a byte order mark in front of an index")
  func mark() throws {
    try withTemporaryFolder { folder in
      try write(Samples.smallSafetensors, to: folder + "/m-1.safetensors")
      try write(
        [0xEF, 0xBB, 0xBF] + Array(#"{"weight_map":{"b":"m-1.safetensors"}}"#.utf8),
        to: folder + "/m.safetensors.index.json")
      #expect(try openCheckpoint(path: folder).names == ["b"])
    }
  }

  @Test("are damaged in ten thousand ways, and always refused or read")
  func fuzz() throws {
    var random = SeededGenerator(seed: 5)
    let sound = [
      Array(Self.pointer.utf8), Array("<?xml?><Error><Code>A</Code></Error>".utf8), Array(#"{"error":"x"}"#.utf8),
      Array("<html><title>é</title>".utf8), [0xFF, 0xFE, 0x7B, 0], [UInt8](repeating: 0, count: 300),
    ]
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      for round in 0..<10_000 {
        try write(mutated(sound[round % sound.count], telling: [0, 0x3C, 0x7B, 0xEF, 0xFF], using: &random), to: path)
        #expect(throws: CheckpointError.self) { try openCheckpoint(path: path) }
      }
    }
  }
}
