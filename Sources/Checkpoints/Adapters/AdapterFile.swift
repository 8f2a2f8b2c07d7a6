import Files
import Foundation
public import Tensors

/// A LoRA or one of its relatives: changes of a network's modules, sorted by module, whatever program wrote them.
///
/// Reads headers alone; nothing is known here of the network that they are for.
public struct AdapterFile: Sendable {
  /// The file's path.
  public let location: String
  /// The checkpoint that the tensors are read from.
  public let source: any WeightSource
  /// One for each module, in the file's order, under the file's own names for modules.
  public let modules: [Module]
  /// Tensors that are part of no change that is known.
  public let unknown: [String]
  private let scales: AdapterScales

  /// The tensors of one module's change, by their roles.
  public struct Module: Sendable {
    /// As the file has it, with its prefix: `lora_unet_blocks_0_self_attn_q`.
    public let name: String
    /// Names of tensors, by role.
    public fileprivate(set) var tensors: [Role: String]
  }

  /// What a tensor is in a change.
  public enum Role: String, Sendable, Hashable, CaseIterable {
    /// The pair of a LoRA: [r, K] and [N, r].
    case down, up
    /// A number that the rank divides.
    case alpha
    /// What is added to a weight, a bias, a modulation.
    case difference, biasDifference, modulationDifference
    /// Row norms that the changed matrix is brought to.
    case magnitude
    /// The factors of a Kronecker product, whole or as pairs.
    case kroneckerLeft, kroneckerLeftA, kroneckerLeftB, kroneckerRight, kroneckerRightA, kroneckerRightB
    /// The two pairs of a product element by element.
    case productLeftA, productLeftB, productRightA, productRightB
  }

  /// - Throws: where the file cannot be opened, or two tensors have one role in one module.
  public init(path: String) throws(CheckpointError) {
    try self.init(try openCheckpoint(path: path), scales: AdapterScales(besides: path))
  }

  init(_ source: any WeightSource, scales: AdapterScales) throws(CheckpointError) {
    location = source.location
    self.source = source
    self.scales = scales
    var modules: [Module] = []
    var positions: [String: Int] = [:]
    var unknown: [String] = []
    for name in source.names {
      guard let (module, role) = Self.part(name) else {
        unknown.append(name)
        continue
      }
      let position = positions[module] ?? modules.count
      if position == modules.count {
        positions[module] = position
        modules.append(Module(name: module, tensors: [:]))
      }
      if let other = modules[position].tensors.updateValue(name, forKey: role) {
        throw CheckpointError(
          path: source.location, at: .key(name), "'\(other)' is the same part of the same module's change")
      }
    }
    (self.modules, self.unknown) = (modules, unknown)
  }

  /// The factor on a module's product, the strength not among it: alpha / rank where the file says an alpha.
  ///
  /// - Parameter rank: the rows of its pair; for a product without one, `nil`, alpha counts for nothing.
  public func scale(of module: Module, rank: Int?) throws(WeightError) -> Float {
    guard let rank, rank > 0 else { return 1 }
    if let name = module.tensors[.alpha] {
      let alpha = try source.tensor(name)
      guard alpha.count == 1, alpha.floats()[0].isFinite else {
        throw .unreadable(name: name, location: location, reason: "it is not one finite number")
      }
      return alpha.floats()[0] / Float(rank)
    }
    return scales.scale(of: module.name, rank: rank)
  }

  /// Endings of tensors' names and their roles; those that hold others come first.
  private static let endings: [(ending: String, role: Role)] = [
    (".lora_down.weight", .down), (".lora_A.default.weight", .down), (".lora_A.weight", .down),
    ("_lora.down.weight", .down), (".lora.down.weight", .down), (".lora_A.default", .down), (".lora_A", .down),
    (".lora_up.weight", .up), (".lora_B.default.weight", .up), (".lora_B.weight", .up), ("_lora.up.weight", .up),
    (".lora.up.weight", .up), (".lora_B.default", .up), (".lora_B", .up), (".lora_down", .down), (".lora_up", .up),
    (".lora_B.default.bias", .biasDifference), (".lora_B.bias", .biasDifference),
    (".lora_up.bias", .biasDifference), (".diff_b", .biasDifference), (".b_norm", .biasDifference),
    (".diff_m", .modulationDifference), (".diff", .difference), (".w_norm", .difference), (".alpha", .alpha),
    (".dora_scale", .magnitude), (".lora_magnitude_vector.default.weight", .magnitude),
    (".lora_magnitude_vector.weight", .magnitude), (".lora_magnitude_vector.default", .magnitude),
    (".lora_magnitude_vector", .magnitude),
    (".lokr_w1_a", .kroneckerLeftA), (".lokr_w1_b", .kroneckerLeftB), (".lokr_w1", .kroneckerLeft),
    (".lokr_w2_a", .kroneckerRightA), (".lokr_w2_b", .kroneckerRightB), (".lokr_w2", .kroneckerRight),
    (".hada_w1_a", .productLeftA), (".hada_w1_b", .productLeftB), (".hada_w2_a", .productRightA),
    (".hada_w2_b", .productRightB),
  ]

  private static func part(_ name: String) -> (module: String, role: Role)? {
    guard let found = endings.first(where: { name.hasSuffix($0.ending) }) else { return nil }
    let module = name.dropLast(found.ending.count)
    return module.isEmpty ? nil : (String(module), found.role)
  }
}
