import Checkpoints
import Layers
import Sampling
import Tensors

/// A file of changes, fitted to one transformer.
struct LoRA: Adapter {
  let location: String
  let names: [String]
  /// Modules whose changes were passed over, since only Wan2.1 has them.
  let skipped: [String]
  private let file: AdapterFile
  private let strength: Float
  private let changes: [String: AdapterFile.Module]

  /// Finds each change's tensor and holds its shape against it; reads no numbers.
  ///
  /// - Parameters:
  ///   - modules: the file's modules for this transformer.
  ///   - demand: of the transformer.
  /// - Throws: everything that is unknown, of the wrong shape, or half of a pair, by its names.
  init(
    _ file: AdapterFile, modules: [AdapterFile.Module], strength: Float, for demand: Demand
  ) throws(ModelError) {
    let find = ModuleNames(demand)
    let shapes = Dictionary(demand.requests.map { ($0.name, $0.shape) }) { first, _ in first }
    var changes: [String: AdapterFile.Module] = [:]
    var problems = file.unknown.map { "'\($0)' is no part of a change that is known" }
    var skipped: [String] = []
    var unknown: [String] = []
    for module in modules {
      let target = module.tensors[.modulationDifference] == nil ? find(module.name) : find.modulated(module.name)
      guard let target else {
        if ModuleNames.isOfImageBranch(module.name) { skipped.append(module.name) } else { unknown.append(module.name) }
        continue
      }
      for change in Change.changes(of: module, target: target) {
        guard let shape = shapes[change.name] else {
          unknown.append(module.name)
          continue
        }
        if let problem = Change.problem(of: module, change.kind, shape: shape, in: file.source) {
          problems.append(problem)
        } else if changes.updateValue(module, forKey: change.name) != nil {
          problems.append("'\(change.name)' is changed twice")
        }
      }
    }
    if !unknown.isEmpty {
      problems.append(
        changes.isEmpty
          ? "none of its \(unknown.count) modules is one of this model: it is an adapter of another model "
            + "('\(unknown[0])')"
          : "\(unknown.count) modules are none of this model: "
            + unknown.prefix(6).map { "'\($0)'" }.joined(separator: ", "))
    }
    guard problems.isEmpty else {
      throw .checkpoint(
        problems.prefix(8).map { "\(file.location): \($0)" }.joined(separator: "\n")
          + (problems.count > 8 ? "\nand \(problems.count - 8) more" : ""))
    }
    (self.file, self.strength, self.changes, self.skipped) = (file, strength, changes, skipped)
    location = file.location
    names = changes.keys.sorted()
  }

  /// Elements of all its factors and differences.
  var parameters: Int {
    Set(changes.values.flatMap(\.tensors.values)).reduce(0) { $0 + (file.source.descriptor($1)?.shape.count ?? 0) }
  }

  /// Whether some matrix is changed as a whole, so that it must be made anew of its own numbers.
  var changesWholeMatrices: Bool { changes.contains { $0.key.hasSuffix(".weight") && $0.value.isWhole } }

  /// What the file and its strength are known by.
  var identity: String { "\(location) \(strength)" }

  func update(of name: String) throws(WeightError) -> LowRankUpdate? {
    guard let module = changes[name], name.hasSuffix(".weight"), !module.isWhole, let down = module.tensors[.down],
      let up = module.tensors[.up]
    else { return nil }
    let (a, b) = (try matrix(down), try matrix(up))
    guard a.shape[0] > 0 else { return nil }
    return LowRankUpdate(down: a, up: b, scale: strength * (try file.scale(of: module, rank: a.shape[0])))
  }

  func difference(of name: String) throws(WeightError) -> Tensor? {
    guard let module = changes[name] else { return nil }
    let role: AdapterFile.Role =
      name.hasSuffix(".bias")
      ? .biasDifference : name.hasSuffix(".modulation") ? .modulationDifference : .difference
    guard let tensor = module.tensors[role] else { return nil }
    let numbers = try numbers(tensor).floats()
    return Tensor(numbers.map { $0 * strength }, shape: [numbers.count])
  }

  func wholeUpdate(of name: String, matrix: () -> Tensor) throws(WeightError) -> Tensor? {
    guard let module = changes[name], name.hasSuffix(".weight"), module.isWhole else { return nil }
    return try MatrixChange(module, file).difference(from: matrix, strength: strength)
  }

  private func matrix(_ name: String) throws(WeightError) -> Tensor {
    let tensor = try numbers(name)
    return tensor.reshaped([tensor.shape[0], tensor.shape[0] == 0 ? 0 : tensor.count / tensor.shape[0]])
  }

  private func numbers(_ name: String) throws(WeightError) -> Tensor { try file.source.matrix(name).dense }

