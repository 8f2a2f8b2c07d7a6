import Tensors

extension SafetensorsHeader {
  /// The front of a file, up to the first element, which it puts on a 64-byte boundary.
  static func encoded(
    _ entries: [SafetensorsWriter.Entry], metadata: [(key: String, value: String)], path: String
  ) throws(CheckpointError) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.map { "\($0.key.jsonQuoted):\($0.value.jsonQuoted)" }
      members.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
    }
    var offset = 0
    var names: Set<String> = ["__metadata__"]
    for entry in entries {
      guard names.insert(entry.name).inserted else {
        throw CheckpointError(path: path, at: .key(entry.name), "two tensors cannot have this name")
      }
      let end = offset + entry.byteCount
      let shape = entry.shape.dimensions.map(String.init).joined(separator: ",")
      members.append(
        "\(entry.name.jsonQuoted):{\"dtype\":\"\(entry.format.name)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    while !(text.count + 8).isMultiple(of: 64) { text.append(UInt8(ascii: " ")) }
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
  }
}

extension String {
  /// This text as a JSON string.
  var jsonQuoted: String {
    let escaped = unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return "\"\(escaped)\""
  }
}
