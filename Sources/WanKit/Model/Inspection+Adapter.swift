import Checkpoints
import Files
import Sampling
import Tensors

/// What a LoRA's file changes, by how much, and for which model, from its header alone.
struct InspectedAdapter {
  /// "LoRA", "LoKr", "DoRA", ... with the expert that the file or its name tells.
  let name: String
  /// Modules, ranks, scales, and the width of the model that it is for.
  let sizes: String
  let problems: [String]
  /// Which options would use it.
  let usage: String

  init(_ source: any WeightSource) throws(CheckpointError) {
    let file = try AdapterFile(path: source.location)
    let kinds = Set(file.modules.map(Self.kind)).sorted()
    let expert = Self.expert(of: file)
    name = kinds.joined(separator: " and ") + (expert.map { ", \($0)" } ?? ", for either expert by its name")
    sizes = [
      "\(file.modules.count) modules", Self.ranks(of: file), Self.scales(of: file), Self.model(of: file),
    ].compactMap { $0 }.joined(separator: ", ")
    let isOther = !file.modules.contains { module in
      let name = ModuleNames.flat(module.name)
      return name.contains("blocks_") && Self.parts.contains(where: name.contains)
    }
    problems =
      (isOther ? ["\(file.location): none of its modules is one of Wan's: it is an adapter of another model"] : [])
      + file.unknown.prefix(8).map { "\(file.location): '\($0)' is no part of a change that is known" }
    usage = "wan generate --lora \(file.location) --model ..."
  }

  /// What the layers of a transformer are called, by the published names and diffusers'.
  private static let parts = ["self_attn", "cross_attn", "ffn", "attn1", "attn2", "norm3", "modulation"]

  private static func kind(_ module: AdapterFile.Module) -> String {
    let roles = Set(module.tensors.keys)
    if roles.contains(.magnitude) { return "DoRA" }
    if !roles.isDisjoint(with: [.kroneckerLeft, .kroneckerLeftA, .kroneckerRight, .kroneckerRightA]) { return "LoKr" }
    if roles.contains(.productLeftA) { return "LoHa" }
    return roles.contains(.down) ? "LoRA" : "differences"
  }

  private static func expert(of file: AdapterFile) -> String? {
    if file.modules.contains(where: { $0.name.hasPrefix("transformer_2.") }) { return "for both experts, in one file" }
    let named =
      ExpertName.expert(of: file.location) ?? ExpertName.expert(of: Paths.folder(of: file.location))
    return named.map { "for the \($0.rawValue)-noise expert by its name" }
  }

  private static func rank(of module: AdapterFile.Module, in file: AdapterFile) -> Int? {
    let names = [.down, .productLeftB, .kroneckerRightB].compactMap { module.tensors[$0] }
    return names.lazy.compactMap { file.source.descriptor($0)?.shape.dimensions.first }.first
  }

  private static func ranks(of file: AdapterFile) -> String? {
    let ranks = Set(file.modules.compactMap { rank(of: $0, in: file) }).sorted()
    guard let first = ranks.first, let last = ranks.last else { return nil }
    return first == last ? "rank \(first)" : "ranks \(first) to \(last)"
  }

  /// The factors on the products: alpha over the rank, wherever alpha stands.
  private static func scales(of file: AdapterFile) -> String? {
    let scales = file.modules.compactMap { module -> Float? in
      guard let rank = rank(of: module, in: file), rank > 0 else { return nil }
      return try? file.scale(of: module, rank: rank)
    }
    guard let first = scales.min(), let last = scales.max() else { return nil }
    return first == last ? "scale \(first)" : "scales \(first) to \(last)"
  }

  /// The model whose width its self-attention has.
  private static func model(of file: AdapterFile) -> String? {
    let widths = file.modules.compactMap { module -> Int? in
      guard ["self_attn_q", "attn1_to_q"].contains(where: { ModuleNames.flat(module.name).hasSuffix($0) }),
        let down = module.tensors[.down]
      else { return nil }
      return file.source.descriptor(down)?.shape.dimensions.last
    }
    guard let width = widths.first else { return nil }
    switch width {
    case 5120: return "for the A14B models"
    case 3072: return "for the 5B model"
    default: return "for a model of dim \(width)"
    }
  }
}
