import Files
import Foundation
import Tensors

/// What stands beside an adapter's tensors of their scale: PEFT's adapter_config.json, or the same in a header.
struct AdapterScales: Sendable {
  private var alpha: Double?
  private var alphas: [String: Double] = [:]
  private var isRankStabilised = false

  static let none = AdapterScales()

  private init() {}

  /// From the header of a file, or the configuration in its folder.
  ///
  /// - Throws: where there is one and it cannot be read.
  init(besides path: String) throws(CheckpointError) {
    let header =
      ((try? openFile(path: path, expecting: .checkpoint)).flatMap {
        try? SafetensorsFile($0, location: path)
      })?.metadata.first { $0.key == "lora_adapter_metadata" }?.value
    if let header {
      try read(Array(header.utf8), path: "\(path): lora_adapter_metadata", prefix: "transformer.")
      return
    }
    let file = Paths.join(Paths.folder(of: path), "adapter_config.json")
    guard FileManager.default.fileExists(atPath: file) else { return }
    let text = try openFile(path: file, expecting: .json)
    guard text.byteCount <= 1 << 20 else { throw CheckpointError(path: file, "it is too long for a configuration") }
    try read(text.bytes, path: file, prefix: "")
  }

  private mutating func read(_ text: [UInt8], path: String, prefix: String) throws(CheckpointError) {
    let value = try JSONValue(parsing: text, path: path, as: CheckpointError.self)
    guard case .object(let members) = value else { throw CheckpointError(path: path, "it is no JSON object") }
    if case .number(let number)? = members[prefix + "lora_alpha"] { alpha = number }
    if members[prefix + "use_rslora"]?.bool == true { isRankStabilised = true }
    if case .object(let pattern)? = members[prefix + "alpha_pattern"] {
      for name in pattern.names { if case .number(let number)? = pattern[name] { alphas[name] = number } }
    }
  }

  func scale(of module: String, rank: Int) -> Float {
    let own = alphas.first { module == $0.key || module.hasSuffix("." + $0.key) }?.value
    guard let alpha = own ?? alpha else { return 1 }
    return Float(alpha / (isRankStabilised ? Double(rank).squareRoot() : Double(rank)))
  }
}
