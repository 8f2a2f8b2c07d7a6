/// Colours read off latents: a linear map from the channels of a normalised latent pixel to red, green and blue.
///
/// rgb = z . factors + bias, in [-1, 1]. It shows what a latent frame looks like for next to nothing, without fine detail.
public struct LatentColours: Sendable, Hashable {
  /// What each latent channel adds to red, green and blue: a row of three for each of them.
  public let factors: [Float]
  /// Red, green and blue of latents that are zero.
  public let bias: [Float]

  /// - Parameters:
  ///   - factors: three numbers for each latent channel.
  ///   - bias: three numbers.
  public init(factors: [Float], bias: [Float]) {
    precondition(
      !factors.isEmpty && factors.count % 3 == 0 && bias.count == 3,
      "colours of latents: \(factors.count) factors and \(bias.count) biases are not rows of three")
    (self.factors, self.bias) = (factors, bias)
  }

  /// Latent channels that it reads.
  public var channels: Int { factors.count / 3 }

  /// The published map for latents of so many channels: those of the A14B models or of TI2V-5B.
  public static func published(channels: Int) -> LatentColours? {
    [wan21, wan22].first { $0.channels == channels }
  }

  /// For the latents of Wan2.1's VAE, which the A14B models have: ComfyUI's `latent_rgb_factors`.
  public static let wan21 = LatentColours(factors: factors16, bias: [-0.1835, -0.0868, -0.336])
  /// For the latents of Wan2.2's VAE, those of TI2V-5B, from the same place.
  public static let wan22 = LatentColours(factors: factors48, bias: [0.0317, -0.0878, -0.1388])

  private static let factors16: [Float] = [
    -0.1299, -0.1692, 0.2932, 0.0671, 0.0406, 0.0442, 0.3568, 0.2548, 0.1747, 0.0372, 0.2344, 0.142, 0.0313, 0.0189,
    -0.0328, 0.0296, -0.0956, -0.0665, -0.3477, -0.4059, -0.2925, 0.0166, 0.1902, 0.1975, -0.0412, 0.0267, -0.1364,
    -0.1293, 0.074, 0.1636, 0.068, 0.3019, 0.1128, 0.0032, 0.0581, 0.0639, -0.1251, 0.0927, 0.1699, 0.006, -0.0633,
    0.0005, 0.3477, 0.2275, 0.295, 0.1984, 0.0913, 0.1861,
  ]

  private static let factors48: [Float] = [
    0.0119, 0.0103, 0.0046, -0.1062, -0.0504, 0.0165, 0.014, 0.0409, 0.0491, -0.0813, -0.0677, 0.0607, 0.0656, 0.0851,
    0.0808, 0.0264, 0.0463, 0.0912, 0.0295, 0.0326, 0.059, -0.0244, -0.027, 0.0025, 0.0443, -0.0102, 0.0288, -0.0465,
    -0.009, -0.0205, 0.0359, 0.0236, 0.0082, -0.0776, 0.0854, 0.1048, 0.0564, 0.0264, 0.0561, 0.0006, 0.0594, 0.0418,
    -0.0319, -0.0542, -0.0637, -0.0268, 0.0024, 0.026, 0.0539, 0.0265, 0.0358, -0.0359, -0.0312, -0.0287, -0.0285,
    -0.1032, -0.1237, 0.1041, 0.0537, 0.0622, -0.0086, -0.0374, -0.0051, 0.039, 0.067, 0.2863, 0.0069, 0.0144, 0.0082,
    0.0006, -0.0167, 0.0079, 0.0313, -0.0574, -0.0232, -0.1454, -0.0902, -0.0481, 0.0714, 0.0827, 0.0447, -0.0304,
    -0.0574, -0.0196, 0.0401, 0.0384, 0.0204, -0.0758, -0.0297, -0.0014, 0.0568, 0.1307, 0.1372, -0.0055, -0.031,
    -0.038, 0.0239, -0.0305, 0.0325, -0.0663, -0.0673, -0.014, -0.0416, -0.0047, -0.0023, 0.0166, 0.0112, -0.0093,
    -0.0211, 0.0011, 0.0331, 0.1833, 0.1466, 0.225, -0.0368, 0.037, 0.0295, -0.3441, -0.3543, -0.2008, -0.0479,
    -0.0489, -0.042, -0.066, -0.0153, 0.08, -0.0101, 0.0068, 0.0156, -0.069, -0.0452, -0.0927, -0.0145, 0.0041,
    0.0015, 0.0421, 0.0451, 0.0373, 0.0504, -0.0483, -0.0356, -0.0837, 0.0168, 0.0055,
  ]
}
