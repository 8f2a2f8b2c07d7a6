/// A float32 picture of shape [3, height, width], channels red, green, blue, black at -1 and white at 1.
public struct PlanarImage: Sendable, Equatable {
  /// Columns.
  public let width: Int
  /// Rows.
  public let height: Int
  /// `3 * height * width` values, row-major.
  public let values: [Float]

  /// Both sides must be positive and `values` must hold exactly `3 * width * height` numbers.
  public init(width: Int, height: Int, values: [Float]) {
    precondition(width > 0 && height > 0, "PlanarImage: sides must be positive, not \(width)x\(height)")
    precondition(
      values.count == 3 * width * height, "PlanarImage: \(width)x\(height) needs 3 values a pixel, not \(values.count)")
    self.width = width
    self.height = height
    self.values = values
  }

  /// The picture in bytes: `(v + 1) / 2 * 255`, clamped and rounded to the nearest.
  public func quantized() -> RGBImage {
    let area = width * height
    var pixels = [UInt8](repeating: 0, count: 3 * area)
    for channel in 0..<3 {
      for i in 0..<area {
        let v = (values[channel * area + i] + 1) * 127.5
        pixels[3 * i + channel] = v.isNaN ? 0 : UInt8(min(max(v.rounded(), 0), 255))
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }
}
