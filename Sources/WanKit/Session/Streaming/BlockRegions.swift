import Layers
import Tensors

/// Where the matrices of a network's blocks lie in mapped files, block by block: what is read and dropped with them.
struct BlockRegions: Sendable {
  /// Of each block, in the order in which they are used.
  let blocks: [[MappedRegion]]

  /// Bytes of each block.
  var byteCounts: [Int] { blocks.map { $0.reduce(0) { $0 + $1.range.count } } }

  /// Finds them in a source and says that they are streamed, so that nothing is made of them when they are loaded.
  ///
  /// - Parameter isUsed: which of the blocks' matrices; by default all.
  /// - Throws: what cannot be read.
  init(
    _ source: any WeightSource, _ demand: Demand, where isUsed: (String) -> Bool = { _ in true }
  ) throws(WeightError) {
    var blocks: [Int: [MappedRegion]] = [:]
    for request in demand.requests where request.use.isMatrix {
      guard let block = request.block, isUsed(request.name) else { continue }
      guard let region = try source.matrix(request.name).mappedRegion else { continue }
      region.storage.setStreamed(true)
      blocks[block, default: []].append(region)
    }
    let count = (blocks.keys.max() ?? -1) + 1
    self.blocks = (0..<count).map { MappedRegion.joined(blocks[$0] ?? []) }
  }
}
