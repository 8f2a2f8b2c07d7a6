import Tensors

extension ElementFormat {
  /// Longer names than any format has: formats are compared by name.
  static let longestName = 64

  /// The format that a safetensors header names; some are known to the file format but not to the engine.
  init(safetensors name: String) {
    if let dtype = DType(rawValue: name) {
      self.init(dtype)
      return
    }
    let block: Block? =
      switch name {
      case "F4": Block(elements: 2, bytes: 1)
      case "F6_E2M3", "F6_E3M2": Block(elements: 4, bytes: 3)
      case "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ": Block(elements: 1, bytes: 1)
      case "U16": Block(elements: 1, bytes: 2)
      case "U32", "C32": Block(elements: 1, bytes: 4)
      case "U64", "C64": Block(elements: 1, bytes: 8)
      case "C128": Block(elements: 1, bytes: 16)
      default: nil
      }
    self.init(name: name, block: block)
  }
}
