import Tensors

/// Frames [F, H, W, 3] in [-1, 1] that are filled in tile by tile, as 16-bit numbers: 1.5e-5 from the true value.
struct VideoBuffer: Sendable {
  private let height, width: Int
  private var values: [UInt16]

  init(frames: Int, height: Int, width: Int) {
    (self.height, self.width) = (height, width)
    values = Array(repeating: 0, count: frames * height * width * 3)
  }

  /// Takes a part [n, h, w, 3] float32 of frames from `first` on.
  mutating func write(_ part: Tensor, first: Int, at region: FrameRegion) {
    let row = part.shape[2] * 3
    part.withSpan(of: Float.self) { pixels in
      for line in 0..<part.shape[0] * part.shape[1] {
        let (frame, y) = (first + line / part.shape[1], region.rows.lowerBound + line % part.shape[1])
        let start = ((frame * height + y) * width + region.columns.lowerBound) * 3
        for i in 0..<row { values[start + i] = Self.packed(pixels[line * row + i]) }
      }
    }
  }

  /// Frames [n, H, W, 3] float32.
  func frames(_ range: Range<Int>) -> Tensor {
    let size = height * width * 3
    return Tensor.filled(shape: [range.count, height, width, 3]) { pixels in
      for i in 0..<pixels.count { pixels[i] = Float(values[range.lowerBound * size + i]) / 32_767.5 - 1 }
    }
  }

  /// Also for numbers outside of [-1, 1] and those that are none.
  private static func packed(_ x: Float) -> UInt16 {
    let clamped: Float = x > -1 ? (x < 1 ? x : 1) : -1
    return UInt16((clamped + 1) * 32_767.5 + 0.5)
  }
}
