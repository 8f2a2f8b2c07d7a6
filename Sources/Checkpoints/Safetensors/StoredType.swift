import Tensors

/// An element type as a safetensors header names it; some are known to the format but not to the engine.
struct StoredType: Sendable, Hashable {
  /// Longer names than any format has: types are compared by name.
  static let longestName = 64

  let name: String

  /// The engine's type, where it has one.
  var dtype: DType? { DType(rawValue: name) }

  /// Bits of one element; `nil` for a name that is not known.
  var bitCount: Int? {
    if let dtype { return 8 * dtype.byteCount }
    return switch name {
    case "F4": 4
    case "F6_E2M3", "F6_E3M2": 6
    case "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ": 8
    case "U16": 16
    case "U32", "C32": 32
    case "U64", "C64": 64
    case "C128": 128
    default: nil
    }
  }
}
