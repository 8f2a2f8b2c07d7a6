import Tensors
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
    #expect(values[..<4].elementsEqual([-1, -1, 1, -1]) && values[5] == 1)
    #expect(abs(values[4]) < 1.6e-5)
    #expect(values[6...].allSatisfy { $0.isNaN })
  }
}
