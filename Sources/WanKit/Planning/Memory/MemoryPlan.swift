import Layers
public import Tensors
import WanModels

/// What of a plan's networks stays in memory, and what is read from the disk again and again because it does not fit.
public struct MemoryPlan: Sendable, Hashable {
  /// A network some of whose blocks come and go.
  public struct Streaming: Sendable, Hashable, Codable {
    /// How many there are, and how many of them stay from one pass to the next.
    public let blocks, kept: Int
    /// Bytes that all blocks in memory take at one time, at most.
    public let residentBytes: Int
    /// Bytes that are read in each pass after the first.
    public let bytesPerPass: Int
  }

  /// Bytes that the process may take, and who says so; `nil` where nobody does.
  public let limit: MachineMemory.Limit?
  /// The transformer, or each expert; `nil` where all of it stays.
  public let transformer: Streaming?
  /// The text encoder, which each prompt goes through once; `nil` where all of it is in memory at a time.
  public let textEncoder: Streaming?
  /// Bytes that the process takes at its peak, about.
  public let peakBytes: Int
}

extension GenerationPlan {
  /// How the plan is carried out within ``memoryLimit``.
  ///
  /// - Parameter traits: of the backend that will carry it out.
  /// - Throws: ``MemoryShortage`` where somebody asked for less than the least; what is free is not held to that.
  public func memoryPlan(on traits: BackendTraits) throws(MemoryShortage) -> MemoryPlan {
    let overhead = traits.overhead.total + Self.process
    let sampling = samplingMemory(on: traits)
    let stages = [encodingMemory.total, decodingMemory.total]
    guard let limit = memoryLimit, traits.memory == .host else {
      let all = stages + [sampling.total, textMemory.total]
      return MemoryPlan(
        limit: memoryLimit, transformer: nil, textEncoder: nil, peakBytes: (all.max() ?? 0) + overhead)
    }
    if limit.bound == .asked { try check(within: limit, on: traits) }
    let (least, text) = (leastSamplingMemory(on: traits), textMemory)
    let room = limit.byteCount - overhead
    let transformer = streaming(
      model.transformers.all.map(\.part.blockSizes), whole: sampling.total, least: least, room: max(room, least.total))
    let textEncoder = streaming(
      [model.textEncoder.blockSizes], whole: text.total, least: leastTextMemory, room: max(room, leastTextMemory.total))
    let samplingPeak = transformer.map { least.total - Self.coming(model.transformers) + $0.residentBytes }
    let textPeak = textEncoder.map { leastTextMemory.total - model.textEncoder.blockSizes.coming + $0.residentBytes }
    let peaks = stages + [samplingPeak ?? sampling.total, textPeak ?? text.total]
    return MemoryPlan(
      limit: limit, transformer: transformer, textEncoder: textEncoder, peakBytes: (peaks.max() ?? 0) + overhead)
  }

  /// - Parameters:
  ///   - parts: the blocks of networks that follow each other.
  ///   - whole: bytes of the stage with all of the largest of them in memory.
  ///   - least: the stage with two blocks in memory.
  ///   - room: bytes for the stage.
  private func streaming(
    _ parts: [BlockSizes], whole: Int, least: MemoryEstimate, room: Int
  ) -> MemoryPlan.Streaming? {
    guard let largest = parts.max(by: { $0.total < $1.total }), !largest.blocks.isEmpty else { return nil }
    // Two that fit one after the other, but not together, hand their memory over block by block.
    let together = whole + parts.map(\.total).reduce(0, +) - largest.total
    if together <= room { return nil }
    let budget = min(largest.total, room - least.total + largest.coming)
    let kept = StreamedRun.kept(of: largest.blocks, within: budget)
    let stays = kept.reduce(0) { $0 + largest.blocks[$1] }
    return MemoryPlan.Streaming(
      blocks: largest.blocks.count, kept: kept.count, residentBytes: budget, bytesPerPass: largest.total - stays)
  }

  private static func coming(_ transformers: Transformers) -> Int {
    transformers.all.map(\.part.blockSizes.coming).max() ?? 0
  }

  // MARK: The least that the stages can do with

  /// What encoding prompts needs with all of the encoder in memory, but for the rows of its table that nobody asks for.
  var textMemory: MemoryEstimate {
    let sizes = model.textEncoder.blockSizes
    return MemoryEstimate(weights: sizes.total + sizes.rest, activations: Self.textActivations)
  }

  /// As ``textMemory``, with two blocks in memory.
  var leastTextMemory: MemoryEstimate {
    let sizes = model.textEncoder.blockSizes
    return MemoryEstimate(weights: sizes.coming + sizes.rest, activations: Self.textActivations)
  }

  /// Bytes of the longest prompts' streams and what is alive beside them.
  private static let textActivations = 128 << 20

  /// What sampling needs with two of the larger expert's blocks in memory; all of it where nothing can be streamed.
  func leastSamplingMemory(on traits: BackendTraits) -> MemoryEstimate {
    let all = samplingMemory(on: traits)
    guard traits.memory == .host else { return all }
    let weights = model.transformers.all.map { expert, part in
      let sizes = part.blockSizes
      let adapters = fittedAdapters[expert].reduce(0) { $0 + $1.parameters }
      return sizes.coming + sizes.rest + adapters * precision.activations.byteCount
    }
    return MemoryEstimate(weights: min(all.weights, weights.max() ?? 0), activations: all.activations)
  }

  /// Holds every stage against a limit, at the least that it can do with.
  private func check(within limit: MachineMemory.Limit, on traits: BackendTraits) throws(MemoryShortage) {
    try check(MachineMemory(resident: limit), beside: traits.overhead.total + Self.process, on: traits)
    let text = leastTextMemory.total + traits.overhead.total + Self.process
    guard text <= limit.byteCount else { throw MemoryShortage(needed: text, limit: limit, remedies: []) }
  }
}

/// Bytes of a network's blocks as they are stored, and of what is no block.
struct BlockSizes: Sendable, Hashable {
  let blocks: [Int]
  /// What stays in any case; rows of tables, which are looked up one by one, are none of it.
  let rest: Int

  /// Bytes of all blocks.
  var total: Int { blocks.reduce(0, +) }

  /// Bytes of the one that is computed and the one that is read meanwhile.
  var coming: Int { min(total, 2 * (blocks.max() ?? 0)) }
}

extension NetworkPart {
  var blockSizes: BlockSizes {
    var (blocks, rest): ([Int: Int], Int) = ([:], 0)
    for request in demand.requests where request.use != .table {
      let stored = source.descriptor(request.name)?.byteCount ?? 0
      if let block = request.block, request.use.isMatrix {
        blocks[block, default: 0] += stored
      } else {
        rest += stored
      }
    }
    return BlockSizes(blocks: blocks.keys.sorted().map { blocks[$0] ?? 0 }, rest: rest)
  }
}
