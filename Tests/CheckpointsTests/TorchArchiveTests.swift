import Checkpoints
import Tensors
import TestSupport
import Testing

@Suite("Torch archives")
struct TorchArchiveTests {
  @Test("of torch itself give every layout and type", arguments: ["", "-protocol4", "-protocol5"])
  func tensors(suffix: String) throws {
    let file = try TorchArchive(path: Samples.folder + "tensors\(suffix).pth")
    func floats(_ name: String) throws -> [Float] { try file.tensor(name).floats() }
    // Element [c, a, b] of the permuted tensor is element [a, b, c] of the counting one.
    let permuted = (0..<24).map { (i: Int) -> Float in
      let (c, a, b) = (i / 6, i / 3 % 2, i % 3)
      return Float(a * 12 + b * 4 + c)
    }
    let transposed = (0..<24).map { (i: Int) -> Float in Float(i % 4 * 6 + i / 4) }
    #expect(try floats("transposed") == transposed)
    #expect(file.descriptor("transposed") == TensorDescriptor(shape: [6, 4], dtype: .f32))
    #expect(try floats("shared") == (6..<18).map(Float.init))
    #expect(try floats("strided") == stride(from: 0, to: 24, by: 2).map(Float.init))
    #expect(try floats("parameter") == [1.5, -2.25])
    #expect(try floats("permuted") == permuted && floats("permuted_view") == permuted)
    #expect(try floats("scalar") == [3.5] && file.tensor("scalar").shape == [])
    #expect(try file.tensor("empty").shape == [0, 3])
    for dtype in DType.allCases {
      let name = "types.\(dtype)"
      #expect(file.descriptor(name) == TensorDescriptor(shape: [4], dtype: dtype))
      #expect(try floats(name) == (dtype == .bool ? [0, 1, 1, 1] : [0, 1, 2, 100]))
    }
  }

  @Test("are used in place where the elements lie densely")
  func inPlace() throws {
    let file = try TorchArchive(path: Samples.folder + "tensors.pth")
    #expect(try file.tensor("shared").storage.isMapped && file.tensor("parameter").storage.isMapped)
    #expect(try !file.tensor("transposed").storage.isMapped)
  }

