import Foundation

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
