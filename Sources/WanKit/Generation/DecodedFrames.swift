// F frames of H x W pixels.

import Tensors
import WanModels

/// The frames of a clip in their order and on the host, while it is decoded; tiles are put together first.
struct DecodedFrames {
  private var decoding: any FrameDecoding
  private let backend: any Backend
  private var position = 0
  private var frames: TiledFrames?

  init(_ decoding: any FrameDecoding, on backend: any Backend) {
    (self.decoding, self.backend) = (decoding, backend)
  }

  /// The next frames [n, H, W, 3] float32 in [-1, 1], or `nil` after the last.
  ///
  /// - Parameter onPart: where decoding is tiled, called after each part with how many are done and how many there are.
  /// - Throws: `CancellationError` when the task is cancelled; `DeviceError`.
  mutating func next(onPart: (_ done: Int, _ of: Int) -> Void) throws -> Tensor? {
    guard decoding.isTiled else { return try decoding.next().map { try backend.host($0.frames) } }
    if frames == nil { frames = try allFrames(onPart) }
    let range = decoding.frames(of: position)
    guard let frames, range.upperBound <= decoding.extents.frames else { return nil }
    position += 1
    return frames[range]
  }

  private mutating func allFrames(_ onPart: (Int, Int) -> Void) throws -> TiledFrames {
    let (count, height, width) = decoding.extents
    var frames = TiledFrames(count: count, height: height, width: width)
    while let part = try decoding.next() {
      frames.write(try backend.host(part.frames), first: part.first, at: part.region)
      onPart(decoding.partsDone, decoding.partCount)
    }
    return frames
  }
}

/// Frames [F, H, W, 3] in [-1, 1] that are filled in tile by tile, as 16-bit numbers: 1.6e-5 from the true value, and the
/// same pixel of 8 bits.
///
/// A frame in which any number is NaN or infinite comes out as NaN throughout, for whoever looks at frames for that.
struct TiledFrames {
  private let height, width: Int
  private var values: [UInt16]
  /// Whether every number of a frame was finite.
  private var isFinite: [Bool]

  init(count: Int, height: Int, width: Int) {
    (self.height, self.width) = (height, width)
    values = Array(repeating: 0, count: count * height * width * 3)
    isFinite = Array(repeating: true, count: count)
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
  subscript(range: Range<Int>) -> Tensor {
    let size = height * width * 3
    return Tensor.filled(shape: [range.count, height, width, 3]) { pixels in
      for i in 0..<pixels.count {
        let isUsable = isFinite[range.lowerBound + i / size]
        pixels[i] = isUsable ? Self.unpacked(values[range.lowerBound * size + i]) : .nan
      }
    }
  }

  /// A pixel's 255 steps, as a picture counts them, in 256 parts each; also for numbers outside of [-1, 1] and those that
  /// are none. The step is the one that ``RGBImage/frames(of:)`` takes.
  static func packed(_ x: Float) -> UInt16 {
    let clamped: Float = x > -1 ? (x < 1 ? x : 1) : -1
    return UInt16((clamped + 1) / 2 * 255 * 256)
  }

  /// The middle of a part, so that no rounding leads to another step.
  static func unpacked(_ part: UInt16) -> Float {
    min(1, (Float(part) + 0.5) / 256 / 255 * 2 - 1)
  }
}
