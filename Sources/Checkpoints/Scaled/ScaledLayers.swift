import Files
import Tensors

/// Which linears of a checkpoint have scales beside their weights, and under which names.
struct ScaledLayers {
  /// A linear's path, the name of its scales, and of the second ones.
  private(set) var scaled: [(path: String, scale: String, second: String?)] = []
  /// All tensors that belong to weights and are none.
  private(set) var companions: Set<String> = []

  private static let scales = ["weight_scale", "scale_weight"]
  /// Of no use here: scales for the inputs of a card's products, marks.
  private static let others = ["input_scale", "scale_input", "comfy_quant"]
  private static let readFormats = [
    "float8_e4m3fn", "float8_e5m2", "int8_tensorwise", "mxfp8", "nvfp4",
  ]

  init(_ source: any WeightSource, metadata: [(key: String, value: String)]) throws(CheckpointError) {
    let names = Set(source.names)
    if let text = metadata.first(where: { $0.key == "_quantization_metadata" })?.value {
      try Self.check(layers: text, location: source.location)
    }
    for name in source.names {
      guard let dot = name.lastIndex(of: ".") else {
        if name == "scaled_fp8" { companions.insert(name) }
        continue
      }
      let (path, last) = (String(name[..<dot]), String(name[name.index(after: dot)...]))
      if last == "comfy_quant" { try Self.check(mark: name, in: source) }
      if last == "scaled_fp8" || Self.others.contains(last) && names.contains(path + ".weight") {
        companions.insert(name)
      } else if Self.scales.contains(last), names.contains(path + ".weight"), Self.isSmall(path + ".weight", source) {
        let second = path + ".weight_scale_2"
        scaled.append((path, name, names.contains(second) ? second : nil))
        companions.insert(name)
        if names.contains(second) { companions.insert(second) }
      }
    }
    if let twice = Dictionary(grouping: scaled, by: \.path).first(where: { $0.value.count > 1 }) {
      throw CheckpointError(
        path: source.location, at: .key(twice.key + ".weight"),
        "it has several scales: \(twice.value.map(\.scale).quotedList())")
    }
  }

  private static func isSmall(_ name: String, _ source: any WeightSource) -> Bool {
    ["F8_E4M3", "F8_E5M2", "I8", "U8"].contains(source.descriptor(name)?.format.name ?? "")
  }

  /// The mark of one linear: JSON as bytes.
  private static func check(mark name: String, in source: any WeightSource) throws(CheckpointError) {
    guard let descriptor = source.descriptor(name), descriptor.dtype == .u8, descriptor.shape.count <= 1 << 16,
      let tensor = try? source.tensor(name)
    else { throw CheckpointError(path: source.location, at: .key(name), "it is not JSON in bytes") }
    let bytes = tensor.withBytes { span in span.indices.map { span[$0] } }
    let mark = try JSONValue(parsing: bytes, path: "\(source.location): '\(name)'", as: CheckpointError.self)
    try check(mark, of: name, location: source.location)
  }

  /// The marks of all linears in a header's text.
  private static func check(layers text: String, location: String) throws(CheckpointError) {
    let value = try JSONValue(
      parsing: Array(text.utf8), path: "\(location): _quantization_metadata", as: CheckpointError.self)
    guard case .object(let members) = value, case .object(let layers)? = members["layers"] else { return }
    for name in layers.names { if let mark = layers[name] { try check(mark, of: name, location: location) } }
  }

  private static func check(_ mark: JSONValue, of name: String, location: String) throws(CheckpointError) {
    guard case .object(let fields) = mark, case .string(let format)? = fields["format"] else { return }
    let isRotated = fields["convrot"]?.bool == true
    guard readFormats.contains(format), !isRotated else {
      throw CheckpointError(
        path: location, at: .key(name),
        "it is stored as \(format.prefix(64))\(isRotated ? " with rotated rows (convrot)" : ""), which is not read",
        advice: "take the model in BF16, scaled FP8 or GGUF")
    }
  }
}