  @Test("may nest dictionaries and lists, and wrap them as a state_dict")
  func nested() throws {
    let wrapped = try TorchArchive(path: Samples.folder + "nested.pth")
    #expect(wrapped.names == ["layer.weight", "layer.bias", "list.0"])
    #expect(try wrapped.tensor("list.0").floats() == [7])
    #expect(try TorchArchive(path: Samples.folder + "plain-nested.pth").names == ["a.b", "c", "3"])
    #expect(
      try TorchArchive(path: Samples.folder + "module.pth").names == [
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked",
      ])
  }

  @Test("refuse only the tensors of types that the engine lacks")
  func unsupportedTypes() throws {
    let file = try TorchArchive(path: Samples.folder + "unsupported-types.pth")
    #expect(try file.tensor("c").floats() == [1, 1])
    #expect(complaint { _ = try file.tensor("a") }.contains("tensor 'a' is stored as F8_E4M3, which is not read yet"))
    #expect(complaint { _ = try file.tensor("b") }.contains("tensor 'b' is stored as U16, which is not read yet"))
  }

  @Test(
    "name every type that a storage can have and that the engine lacks",
    arguments: [
      ("QInt8Storage", "qint8"), ("QUInt4x2Storage", "quint4x2"), ("ComplexFloatStorage", "C64"),
      ("ComplexDoubleStorage", "C128"), ("Float8_e4m3fnStorage", "F8_E4M3"), ("Float8_e5m2Storage", "F8_E5M2"),
      ("NewStorage", "new"),
    ])
  func storages(storage: String, type: String) throws {
    let pickle = PickleBuilder.dictionary { $0.tensor(count: 16, size: [1 << 40], stride: [1], type: storage) }
    let file = try TorchArchive(bytes: PickleBuilder.archive(pickle))
    #expect(file.names == ["w"] && file.descriptor("w")?.dtype == nil)
    #expect(file.descriptor("w")?.format.name == type && file.descriptor("w")?.shape == [1 << 40])
    #expect(complaint { _ = try file.tensor("w") }.contains("tensor 'w' is stored as \(type), which is not read yet"))
  }

  @Test(
    "name every type that an untyped storage's tensor can have",
    arguments: [
      ("float8_e8m0fnu", "F8_E8M0"), ("float4_e2m1fn_x2", "float4_e2m1fn_x2"), ("uint4", "uint4"), ("int3", "int3"),
      ("bits2x4", "bits2x4"), ("complex32", "C32"), ("quint2x4", "quint2x4"),
    ])
  func elements(element: String, type: String) throws {
    let pickle = PickleBuilder.dictionary { $0.tensor(element: element) }
    #expect(try TorchArchive(bytes: PickleBuilder.archive(pickle)).descriptor("w")?.format.name == type)
  }

  @Test("name the type of a quantised tensor")
  func quantized() throws {
    let pickle = PickleBuilder.dictionary { $0.quantizedTensor() }
    #expect(try TorchArchive(bytes: PickleBuilder.archive(pickle)).descriptor("w")?.format.name == "qint8")
  }

  @Test(
    "refuse what is no type under torch's name, and other kinds of tensors with other words",
    arguments: [
      ("torch", "load", "no tensor needs"), ("torch", "interpolate8", "no tensor needs"),
      ("torch", "Storage", "no tensor needs"), ("torch", "int8.__class__", "no tensor needs"),
      ("torch._utils", "_rebuild_sparse_tensor", "a sparse or nested tensor"),
      ("torch._tensor", "_rebuild_from_type_v2", "of a class of its own"),
      ("torchao.dtypes", "X", "of a class of its own"),
    ])
  func names(module: String, name: String, says: String) {
    let pickle = PickleBuilder.dictionary { $0.global(module, name) }
    let complaint = complaint { _ = try TorchArchive(bytes: PickleBuilder.archive(pickle)) }
    #expect(complaint.contains("'\(module).\(name)'") && complaint.contains(says), "\(complaint)")
  }

  @Test("whose end is not there are called unfinished, and those of other files packed")
  func endings() {
    let pickle = PickleBuilder.dictionary { $0.tensor(count: 16, size: [16], stride: [1]) }
    let whole = PickleBuilder.archive(pickle)
    let short = complaint { _ = try TorchArchive(bytes: Array(whole.dropLast(40))) }
    #expect(short.contains("no end record: the file is cut short; an unfinished download"), "\(short)")
    let reserved = complaint { _ = try TorchArchive(bytes: whole.dropLast(100) + [UInt8](repeating: 0, count: 100)) }
    #expect(reserved.contains("the file ends in zeros; an unfinished download"), "\(reserved)")
    var zip = ZipBuilder()
    zip.method = 8
    zip.add("model/Wan2.2_VAE.pth", [1])
    #expect(complaint { _ = try TorchArchive(bytes: zip.bytes) }.contains("not one of torch.save: unpack it and give"))
  }

  @Test("that hold a program are called so")
  func script() throws {
    var zip = ZipBuilder()
    zip.add("m/data.pkl", [])
    zip.add("m/constants.pkl", [])
    #expect(complaint { _ = try TorchArchive(bytes: zip.bytes) }.contains("this is a TorchScript program"))
  }

  @Test(
    "that are not plain tensors are refused by name",
    arguments: [
      ("os-system", "asks for 'posix.system'"), ("whole-module", "asks for 'torch.nn.modules.linear.Linear'"),
      ("legacy", "a bare pickle, the format of torch.save before version 1.6"), ("expanded", "'a': its shape [1000]"),
    ])
  func refused(name: String, expected: String) {
    let complaint = complaint { _ = try TorchArchive(path: Samples.folder + "\(name).pth") }
    #expect(complaint.contains("/\(name).pth:") && complaint.contains(expected), "\(complaint)")
  }

  @Test("cut off at every 97th byte are refused")
  func truncated() throws {
    let bytes = try Samples.bytes("tensors.pth")
    for length in stride(from: 0, to: bytes.count, by: 97) {
      #expect(throws: CheckpointError.self) { try TorchArchive(bytes: Array(bytes.prefix(length))) }
    }
  }

  @Test("may be zip64, have a comment, or sizes behind the content")
  func zipVariants() throws {
    let pickle = PickleBuilder.dictionary { $0.tensor(count: 16, size: [2, 8], stride: [8, 1]) }
    var variants = [ZipBuilder](repeating: ZipBuilder(), count: 4)
    variants[1].isZip64 = true
    variants[2].comment = Array("PK\u{5}\u{6} a comment".utf8)
    variants[3].hasDescriptors = true
    for zip in variants {
      let file = try TorchArchive(bytes: PickleBuilder.archive(pickle, zip: zip))
      #expect(file.names == ["w"])
      #expect(try file.tensor("w").withSpan(of: UInt32.self) { $0[15] } == 0x3F3E_3D3C)
    }
  }

  @Test("that are compressed, encrypted, doubled or big-endian are refused")
  func zipRefused() {
    let pickle = PickleBuilder.dictionary { $0.tensor(count: 16, size: [16], stride: [1]) }
    var zip = ZipBuilder()
    zip.method = 8
    #expect(complaint { _ = try TorchArchive(bytes: PickleBuilder.archive(pickle, zip: zip)) }.contains("compressed"))
    zip = ZipBuilder()
    zip.flags = 1
    #expect(complaint { _ = try TorchArchive(bytes: PickleBuilder.archive(pickle, zip: zip)) }.contains("encrypted"))
    zip = ZipBuilder()
    zip.add("m/data.pkl", pickle)
    #expect(
      complaint { _ = try TorchArchive(bytes: PickleBuilder.archive(pickle, zip: zip)) }.contains("'m/data.pkl' twice"))
    zip = ZipBuilder()
    zip.add("m/data.pkl", pickle)
    zip.add("m/byteorder", Array("big".utf8))
    #expect(complaint { _ = try TorchArchive(bytes: zip.bytes) }.contains("'big' byte order"))
    zip = ZipBuilder()
    zip.add("m/data.pkl", pickle)
    #expect(
      complaint { _ = try TorchArchive(bytes: zip.bytes) }.contains("'w': the archive lacks its storage 'data/0'"))
    zip = ZipBuilder()
    zip.add("word/document.xml", [])
    #expect(
      complaint { _ = try TorchArchive(bytes: zip.bytes) }.contains(
        "not one of torch.save: it has 0 entries called data.pkl, and holds 'word/document.xml'"))
  }

  @Test(
    "whose tensors leave their storage are refused",
    arguments: [
      (16, 0, [17], [1], "needs more elements"), (16, 9, [8], [1], "leave its storage"),
      (16, 0, [2, 2], [15, 2], "leave its storage"), (17, 0, [4], [1], "has only 64 bytes"),
      (16, 0, [1 << 40], [0], "needs more elements"), (16, 0, [2, 2], [1 << 61, 1 << 61], "leave its storage"),
      (16, 0, [1 << 61, 1 << 61, 0], [1, 1, 1], "needs more elements"), (16, 1 << 62, [1], [1], "leave its storage"),
      (1 << 62, 0, [1], [1], "has only 64 bytes"), (16, 0, [2], [1, 1], "as many strides"),
      (16, 0, [-1], [1], "none negative"), (16, -1, [1], [1], "none negative"),
      (-1, 0, [1], [1], "not the name of a storage"),
    ] as [(Int, Int, [Int], [Int], String)])
  func viewsRefused(count: Int, offset: Int, size: [Int], stride: [Int], expected: String) {
    let pickle = PickleBuilder.dictionary { $0.tensor(count: count, offset: offset, size: size, stride: stride) }
    let complaint = complaint { _ = try TorchArchive(bytes: PickleBuilder.archive(pickle)) }
    #expect(complaint.contains(expected), "\(complaint)")
  }

  @Test("whose pickle is hostile are refused, with instruction and byte")
  func hostilePickles() {
    func complaintOf(_ pickle: [UInt8]) -> String {
      complaint { _ = try TorchArchive(bytes: PickleBuilder.archive(pickle)) }
    }
    let system = PickleBuilder.dictionary {
      $0.global("posix", "system")
      $0.string("echo")
      $0.code("\u{5}")
    }
    #expect(complaintOf(system).contains("test.pth: byte 49, pickle GLOBAL: the pickle asks for 'posix.system'"))
    #expect(complaintOf([0x80, 2] + Array("(lp0\n.".utf8)).contains("instruction 108 that torch.save never writes"))
    #expect(complaintOf([0x80, 9, 0x2E]).contains("protocol 9"))
    #expect(complaintOf([0x80, 2, 0x2E]).contains("pickle STOP: the stack is empty"))
    #expect(complaintOf([0x80, 2, 0x68, 3]).contains("BIN_GET: nothing is remembered under 3"))
    #expect(
      complaintOf([0x80, 2] + [UInt8](repeating: 0x28, count: 70_000)).contains("more memory than any checkpoint"))
    #expect(
      complaintOf([0x80, 2] + [UInt8](repeating: 0x4E, count: 70_000)).contains("more memory than any checkpoint"))
    let chain = [0x80, 2, 0x4E] + [UInt8](repeating: 0x85, count: 500_000) + [0x2E]
    #expect(complaintOf(chain).contains("nested more deeply"))
  }

  @Test("whose dictionaries name one another many times over are refused in good time")
  func laughs() {
    var pickle = PickleBuilder()
    pickle.code("}q\u{0}")
    for level in 1..<16 {
      pickle.code("}")
      for key in 0..<30 {
        pickle.string("k\(key)")
        pickle.code("h")
        pickle.code(String(UnicodeScalar(UInt8(level - 1))))
        pickle.code("s")
      }
      pickle.code("q" + String(UnicodeScalar(UInt8(level))))
    }
    pickle.code(".")
    let complaint = complaint { _ = try TorchArchive(bytes: PickleBuilder.archive(pickle.bytes)) }
    #expect(complaint.contains("named more often"), "\(complaint)")
  }
}
