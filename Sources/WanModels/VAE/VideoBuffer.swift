import Tensors

/// Frames [F, H, W, 3] in [-1, 1] that are filled in tile by tile, as 16-bit numbers: 1.5e-5 from the true value.
///
/// A frame in which any number is NaN or infinite comes out as NaN throughout, for whoever looks at frames for that.
struct VideoBuffer: Sendable {
  private let height, width: Int
  private var values: [UInt16]
  /// Whether every number of a frame was finite.
  private var isFinite: [Bool]

  init(frames: Int, height: Int, width: Int) {
    (self.height, self.width) = (height, width)
    values = Array(repeating: 0, count: frames * height * width * 3)
    isFinite = Array(repeating: true, count: frames)
  }

  /// Takes a part [n, h, w, 3] float32 of frames from `first` on.
  mutating func write(_ part: Tensor, first: Int, at region: FrameRegion) {
    let row = part.shape[2] * 3
    part.withSpan(of: Float.self) { pixels in
      for line in 0..<part.shape[0] * part.shape[1] {
        let (frame, y) = (first + line / part.shape[1], region.rows.lowerBound + line % part.shape[1])
        let start = ((frame * height + y) * width + region.columns.lowerBound) * 3
        for i in 0..<row {
          let pixel = pixels[line * row + i]
          values[start + i] = Self.packed(pixel)
          if !pixel.isFinite { isFinite[frame] = false }
        }
      }
    }
  }

  /// Frames [n, H, W, 3] float32.
  func frames(_ range: Range<Int>) -> Tensor {
    let size = height * width * 3
    return Tensor.filled(shape: [range.count, height, width, 3]) { pixels in
      for i in 0..<pixels.count {
        let isUsable = isFinite[range.lowerBound + i / size]
        pixels[i] = isUsable ? Float(values[range.lowerBound * size + i]) / 32_767.5 - 1 : .nan
      }
    }
  }

  /// Also for numbers outside of [-1, 1] and those that are none.
  private static func packed(_ x: Float) -> UInt16 {
    let clamped: Float = x > -1 ? (x < 1 ? x : 1) : -1
    return UInt16((clamped + 1) * 32_767.5 + 0.5)
  }
}
