/// From 8-bit YCbCr to RGB by the codes of ITU-T H.273, which HEIF, AVIF, HEVC and AV1 share, in 16.16 fixed point.
struct ColourMatrix: Sendable, Equatable {
  /// The code of pictures that do not tell their matrix, which readers take for BT.601's.
  static let unspecified = 2

  let isIdentity: Bool
  private let offset: Int
  private let luma: Int
  private let redOfRed: Int
  private let greenOfBlue: Int
  private let greenOfRed: Int
  private let blueOfBlue: Int

  /// - Parameter code: MatrixCoefficients.
  /// - Throws: for a code that is not known here.
  init(_ code: Int, isFullRange: Bool) throws(Refusal) {
    let weights: [Int: (red: Double, blue: Double)] = [
      0: (0, 0), 1: (0.2126, 0.0722), 2: (0.299, 0.114), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114),
      7: (0.212, 0.087), 9: (0.2627, 0.0593),
    ]
    guard let (red, blue) = weights[code], code != 0 || isFullRange else {
      throw .unread("a picture with colour matrix \(code)")
    }
    let green = 1 - red - blue
    func fixed(_ value: Double) -> Int { Int((value * 65_536).rounded()) }
    let chroma = isFullRange ? 1.0 : 255.0 / 224
    isIdentity = code == 0
    offset = isFullRange ? 0 : 16
    luma = fixed(isFullRange ? 1 : 255.0 / 219)
    redOfRed = fixed(2 * (1 - red) * chroma)
    greenOfBlue = fixed(2 * (1 - blue) * blue / green * chroma)
    greenOfRed = fixed(2 * (1 - red) * red / green * chroma)
    blueOfBlue = fixed(2 * (1 - blue) * chroma)
  }

  func rgb(_ luma: Int, _ blue: Int, _ red: Int) -> (UInt8, UInt8, UInt8) {
    // The planes of an identity matrix are green, blue and red.
    if isIdentity { return (UInt8(clamping: red), UInt8(clamping: luma), UInt8(clamping: blue)) }
    let (y, u, v) = ((luma - offset) * self.luma + 32_768, blue - 128, red - 128)
    return (
      UInt8(clamping: (y + redOfRed * v) >> 16),
      UInt8(clamping: (y - greenOfBlue * u - greenOfRed * v) >> 16),
      UInt8(clamping: (y + blueOfBlue * u) >> 16)
    )
  }
}
