/// Formats that are told by a few bytes at a fixed place, none of which is read here.
struct FileSignature {
  let offset: Int
  let bytes: [UInt8]
  /// After "this is ".
  let what: String
  let advice: String

  private init(_ bytes: [UInt8], at offset: Int = 0, _ what: String, _ advice: String) {
    (self.bytes, self.offset, self.what, self.advice) = (bytes, offset, what, advice)
  }

  private init(_ text: String, at offset: Int = 0, _ what: String, _ advice: String) {
    self.init(Array(text.utf8), at: offset, what, advice)
  }

  func matches(_ head: [UInt8]) -> Bool {
    head.count >= offset + bytes.count && head[offset..<offset + bytes.count].elementsEqual(bytes)
  }

  private static let convert = "give the checkpoint as a safetensors or .pth file"
  private static let unpack = "unpack it and give what is inside"
  private static let another = "give the file of the model itself"

  static let all = [
    FileSignature(
      [0, 5, 0x16, 7], "an AppleDouble file, which macOS keeps beside the real one",
      "give the file of the same name without '._', and delete this one"),
    FileSignature([0, 5, 0x16, 0], "an AppleSingle file, a wrapping of macOS", unpack),
    FileSignature([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive", unpack),
    FileSignature("Rar!\u{1A}\u{7}", "a RAR archive", unpack),
    FileSignature([0x1F, 0x8B], "a gzip archive", unpack),
    FileSignature([0x28, 0xB5, 0x2F, 0xFD], "a zstd archive", unpack),
    FileSignature([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "an xz archive", unpack),
    FileSignature([0x04, 0x22, 0x4D, 0x18], "an lz4 archive", unpack),
    FileSignature("1AY&SY", at: 4, "a bzip2 archive", unpack),
    FileSignature([0x89] + Array("HDF\r\n\u{1A}\n".utf8), "an HDF5 file, as Keras writes it", convert),
    FileSignature([0x93] + Array("NUMPY".utf8), "an array of NumPy", convert),
    FileSignature("TFL3", at: 4, "a TensorFlow Lite model", convert),
    FileSignature([0x89] + Array("PNG\r\n".utf8), "a PNG picture", another),
    FileSignature([0xFF, 0xD8, 0xFF], "a JPEG picture", another),
    FileSignature("ftyp", at: 4, "a video or a HEIF picture", another),
    FileSignature("%PDF-", "a PDF document", another),
    FileSignature("bplist00", "a property list of macOS", another),
  ]

  /// Formats that only the end of the name tells.
  static let endings: [(ending: String, what: String)] = [
    (".onnx", "an ONNX model"), (".msgpack", "a msgpack checkpoint, as Flax writes it"), (".h5", "a Keras checkpoint"),
    (".pb", "a TensorFlow model"),
    (".ckpt.index", "a TensorFlow checkpoint"), (".data-00000-of-00001", "a TensorFlow checkpoint"),
    (".tflite", "a TensorFlow Lite model"), (".gguf", "named as a GGUF file and none by its first bytes"),
    (".engine", "a TensorRT engine"), (".mlmodel", "a Core ML model"), (".npz", "an archive of NumPy arrays"),
  ]
}
