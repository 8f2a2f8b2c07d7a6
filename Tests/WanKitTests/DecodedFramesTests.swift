import Foundation
import Media
import Tensors
import TestSupport
import Testing
import WanModels

@testable import WanKit

struct TiledFramesTests {
  @Test("numbers beyond [-1, 1] are kept inside, and a frame with one that is none is NaN throughout")
  func buffer() {
    var frames = TiledFrames(count: 4, height: 1, width: 1)
    let region = FrameRegion(rows: 0..<1, columns: 0..<1)
    frames.write(Tensor([-2, -1e30, 3], shape: [1, 1, 1, 3]), first: 0, at: region)
    frames.write(Tensor([-1, 0, 1], shape: [1, 1, 1, 3]), first: 1, at: region)
    frames.write(Tensor([0, .nan, 1, .infinity, 0, 0], shape: [2, 1, 1, 3]), first: 2, at: region)
    let values = frames[0..<4].floats()
    #expect(zip(values, [-1, -1, 1, -1, 0, 1]).allSatisfy { abs($0 - $1) < 1.6e-5 })
    #expect(values[6...].allSatisfy { $0.isNaN })
  }

  @Test("a pixel that waited is the same pixel of a picture")
  func pixels() {
    // On and about every step, and between.
    let steps = (0...255).flatMap { step in
      let edge = Float(step) / 255 * 2 - 1
      return [edge.nextDown, edge, edge.nextUp, edge + 0.5 / 255, edge + 1.99 / 255]
    }
    let values = steps + (0..<10_000).map { sin(Float($0)) }
    let part = Tensor(
      values + [Float](repeating: 0, count: (3 - values.count % 3) % 3), shape: [1, 1, (values.count + 2) / 3, 3])
    var frames = TiledFrames(count: 1, height: 1, width: part.shape[2])
    frames.write(part, first: 0, at: FrameRegion(rows: 0..<1, columns: 0..<part.shape[2]))
    let isSame = RGBImage.frames(of: frames[0..<1])[0].pixels == RGBImage.frames(of: part)[0].pixels
    #expect(isSame)
    #expect(relativeError(frames[0..<1].floats(), part.floats().map { min(1, max(-1, $0)) }) < 2e-5)
  }
}
