import Files
import Tensors

/// One tensor of a GGUF file.
struct GGUFEntry: Sendable {
  let name: String
  let format: ElementFormat
  /// As the tensor is meant.
  var shape: Shape
  /// As it is stored: rows of whole blocks.
  let stored: Shape
  /// Bytes of the file, once placed.
  private(set) var range = 0..<0
  private let offset: Int

  private static let maximumRank = 8

  /// The number of axes, their extents from the innermost out, the type, the offset from the first element.
  init(name: String, parsing bytes: inout CheckpointCursor) throws(CheckpointError) {
    let start = bytes.position
    let rank = try bytes.count(UInt32.self)
    guard rank <= Self.maximumRank else { throw bytes.failure("the tensor '\(name)' has \(rank) axes", at: start) }
    var extents: [Int] = []
    for _ in 0..<rank { extents.append(try bytes.count(UInt64.self)) }
    self.name = name
    stored = Shape(extents.reversed())
    shape = stored
    let type = try bytes.integer(UInt32.self)
    format = ElementFormat(gguf: type)
    offset = try bytes.count(UInt64.self)
    guard stored.checkedCount != nil, format.block == nil || format.byteCount(stored) != nil else {
      throw bytes.failure("the tensor '\(name)' of \(stored) has more elements than there can be", at: start)
    }
    if let block = format.block, stored.last % block.elements != 0 {
      throw bytes.failure(
        "the tensor '\(name)' has rows of \(stored.last), which are no whole blocks of \(format.name)", at: start)
    }
  }

  /// Gives the tensor the shape that its writer noted elsewhere.
  mutating func reshape(to extents: [Int], path: String) throws(CheckpointError) {
    let meant = extents.allSatisfy { $0 >= 0 } ? Shape(extents) : nil
    guard let meant, meant.checkedCount == stored.checkedCount else {
      throw CheckpointError(
        path: path, at: .key(name), "its shape is noted as \(extents), and stored as \(stored)",
        advice: CheckpointError.downloadAgain)
    }
    shape = meant
  }

  mutating func place(from start: Int, to end: Int, path: String) throws(CheckpointError) {
    let bytes = format.byteCount(stored) ?? 0
    let (first, overflow) = start.addingReportingOverflow(offset)
    guard !overflow, first <= end, bytes <= end - first else {
      throw CheckpointError(
        path: path, at: .key(name),
        "the file is cut short: the tensor's \(bytes) bytes from byte \(overflow ? offset : first) end behind the "
          + "file's \(end)", advice: CheckpointError.unfinished)
    }
    range = first..<first + bytes
  }
}

extension ElementFormat {
  /// The format of a type's number in a GGUF file; by its number alone where it is unknown.
  init(gguf type: UInt32) {
    if let coding = Self.codings[type] {
      self.init(coding)
    } else if let dtype = Self.dtypes[type] {
      self.init(dtype)
    } else if let rare = Self.rare[type] {
      self.init(name: rare.name, block: Block(elements: rare.elements, bytes: rare.bytes))
    } else {
      self.init(name: "GGUF type \(type)", block: nil)
    }
  }

  /// The number of a format in a GGUF file; `nil` where such files have none for it.
  var ggufType: UInt32? {
    Self.dtypes.first { ElementFormat($0.value) == self }?.key
      ?? Self.codings.first { ElementFormat($0.value) == self }?.key
  }

  private static let dtypes: [UInt32: DType] = [
    0: .f32, 1: .f16, 24: .i8, 25: .i16, 26: .i32, 27: .i64, 28: .f64, 30: .bf16,
  ]
  private static let codings: [UInt32: ElementCoding] = [
    2: .q4_0, 3: .q4_1, 6: .q5_0, 7: .q5_1, 8: .q8_0, 10: .q2_K, 11: .q3_K, 12: .q4_K, 13: .q5_K, 14: .q6_K,
    20: .iq4_NL, 23: .iq4_XS,
  ]
  /// Known by name and size, and not read.
  private static let rare: [UInt32: (name: String, elements: Int, bytes: Int)] = [
    9: ("Q8_1", 32, 36), 15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82),
    29: ("IQ1_M", 256, 56), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
  ]
}
