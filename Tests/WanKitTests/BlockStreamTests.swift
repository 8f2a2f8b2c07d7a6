import CPUBackend
import Checkpoints
import Files
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import WanModels

@testable import WanKit

/// Networks whose blocks come and go, from a file of 2 MB a block.
struct BlockStreamTests {
  private let folder: TemporaryFolder
  private let path: String
  private let part: NetworkPart<WanTransformer>

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path + "/transformer.safetensors"
    let configuration = TransformerConfiguration(
      inputChannels: 4, outputChannels: 4, dimension: 256, feedForward: 1024, textDimension: 32, timeFrequencies: 16,
      layers: 7, facts: .init(heads: 2))
    let weights = RandomWeights(Demand(of: WanTransformer.self, configuration))
    var writer = try SafetensorsWriter(
      path: path,
      entries: try weights.names.map { name in
        SafetensorsWriter.Entry(name: name, shape: try weights.tensor(name).shape, dtype: .bf16)
      })
    for name in weights.names { try writer.write(try weights.tensor(name), as: name) }
    try writer.finish()
    part = try NetworkPart(SafetensorsFile(path: path), configuration: configuration)
  }

  /// Velocities of two passes, with keys and values before them.
  private func velocities(
    _ precision: Precision, betweenBlocks: () throws -> Void = {}
  ) throws -> [Float] {
    let backend = CPUBackend(threads: 2)
    let model = try part.load(on: backend, precision: precision)
    let latents = Tensor.random([4, 2, 8, 8], seed: 1)
    let rotary = RotaryTable(headDimension: 128, grid: TokenGrid(latents: latents.shape), on: backend)
    let context = try model.context([.random([5, 32], seed: 2)], betweenBlocks: betweenBlocks)
    return try (0..<2).flatMap { pass in
      try model(
        latents, timesteps: TokenTimesteps(Float(900 - pass), tokens: 32), rotary: rotary, context: context,
        betweenBlocks: betweenBlocks)[0].floats()
    }
  }

  private func runs() throws -> [StreamedRun] {
    let context = try BlockRegions(part.source, part.demand, where: WanTransformer.isForContext)
    return [
      StreamedRun(context, passes: 1),
      StreamedRun(try BlockRegions(part.source, part.demand), passes: 2, sharesPrevious: true),
    ]
  }

  @Test("a stream of any budget changes no bit, in every precision", arguments: [Precision.f32, .bf16, .int8])
  func sameBits(precision: Precision) throws {
    let expected = try velocities(precision)
    let block = part.blockSizes.blocks[0]
    for blocks in [2, 4, 20] {
      for drops in [false, true] {
        let stream = BlockStream(try runs(), budget: blocks * block, dropsFromCache: drops)
        let found = try velocities(precision) { try stream.enter() }
        stream.stop()
        let same = found == expected
        #expect(same, "\(blocks) blocks, \(drops)")
      }
    }
  }

  @Test("passes that are skipped are not read, and change nothing of those that are not")
  func skipped() throws {
    let (backend, block) = (CPUBackend(threads: 2), part.blockSizes.blocks[0])
    let latents = Tensor.random([4, 2, 8, 8], seed: 1)
    let rotary = RotaryTable(headDimension: 128, grid: TokenGrid(latents: latents.shape), on: backend)
    // Two networks that follow each other: here, the same one twice.
    func runs() throws -> [StreamedRun] {
      let context = try BlockRegions(part.source, part.demand, where: WanTransformer.isForContext)
      let all = try BlockRegions(part.source, part.demand)
      return [
        StreamedRun(context, passes: 1), StreamedRun(all, passes: 6, sharesPrevious: true),
        StreamedRun(context, passes: 1), StreamedRun(all, passes: 6, sharesPrevious: true),
      ]
    }
    /// The passes of each network that are computed; one without any is not even begun.
    func velocities(_ passes: [[Int]], _ stream: BlockStream?) throws -> [Float] {
      let model = try part.load(on: backend, precision: .bf16)
      return try passes.enumerated().flatMap { network, passes -> [Float] in
        if passes.isEmpty { return [] }
        stream?.skip(to: 2 * network, pass: 0)
        let context = try model.context([.random([5, 32], seed: 2)]) { try stream?.enter() }
        return try passes.flatMap { pass in
          stream?.skip(to: 2 * network + 1, pass: pass)
          return try model(
            latents, timesteps: TokenTimesteps(Float(900 - pass), tokens: 32), rotary: rotary, context: context,
            betweenBlocks: { try stream?.enter() })[0].floats()
        }
      }
    }
    for passes in [[[0, 1, 4], [0, 5]], [[], [1, 5]], [[2], [5]], [[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]]] {
      let expected = try velocities(passes, nil)
      for blocks in [2, 4, 20] {
        let stream = BlockStream(try runs(), budget: blocks * block, dropsFromCache: false)
        let found = try velocities(passes, stream)
        stream.stop()
        let same = found == expected
        #expect(same, "\(passes), \(blocks) blocks")
        let count = passes.reduce(0) { $0 + $1.count + 1 }
        #expect(stream.read <= count * part.blockSizes.total + 2 * blocks * block, "\(passes), \(blocks) blocks")
      }
    }
  }

  #if os(Linux)
    @Test("no more of the file lies in memory than the budget, and nothing afterwards")
    func residentBytes() throws {
      let block = part.blockSizes.blocks[0]
      part.source.discardCachedPages()
      let stream = BlockStream(try runs(), budget: 3 * block, dropsFromCache: false)
      var most = 0
      _ = try velocities(.bf16) {
        try stream.enter()
        most = max(most, residentBytes(of: path))
      }
      // Beside the blocks there is what is no block, and what the system maps around pages that are asked for: large
      // folios, which are as much as a block that is so small.
      #expect(most <= 4 * block + part.blockSizes.rest + (1 << 20), "\(most) of \(3 * block)")
      #expect(most >= 2 * block, "the measure sees the blocks")
      stream.stop()
      #expect(residentBytes(of: path) <= part.blockSizes.rest + (1 << 20))
      #expect(stream.read < part.blockSizes.total * 2 + part.blockSizes.total / 2, "what stays is read once")
    }

    /// What the process has of a file in memory.
    private func residentBytes(of path: String) -> Int {
      let handle = FileHandle(forReadingAtPath: "/proc/self/smaps")
      let maps = String(decoding: (try? handle?.readToEnd()) ?? Data(), as: UTF8.self)
      var (isFile, total) = (false, 0)
      for line in maps.split(separator: "\n") {
        let words = line.split(separator: " ")
        if words.first?.contains("-") == true { isFile = line.hasSuffix(path) }
        if isFile, words.first == "Rss:" { total += (Int(words[1]) ?? 0) << 10 }
      }
      return total
    }
  #endif

  @Test("a file that cannot be read any more ends the run with its name, and does not end the process")
  func shortened() throws {
    let runs = try runs()
    part.source.discardCachedPages()
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    let size = try handle.seekToEnd()
    let stream = BlockStream(runs, budget: 2 * part.blockSizes.blocks[0], dropsFromCache: true)
    try handle.truncate(atOffset: size / 2)
    let error = #expect(throws: FileError.self) {
      // Blocks are entered and left without being computed: whoever looked at them would be ended by the system.
      for _ in 0..<21 { try stream.enter() }
    }
    stream.stop()
    #expect(error?.path == path && error?.reason == "the file has become shorter")
  }

  @Test("a cancelled task does not wait for a disk that gives nothing")
  func cancelled() async throws {
    // The second run's blocks may not be read before the first is over, and nobody ends it.
    let regions = try BlockRegions(part.source, part.demand)
    let stream = BlockStream([StreamedRun(regions, passes: 1)], budget: 0, dropsFromCache: false)
    stream.stop()
    #expect(throws: CancellationError.self) { try stream.enter() }
  }

  @Test("blocks that stay are spread, leave room for two that come, and are all where all fit")
  func kept() {
    let sizes = Array(repeating: 10, count: 10)
    #expect(StreamedRun.kept(of: sizes, within: 100) == Set(0..<10))
    #expect(StreamedRun.kept(of: sizes, within: 70) == [1, 3, 5, 7, 9])
    #expect(StreamedRun.kept(of: sizes, within: 20) == [])
    #expect(StreamedRun.kept(of: [], within: 20) == [])
  }
}
