import Files
import Tensors

/// A free value of a GGUF file.
public enum GGUFValue: Sendable {
  /// Of any width.
  case integer(Int)
  /// Of single or double precision.
  case number(Double)
  /// One byte.
  case bool(Bool)
  /// UTF-8.
  case string(String)
  /// Left in the file, however long it is.
  case array(GGUFArray)

  /// Longer texts are no names or settings; tokenizers lie in arrays.
  private static let longestText = 1 << 20

  /// The type's number, then the value.
  init(parsing bytes: inout CheckpointCursor) throws(CheckpointError) {
    let start = bytes.position
    guard let type = GGUFType(rawValue: try bytes.integer(UInt32.self)) else {
      throw bytes.failure("a value of an unknown type", at: start)
    }
    self = type == .array ? .array(try GGUFArray(parsing: &bytes)) : try Self.scalar(type, &bytes)
  }

  static func scalar(
    _ type: GGUFType, _ bytes: inout CheckpointCursor
  ) throws(CheckpointError) -> GGUFValue {
    let start = bytes.position
    switch type {
    case .u8: return .integer(Int(try bytes.byte()))
    case .i8: return .integer(Int(Int8(bitPattern: try bytes.byte())))
    case .bool: return .bool(try bytes.byte() != 0)
    case .u16: return .integer(Int(try bytes.integer(UInt16.self)))
    case .i16: return .integer(Int(Int16(bitPattern: try bytes.integer(UInt16.self))))
    case .u32: return .integer(Int(try bytes.integer(UInt32.self)))
    case .i32: return .integer(Int(Int32(bitPattern: try bytes.integer(UInt32.self))))
    case .u64: return .integer(try bytes.count(UInt64.self))
    case .i64: return .integer(Int(Int64(bitPattern: try bytes.integer(UInt64.self))))
    case .f32: return .number(Double(Float(bitPattern: try bytes.integer(UInt32.self))))
    case .f64: return .number(Double(bitPattern: try bytes.integer(UInt64.self)))
    case .string:
      let text = try GGUFHeader.text(&bytes)
      guard text.utf8.count <= longestText else { throw bytes.failure("a text of \(text.utf8.count) bytes", at: start) }
      return .string(text)
    case .array: throw bytes.failure("an array inside an array, which no reader takes", at: start)
    }
  }

  /// For errors and listings.
  var summary: String {
    switch self {
    case .integer(let value): String(value)
    case .number(let value): String(value)
    case .bool(let value): String(value)
    case .string(let value): "'\(value.prefix(200))'"
    case .array(let array): "\(array.count) values"
    }
  }
}

/// The types of free values, by their numbers.
enum GGUFType: UInt32, Sendable {
  case u8, i8, u16, i16, u32, i32, f32, bool, string, array, u64, i64, f64

  /// Bytes of a value; `nil` for texts, which have their own lengths, and arrays.
  var byteCount: Int? {
    switch self {
    case .u8, .i8, .bool: 1
    case .u16, .i16: 2
    case .u32, .i32, .f32: 4
    case .u64, .i64, .f64: 8
    case .string, .array: nil
    }
  }
}

/// An array of values of one type, as a place in the file; its file reads it.
public struct GGUFArray: Sendable {
  let type: GGUFType
  /// How many.
  public let count: Int
  let range: Range<Int>

  /// The type's number, the count, the values, which are passed.
  init(parsing bytes: inout CheckpointCursor) throws(CheckpointError) {
    let start = bytes.position
    guard let type = GGUFType(rawValue: try bytes.integer(UInt32.self)), type != .array else {
      throw bytes.failure("an array of arrays, or of an unknown type", at: start)
    }
    let count = try bytes.count(UInt64.self)
    guard count <= bytes.remaining / (type.byteCount ?? 8) else {
      throw bytes.failure("\(count) values do not fit in the \(bytes.remaining) bytes that are left", at: start)
    }
    let first = bytes.position
    if let size = type.byteCount {
      try bytes.skip(size * count)
    } else {
      for _ in 0..<count { try bytes.skip(try bytes.count(UInt64.self)) }
    }
    (self.type, self.count, range) = (type, count, first..<bytes.position)
  }

  /// The whole numbers of an array of a few.
  func integers(in bytes: CheckpointCursor) throws(CheckpointError) -> [Int] {
    guard type != .string, count <= 64 else { throw bytes.failure("a shape of \(count) values", at: range.lowerBound) }
    var values = CheckpointCursor(bytes.source, in: range, path: bytes.path)
    var integers: [Int] = []
    for _ in 0..<count {
      guard case .integer(let value) = try GGUFValue.scalar(type, &values) else {
        throw bytes.failure("a shape of fractions", at: range.lowerBound)
      }
      integers.append(value)
    }
    return integers
  }
}
