import Tensors

/// The frames that one output frame looks at, and how a band of them is laid out for a convolution without padding.
struct FrameWindow {
  /// [H, W, C] each, one per frame of the kernel; none stands for zeros.
  let frames: [Tensor?]
  let height, width, channels: Int
  /// Channels of a merged pixel, frame by frame, then zeros.
  let merged: Int

  /// A rectangle of pixels that may reach over the frame's edges.
  struct Area {
    let top, left, rows, columns: Int
  }

  /// What a product reads.
  struct Numbers {
    /// float32 or bfloat16.
    let type: DType
    /// Whether float32 numbers are rounded to bfloat16 on the way, where the machine has no products of the latter.
    let rounds: Bool
  }

  /// Fills a window with the merged pixels of an area; what lies outside of the frame is zero.
  @unsafe
  func gather(_ area: Area, as numbers: Numbers, into window: UnsafeMutableRawPointer) {
    let (top, left, rows, columns, type) = (area.top, area.left, area.rows, area.columns, numbers.type)
    let rowBytes = columns * merged * type.byteCount
    for row in 0..<rows {
      let target = unsafe window + row * rowBytes
      let y = top + row
      let inside = max(0, -left)..<max(max(0, -left), min(columns, width - left))
      let full =
        y >= 0 && y < height && inside == 0..<columns && merged == channels * frames.count
        && frames.allSatisfy { $0 != nil }
      if !full { unsafe target.initializeMemory(as: UInt8.self, repeating: 0, count: rowBytes) }
      guard y >= 0 && y < height && !inside.isEmpty else { continue }
      for (index, frame) in frames.enumerated() {
        guard let frame else { continue }
        unsafe copy(
          frame.address((y * width + left + inside.lowerBound) * channels), frame.dtype, pixels: inside.count,
          to: target + (inside.lowerBound * merged + index * channels) * type.byteCount, numbers)
      }
    }
  }

  /// Copies neighbouring pixels of one frame to their places in merged pixels.
  @unsafe
  private func copy(
    _ source: UnsafeRawPointer, _ from: DType, pixels: Int, to target: UnsafeMutableRawPointer, _ numbers: Numbers
  ) {
    let type = numbers.type
    let rounds = numbers.rounds && from == .f32 && type == .f32
    let dense = merged == channels
    let (count, stretch) = dense ? (1, pixels * channels) : (pixels, channels)
    for index in 0..<count {
      let source = unsafe source + index * stretch * from.byteCount
      let target = unsafe target + index * merged * type.byteCount
      if rounds {
        unsafe roundThroughBF16(source, target, stretch)
      } else {
        unsafe convert(source, from, target, type, stretch)
      }
    }
  }
}
