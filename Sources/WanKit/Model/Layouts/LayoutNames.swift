import Tensors

/// The names that another program gives tensors of published names: the other way of ``OfficialNames``.
struct LayoutNames {
  private let rename: (String) -> String

  /// - Parameters:
  ///   - dialect: whose names.
  ///   - names: all published names of the network.
  init(_ kind: NetworkKind, _ dialect: TensorNaming.Dialect, names: [String]) {
    switch (kind, dialect) {
    case (.transformer, .diffusers): rename = Self.transformer
    case (.textEncoder, .transformers): rename = Self.huggingFace
    case (.textEncoder, .llama): rename = Self.llama
    case (.autoencoder, .diffusers):
      let structure = PublishedAutoencoder(names)
      rename = structure.diffusers
    default: rename = { $0 }
    }
  }

  func callAsFunction(_ name: String) -> String { rename(name) }

  private static func transformer(_ name: String) -> String {
    if name == "head.modulation" { return "scale_shift_table" }
    guard let block = BlockName(name, list: "blocks") else {
      return OfficialNames.replaced(name, OfficialNames.diffusersModules)
    }
    let rest =
      block.rest == "modulation"
      ? "scale_shift_table" : OfficialNames.replaced(block.rest, OfficialNames.diffusersLayers)
    return "blocks.\(block.number).\(rest)"
  }

  private static let huggingFaceLayers = turned(OfficialNames.huggingFaceLayers)
  private static let llamaLayers = turned(OfficialNames.llamaLayers)

  private static func turned(_ table: [String: String]) -> [String: String] {
    Dictionary(uniqueKeysWithValues: table.map { ($0.value, $0.key) })
  }

  private static func huggingFace(_ name: String) -> String {
    switch name {
    case "token_embedding.weight": return "shared.weight"
    case "norm.weight": return "encoder.final_layer_norm.weight"
    default: break
    }
    guard let block = BlockName(name, list: "blocks") else { return name }
    return "encoder.block.\(block.number)." + OfficialNames.replaced(block.rest, huggingFaceLayers)
  }

  private static func llama(_ name: String) -> String {
    switch name {
    case "token_embedding.weight": return "token_embd.weight"
    case "norm.weight": return "enc.output_norm.weight"
    default: break
    }
    guard let block = BlockName(name, list: "blocks") else { return name }
    return "enc.blk.\(block.number)." + OfficialNames.replaced(block.rest, llamaLayers)
  }
}

/// The published names of an autoencoder as diffusers' levels: the other way of ``DiffusersAutoencoder``.
private struct PublishedAutoencoder {
  /// Lists inside lists, as 2.2 has them.
  private let isNested: Bool
  /// Entries of a level of 2.1's decoder: its residual blocks, and what enlarges.
  private let levelLength: Int

  private static let leaves = Dictionary(
    uniqueKeysWithValues: DiffusersAutoencoder.leaves.map { ($0.value, $0.key) })

  init(_ names: [String]) {
    isNested = names.contains { $0.hasPrefix("encoder.downsamples.0.downsamples.") }
    let enlarging = names.filter { $0.hasPrefix("decoder.upsamples.") && $0.contains(".resample.") }
    let places = enlarging.compactMap { $0.split(separator: ".").dropFirst(2).first.flatMap { Int($0) } }
    levelLength = (places.min() ?? .max - 1) + 1
  }

  func diffusers(_ name: String) -> String {
    let parts = name.split(separator: ".").map(String.init)
    guard parts.count > 2, ["encoder", "decoder"].contains(parts[0]) else {
      if name.hasPrefix("conv1.") { return "quant_" + name.replacingPrefix("conv1", with: "conv") }
      return name.hasPrefix("conv2.") ? "post_quant_" + name.replacingPrefix("conv2", with: "conv") : name
    }
    let (half, rest) = (parts[0], Array(parts.dropFirst(2)))
    switch parts[1] {
    case "conv1": return "\(half).conv_in." + rest.joined(separator: ".")
    case "head": return "\(half).\(rest[0] == "0" ? "norm_out" : "conv_out")." + rest.dropFirst().joined(separator: ".")
    case "middle":
      let tail = Array(rest.dropFirst())
      if rest[0] == "1" { return "\(half).mid_block.attentions.0." + tail.joined(separator: ".") }
      return "\(half).mid_block.resnets.\(rest[0] == "0" ? 0 : 1)." + leaf(tail)
    default: return level(half, rest) ?? name
    }
  }

  private func level(_ half: String, _ rest: [String]) -> String? {
    let isEncoder = half == "encoder"
    let list = "\(half).\(isEncoder ? "down" : "up")_blocks"
    guard let first = Int(rest[0]) else { return nil }
    if isNested {
      guard rest.count > 3, let place = Int(rest[2]) else { return nil }
      let tail = Array(rest.dropFirst(3))
      if Self.isResampling(tail) {
        return "\(list).\(first).\(isEncoder ? "downsampler" : "upsampler")." + tail.joined(separator: ".")
      }
      return "\(list).\(first).resnets.\(place)." + leaf(tail)
    }
    let tail = Array(rest.dropFirst())
    if isEncoder { return "\(list).\(first)." + leaf(tail) }
    let (level, place) = first.quotientAndRemainder(dividingBy: levelLength)
    if Self.isResampling(tail) { return "\(list).\(level).upsamplers.0." + tail.joined(separator: ".") }
    return "\(list).\(level).resnets.\(place)." + leaf(tail)
  }

  private static func isResampling(_ tail: [String]) -> Bool { ["resample", "time_conv"].contains(tail.first) }

  /// `residual.2.weight` as `conv1.weight`.
  private func leaf(_ tail: [String]) -> String {
    for length in [2, 1] where tail.count > length {
      if let leaf = Self.leaves[tail.prefix(length).joined(separator: ".")] {
        return ([leaf] + tail.dropFirst(length)).joined(separator: ".")
      }
    }
    return tail.joined(separator: ".")
  }
}

extension String {
  fileprivate func replacingPrefix(_ prefix: String, with other: String) -> String {
    hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
  }
}
