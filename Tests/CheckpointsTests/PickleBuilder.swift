/// Writes pickles instruction by instruction, protocol 2, and wraps them in archives.
struct PickleBuilder {
  private(set) var bytes: [UInt8] = [0x80, 2]

  mutating func code(_ text: String) { bytes += Array(text.utf8) }

  mutating func int(_ value: Int) { bytes += Array("J".utf8) + Int32(value).littleEndianBytes }

  mutating func long(_ value: Int) { bytes += [0x8A, 8] + value.littleEndianBytes }

  mutating func string(_ text: String) {
    bytes += Array("X".utf8) + UInt32(text.utf8.count).littleEndianBytes + Array(text.utf8)
  }

  mutating func global(_ module: String, _ name: String) { code("c\(module)\n\(name)\n") }

  mutating func tuple(_ values: [Int]) {
    code("(")
    for value in values { long(value) }
    code("t")
  }

  /// A float tensor over the storage `key`.
  mutating func tensor(
    key: String = "0", count: Int, offset: Int = 0, size: [Int], stride: [Int], type: String = "FloatStorage"
  ) {
    global("torch._utils", "_rebuild_tensor_v2")
    code("((")
    string("storage")
    global("torch", type)
    string(key)
    string("cpu")
    long(count)
    code("tQ")
    long(offset)
    tuple(size)
    tuple(stride)
    bytes += [0x89]
    global("collections", "OrderedDict")
    code(")RtR")
  }

  /// A tensor of a type that torch names, over an untyped storage of 64 bytes, as `_rebuild_tensor_v3` makes it.
  mutating func tensor(element: String) {
    global("torch._utils", "_rebuild_tensor_v3")
    storage("UntypedStorage", count: 64)
    bytes += [0x89]
    global("collections", "OrderedDict")
    code(")R")
    global("torch", element)
    code("tR")
  }

  /// A tensor of bytes with a scale, as torch's quantisation makes it.
  mutating func quantizedTensor() {
    global("torch._utils", "_rebuild_qtensor")
    storage("QInt8Storage", count: 64)
    code("(")
    global("torch", "per_tensor_affine")
    code("G\u{3F}")
    bytes += [0x80, 0, 0, 0, 0, 0, 0]
    long(0)
    code("t")
    bytes += [0x89]
    global("collections", "OrderedDict")
    code(")RtR")
  }

  /// The first four arguments of a tensor of 64 elements, behind an open mark.
  private mutating func storage(_ type: String, count: Int) {
    code("((")
    string("storage")
    global(type == "UntypedStorage" ? "torch.storage" : "torch", type)
    string("0")
    string("cpu")
    long(count)
    code("tQ")
    long(0)
    tuple([count])
    tuple([1])
  }

  /// A pickle of `{"w": ...}`.
  static func dictionary(_ value: (inout PickleBuilder) -> Void) -> [UInt8] {
    var pickle = PickleBuilder()
    pickle.code("}")
    pickle.string("w")
    value(&pickle)
    pickle.code("s.")
    return pickle.bytes
  }

  /// An archive of this pickle and one storage of so many bytes.
  static func archive(_ pickle: [UInt8], storage: Int = 64, zip: ZipBuilder = ZipBuilder()) -> [UInt8] {
    var zip = zip
    zip.add("m/data.pkl", pickle)
    zip.add("m/byteorder", Array("little".utf8))
    zip.add("m/data/0", (0..<storage).map { UInt8(truncatingIfNeeded: $0) })
    return zip.bytes
  }
}
