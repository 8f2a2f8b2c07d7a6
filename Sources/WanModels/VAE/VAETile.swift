/// One part of every frame, and what each level of the decoder must know for it.
///
/// Coarse levels reach far but are cheap, fine ones the other way round; so each level gets a margin of its own, and
/// what a missing neighbour has spoilt is cut away after it.
///
/// A convolution may compute squares of pixels together, which round as one (Winograd's way): so a missing neighbour
/// spoils a whole square. Tiles are cut between squares, and a margin is counted in them: the bits are those of the whole
/// frame.
package struct VAETile: Sendable, Hashable {
  /// What each stage takes in, in pixels of its input.
  package let stages: [FrameRegion]
  /// What the head takes in, and what it is to give, in pixels of the last stage.
  package let head, output: FrameRegion

  /// The side of the squares, at most.
  static let square = 4

  /// - Parameters:
  ///   - part: the region of the latents that the tile stands for.
  ///   - latents: the whole of them.
  init(_ part: FrameRegion, of latents: FrameRegion, _ stages: [VAEConfiguration.Stage]) {
    let frames = Self.frames(latents, stages)
    let last = frames[stages.count]
    output = part.scaled(by: last.rows.count / max(1, latents.rows.count))
    head = output.grown(by: 1, inside: last)
    var needed = head
    var inputs: [FrameRegion] = []
    for (stage, frame) in zip(stages, frames).reversed() {
      if stage.resample != nil { needed = needed.beforeDoubling(inside: frame) }
      needed = needed.aligned(to: Self.square, inside: frame)
      needed = needed.grown(by: 2 * stage.blocks.count * Self.square, inside: frame)  // two 3x3 convolutions a block
      inputs.append(needed)
    }
    self.stages = inputs.reversed()
  }

  /// The whole frame at each stage's input, and after the last.
  private static func frames(_ latents: FrameRegion, _ stages: [VAEConfiguration.Stage]) -> [FrameRegion] {
    stages.reduce(into: [latents]) { frames, stage in
      if let frame = frames.last { frames.append(stage.resample == nil ? frame : frame.scaled(by: 2)) }
    }
  }
}

extension VAETiling {
  /// The tiles of latents with these extents, row by row; cuts lie on latent pixels.
  package func tiles(height: Int, width: Int, _ configuration: VAEConfiguration) -> [VAETile] {
    precondition(rows <= height && columns <= width, "tiling: \(self) of \(height)x\(width) latents")
    let latents = FrameRegion(height: height, width: width)
    return Self.cuts(height, rows).flatMap { rows in
      Self.cuts(width, columns).map { columns in
        VAETile(FrameRegion(rows: rows, columns: columns), of: latents, configuration.decoder)
      }
    }
  }

  /// Neighbouring ranges of nearly equal length.
  private static func cuts(_ extent: Int, _ parts: Int) -> [Range<Int>] {
    (0..<parts).map { extent * $0 / parts..<extent * ($0 + 1) / parts }
  }
}
