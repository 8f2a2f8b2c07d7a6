import Tensors

/// Blocks that are used in their order, a number of times over: a network's passes, or a part of one.
struct StreamedRun: Sendable {
  /// Of each block.
  let regions: [[MappedRegion]]
  let passes: Int
  /// Whether its blocks share bytes with those of the run before, so that nothing of it is read until that is over.
  let sharesPrevious: Bool

  init(_ regions: BlockRegions, passes: Int, sharesPrevious: Bool = false) {
    (self.regions, self.passes, self.sharesPrevious) = (regions.blocks, passes, sharesPrevious)
  }

  /// Whether there is anything to read at any time.
  var isUsed: Bool { !regions.isEmpty && passes > 0 }

  /// Bytes of all blocks.
  var byteCount: Int { regions.indices.reduce(0) { $0 + byteCount($1) } }

  func byteCount(_ block: Int) -> Int { regions[block].reduce(0) { $0 + $1.range.count } }

  /// The blocks that stay from one pass to the next.
  func kept(within budget: Int) -> Set<Int> { Self.kept(of: regions.indices.map(byteCount), within: budget) }

  /// As many blocks of these sizes as fit beside two that come and go, spread evenly, so that there is time to read each of
  /// the others while those before it compute.
  static func kept(of sizes: [Int], within budget: Int) -> Set<Int> {
    let total = sizes.reduce(0, +)
    if total <= budget { return Set(sizes.indices) }
    let room = budget - 2 * (sizes.max() ?? 0)
    let estimate = room / max(1, total / max(1, sizes.count))
    var count = max(0, min(sizes.count, estimate))
    while count > 0 {
      let kept = spread(count, of: sizes.count)
      if kept.reduce(0, { $0 + sizes[$1] }) <= room { return kept }
      count -= 1
    }
    return []
  }

  /// So many of the first numbers, at even distances.
  private static func spread(_ count: Int, of total: Int) -> Set<Int> {
    Set((0..<total).filter { ($0 + 1) * count / total > $0 * count / total })
  }
}

/// One use of a block.
struct StreamedUse: Sendable, Hashable {
  /// A block of a run: what is in memory or is not.
  struct Item: Sendable, Hashable {
    let run, block: Int
  }

  let item: Item
  let pass: Int
}

/// All uses of runs that follow each other, by their numbers.
struct StreamedUses: Sendable {
  let runs: [StreamedRun]
  /// The number of each run's first use, and of all uses.
  private let starts: [Int]

  init(_ runs: [StreamedRun]) {
    self.runs = runs
    starts = runs.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.regions.count * $1.passes) }
  }

  var count: Int { starts.last ?? 0 }

  /// The number of the first use of a run's pass; after the last run, that of all uses.
  func first(of run: Int, pass: Int) -> Int {
    starts[run] + (run < runs.count ? pass * runs[run].regions.count : 0)
  }

  subscript(number: Int) -> StreamedUse {
    let run = (starts.firstIndex { $0 > number } ?? runs.count) - 1
    let place = number - starts[run]
    let blocks = runs[run].regions.count
    return StreamedUse(item: .init(run: run, block: place % blocks), pass: place / blocks)
  }

  /// Whether a use may be read while the one of another number is computed.
  func mayRead(_ number: Int, during computed: Int) -> Bool {
    let run = self[number].item.run
    return !runs[run].sharesPrevious || computed >= starts[run]
  }
}
