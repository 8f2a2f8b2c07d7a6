import Layers
import Logging
import Sampling
import Tensors
import WanModels

extension GenerationJob {
  /// Called before each block of a network: the one place that reads what does not stay, and that ends a pass of a
  /// cancelled task.
  func betweenBlocks() throws {
    try Task.checkCancellation()
    try stream?.enter()
  }

  /// The passes of the experts that are still to come, each after its prompts' keys and values; `nil` where all fits.
  func transformerStream(from step: Int) throws -> BlockStream? {
    guard let streaming = memory?.transformer else { return nil }
    var (runs, first): ([StreamedRun], Int) = ([], 0)
    for (expert, steps) in plan.stepsPerExpert {
      defer { first += steps }
      let left = first + steps - max(first, step)
      guard left > 0 else { continue }
      streamedExperts[expert] = (runs.count, max(first, step))
      let part = plan.model.transformers[expert]
      let source = try source(of: part, plan.precision, plan.fittedAdapters[expert])
      let isForContext = WanTransformer.isForContext
      let context = try BlockRegions(source, part.demand, where: isForContext)
      runs.append(StreamedRun(context, passes: 1))
      runs.append(StreamedRun(try BlockRegions(source, part.demand), passes: left, sharesPrevious: true))
    }
    return stream(runs, streaming)
  }

  /// The next use is that of an expert's keys and values: steps of the one before may have been skipped.
  func enterContext(of expert: Expert) {
    guard let place = streamedExperts[expert] else { return }
    stream?.skip(to: place.run, pass: 0)
  }

  /// The next use is an expert's pass for a step: those before it may have been skipped.
  func enterPass(of expert: Expert, step: Int) {
    guard let place = streamedExperts[expert] else { return }
    stream?.skip(to: place.run + 1, pass: step - place.firstStep)
  }

  func stream(_ runs: [StreamedRun], _ streaming: MemoryPlan.Streaming) -> BlockStream {
    let total = Set(runs.flatMap(\.regions).joined().map { ObjectIdentifier($0.storage) }).count
    tools.logger.debug("streaming", metadata: ["files": "\(total)", "bytes": "\(streaming.residentBytes)"])
    let bytes = runs.filter { !$0.sharesPrevious }.reduce(0) { $0 + $1.byteCount }
    // What the system's cache cannot hold beside this process would push out what stays.
    let free = MachineMemory().free().byteCount
    return BlockStream(runs, budget: streaming.residentBytes, dropsFromCache: bytes > free / 2)
  }

  /// Gives back the memory of the blocks, and tells how long the disk kept the job waiting.
  func endStream() {
    guard let stream else { return }
    self.stream = nil
    streamedExperts = [:]
    stream.stop()
    let waited = stream.waited
    tools.logger.debug("streamed", metadata: ["bytes": "\(stream.read)", "waited": "\(waited)"])
    guard waited > Self.remarkableWait else { return }
    listeners.onEvent(
      .notice("waited \(Int(waited)) s for the disk while weights were read; more --memory keeps more of them"))
  }

  /// Seconds of waiting that are worth a line.
  private static let remarkableWait = 5.0
}