  /// Fails where some number is NaN or infinite: everything computed with it would be.
  func checkNumbers() throws(ModelError) {
    for name in Set(changes.values.flatMap(\.tensors.values)).sorted() {
      do throws(WeightError) {
        guard try numbers(name).hasOnlyFiniteNumbers else {
          throw .unreadable(name: name, location: location, reason: "it holds NaN or infinity")
        }
      } catch { throw .checkpoint(error.description) }
    }
  }
}

extension ModuleNames {
  /// The module of a modulation, whose difference is named by what it is in: `blocks.0.diff_m`, `head.diff_m`.
  func modulated(_ name: String) -> String? { self(name) ?? self(name + "_modulation") }
}

extension AdapterFile.Module {
  /// Whether its matrix is changed by more than a pair of factors.
  fileprivate var isWhole: Bool {
    tensors.keys.contains { role in
      switch role {
      case .down, .up, .alpha, .biasDifference, .modulationDifference: false
      default: true
      }
    }
  }
}

/// Which tensors of a network a module's change is for, and whether it fits them.
private enum Change {
  case matrix, bias, modulation, parameter

  static func changes(of module: AdapterFile.Module, target: String) -> [(name: String, kind: Change)] {
    var changes: [(name: String, kind: Change)] = []
    if module.tensors[.modulationDifference] != nil { changes.append((target + ".modulation", .modulation)) }
    if module.tensors[.biasDifference] != nil { changes.append((target + ".bias", .bias)) }
    let others = Set(module.tensors.keys).subtracting([.modulationDifference, .biasDifference, .alpha])
    if !others.isEmpty { changes.append((target + ".weight", others == [.difference] ? .parameter : .matrix)) }
    return changes
  }

  /// What is wrong with the tensors of a module for a tensor of this shape.
  static func problem(
    of module: AdapterFile.Module, _ kind: Change, shape: Shape, in source: any WeightSource
  ) -> String? {
    func found(_ role: AdapterFile.Role) -> Shape? {
      module.tensors[role].flatMap { source.descriptor($0)?.shape }
    }
    func wrong(_ role: AdapterFile.Role) -> String {
      "'\(module.tensors[role] ?? "")' of \(found(role) ?? []) does not fit the model's \(shape)"
    }
    for role in module.tensors.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
      if let name = module.tensors[role], let descriptor = source.descriptor(name),
        !descriptor.format.isFloatingPoint && role != .alpha || descriptor.shape.checkedCount == nil
      {
        return "'\(name)' is stored as \(descriptor.format.name), not as numbers with fractions"
      }
    }
    switch kind {
    case .bias: return found(.biasDifference)?.count == shape.count ? nil : wrong(.biasDifference)
    case .modulation: return found(.modulationDifference)?.count == shape.count ? nil : wrong(.modulationDifference)
    case .parameter: return found(.difference)?.count == shape.count ? nil : wrong(.difference)
    case .matrix: break
    }
    guard shape.rank >= 2 else { return "'\(module.name)' changes a vector of \(shape) as if it were a matrix" }
    let outputs = shape.rank > 0 ? shape[0] : 1
    let inputs = outputs == 0 ? 0 : shape.count / outputs
    if let problem = pairProblem(.down, .up, outputs, inputs) { return problem }
    return nil

    func pairProblem(
      _ down: AdapterFile.Role, _ up: AdapterFile.Role, _ outputs: Int, _ inputs: Int
    ) -> String? {
      switch (found(down), found(up)) {
      case (nil, nil): return MatrixChange.problem(of: module, outputs: outputs, inputs: inputs, found: found)
      case (.some, nil): return "'\(module.tensors[down] ?? "")' has no other half"
      case (nil, .some): return "'\(module.tensors[up] ?? "")' has no other half"
      case (let a?, let b?):
        guard a.rank >= 2, b.rank >= 2, a[0] == b.count / max(1, b[0]), a.count == a[0] * inputs else {
          return wrong(down)
        }
        guard b[0] == outputs else { return wrong(up) }
        return MatrixChange.problem(of: module, outputs: outputs, inputs: inputs, found: found)
      }
    }
  }
}

extension Tensor {
  /// Whether no element is NaN or infinite.
  fileprivate var hasOnlyFiniteNumbers: Bool {
    switch dtype {
    case .bf16: withSpan(of: UInt16.self) { s in s.indices.allSatisfy { s[$0] & 0x7F80 != 0x7F80 } }
    case .f16: withSpan(of: UInt16.self) { s in s.indices.allSatisfy { s[$0] & 0x7C00 != 0x7C00 } }
    case .f32: withSpan(of: Float.self) { s in s.indices.allSatisfy { s[$0].isFinite } }
    default: floats().allSatisfy(\.isFinite)
    }
  }
}
