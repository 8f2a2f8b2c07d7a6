import Foundation

/// An 8-bit picture, rows top to bottom, three interleaved bytes (red, green, blue) per pixel.
public struct RGBImage: Sendable, Equatable {
  /// Columns.
  public let width: Int
  /// Rows.
  public let height: Int
  /// `height * width * 3` bytes.
  public let pixels: [UInt8]

  /// Both sides must be positive and `pixels` must hold exactly `width * height * 3` bytes.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "RGBImage: sides must be positive, not \(width)x\(height)")
    precondition(
      pixels.count == width * height * 3,
      "RGBImage: \(width)x\(height) needs 3 bytes a pixel, not \(pixels.count) in all"
    )
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// The middle `width` x `height` pixels; where the margin is odd, the smaller half is cut from the left and the top.
  public func centerCropped(width: Int, height: Int) -> RGBImage {
    precondition(width <= self.width && height <= self.height, "RGBImage: a crop cannot be larger than its image")
    let left = (self.width - width) / 2
    let top = (self.height - height) / 2
    var cropped: [UInt8] = []
    cropped.reserveCapacity(width * height * 3)
    for y in top..<top + height {
      let start = (y * self.width + left) * 3
      cropped += pixels[start..<start + width * 3]
    }
    return RGBImage(width: width, height: height, pixels: cropped)
  }

  /// The values `(v / 255 - 0.5) / 0.5` in float32, as torchvision's `to_tensor` then `sub_(0.5).div_(0.5)`.
  public func planar() -> PlanarImage {
    let table = (0...255).map { (Float($0) / 255 - 0.5) / 0.5 }
    let area = width * height
    var values = [Float](repeating: 0, count: 3 * area)
    for i in 0..<area {
      for channel in 0..<3 {
        values[channel * area + i] = table[Int(pixels[3 * i + channel])]
      }
    }
    return PlanarImage(width: width, height: height, values: values)
  }
}

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
}

/// JSON: width, height, and the pixels' bytes in base 64.
extension RGBImage: Codable {
  private enum CodingKeys: String, CodingKey { case width, height, pixels }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    let (width, height) = (try fields.decode(Int.self, forKey: .width), try fields.decode(Int.self, forKey: .height))
    let pixels = try fields.decode(Data.self, forKey: .pixels)
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard width > 0, height > 0, !overflow, area <= pixels.count, pixels.count == 3 * area else {
      throw DecodingError.dataCorruptedError(
        forKey: .pixels, in: fields,
        debugDescription: "\(width)x\(height) pixels of three bytes each are not \(pixels.count) bytes")
    }
    self.init(width: width, height: height, pixels: Array(pixels))
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(width, forKey: .width)
    try fields.encode(height, forKey: .height)
    try fields.encode(Data(pixels), forKey: .pixels)
  }
}
