public import Tensors

/// A plan that needs more memory than there is; says what would need less.
public struct MemoryShortage: Error, Sendable, Hashable, CustomStringConvertible {
  /// What would make the plan smaller.
  public enum Remedy: String, Sendable, Hashable, CaseIterable {
    /// Fewer pixels.
    case smallerSize = "a smaller size"
    /// A shorter clip.
    case fewerFrames = "fewer frames"
    /// Weights as bytes.
    case int8 = "the precision int8"
    /// Frames decoded in more parts.
    case tiles = "smaller tiles for decoding"
  }

  /// Bytes that the plan needs, about.
  public let needed: Int
  /// Bytes that there are, and who says so.
  public let limit: MachineMemory.Limit
  /// What helps, most useful first; empty where only a larger machine does.
  public let remedies: [Remedy]

  public var description: String {
    cause + (remedies.isEmpty ? "" : "; it would need less with " + remedies.map(\.rawValue).joined(separator: ", "))
  }

  /// What is needed and what there is, without advice.
  public var cause: String { "this run needs about \(Self.words(needed)) of memory, and \(whoHas)" }

  /// Who has how much, as the end of a sentence.
  private var whoHas: String {
    let bytes = Self.words(limit.byteCount)
    return switch limit.bound {
    case .machine: "this machine has \(bytes)"
    case .controlGroup(let file): "the control group that it runs in allows \(bytes) (\(file))"
    case .addressSpace: "the limit on its address space leaves \(bytes) (ulimit -v)"
    case .ownMemory: "the limit on its own memory leaves \(bytes) (ulimit -d)"
    case .device: "the device that it runs on has \(bytes)"
    case .free: "\(bytes) are free"
    case .asked: "it was given \(bytes)"
    }
  }

  private static func words(_ bytes: Int) -> String {
    let mebibytes = Double(bytes) / Double(1 << 20)
    return mebibytes < 1024
      ? "\(Int(mebibytes.rounded())) MiB" : "\((mebibytes / 1024 * 10).rounded() / 10) GiB"
  }
}

extension GenerationPlan {
  /// Holds what the plan needs against what there is, before anything is loaded.
  ///
  /// Of the transformer's weights those count that must lie in memory together; the rest is streamed (``MemoryPlan``).
  /// Against the limits of the process itself only the memory that it asks for counts. What computes on a device needs
  /// the device's memory instead, where it tells how much it has.
  ///
  /// - Parameter traits: of the backend that will carry the plan out.
  public func check(_ machine: MachineMemory, on traits: BackendTraits) throws(MemoryShortage) {
    try check(machine, beside: 0, on: traits)
  }

  /// - Parameter overhead: bytes that the process takes in any case, of those that are resident.
  func check(_ machine: MachineMemory, beside overhead: Int, on traits: BackendTraits) throws(MemoryShortage) {
    let (sampling, encoding, decoding) = (leastSamplingMemory(on: traits), encodingMemory, decodingMemory)
    let stages = [
      Stage(kind: .sampling, memory: sampling), Stage(kind: .encoding, memory: encoding),
      Stage(kind: .decoding, memory: decoding),
    ]
    if case .device(let byteCount) = traits.memory {
      guard let byteCount else { return }
      return try check(stages, beside: traits.overhead.total, .init(byteCount, .device))
    }
    try check(stages, beside: overhead, machine.resident)
    if let limit = machine.owned {
      let owned = MemoryEstimate(weights: ownedWeights(on: traits), activations: sampling.activations)
      try check(
        [Stage(kind: .sampling, memory: owned)] + stages.dropFirst(), beside: Self.process + traits.overhead.scratch,
        limit)
    }
  }

  /// A part of the run, and what it needs.
  private struct Stage {
    enum Kind { case sampling, encoding, decoding }
    let kind: Kind
    let memory: MemoryEstimate
  }

  private func check(
    _ stages: [Stage], beside overhead: Int, _ limit: MachineMemory.Limit
  ) throws(MemoryShortage) {
    guard let largest = stages.max(by: { $0.memory.total < $1.memory.total }) else { return }
    let needed = largest.memory.total + overhead
    guard needed <= limit.byteCount else {
      throw MemoryShortage(needed: needed, limit: limit, remedies: remedies(largest))
    }
  }

  /// Bytes of the program, its libraries and its threads.
  static let process = 64 << 20

  private func remedies(_ stage: Stage) -> [MemoryShortage.Remedy] {
    // What is less than an eighth of the whole is not worth making smaller.
    let (weights, activations, total) = (stage.memory.weights, stage.memory.activations, stage.memory.total)
    var remedies: [MemoryShortage.Remedy] = []
    if stage.kind == .sampling && weights > total / 8 && precision != .int8 { remedies.append(.int8) }
    if stage.kind == .decoding, !model.decoder.isTiny { remedies.append(.tiles) }
    if activations > total / 8 {
      remedies.append(.smallerSize)
      if frames > 1 { remedies.append(.fewerFrames) }
    }
    return remedies
  }
}
