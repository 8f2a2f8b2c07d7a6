// C latent channels, T latent frames of h x w.

public import Media
public import Tensors
public import WanModels

extension LatentColours {
  /// A picture of each latent frame, a pixel for each of its own: [C, T, h, w] float32 in host memory -> T pictures.
  ///
  /// What lies outside [-1, 1] counts as -1 or 1, and NaN as -1.
  public func pictures(of latents: Tensor) -> [RGBImage] {
    let (count, height, width) = (latents.shape[1], latents.shape[2], latents.shape[3])
    precondition(
      latents.shape[0] == channels && latents.dtype == .f32,
      "colours of \(channels) channels for latents \(latents.dtype) \(latents.shape)")
    return (0..<count).map { frame in
      var planes = bias.map { [Float](repeating: $0, count: height * width) }
      add(latents, frame, to: &planes[0], 0)
      add(latents, frame, to: &planes[1], 1)
      add(latents, frame, to: &planes[2], 2)
      return RGBImage(width: width, height: height, planes: planes)
    }
  }

  /// One colour of one latent frame.
  private func add(_ latents: Tensor, _ frame: Int, to plane: inout [Float], _ colour: Int) {
    let (frames, area) = (latents.shape[1], plane.count)
    latents.withSpan(of: Float.self) { z in
      for channel in 0..<channels {
        let values = z.extracting((channel * frames + frame) * area..<(channel * frames + frame + 1) * area)
        let factor = factors[3 * channel + colour]
        for i in 0..<area { plane[i] += factor * values[i] }
      }
    }
  }
}

extension RGBImage {
  /// Red, green and blue in [-1, 1], made bytes as frames are.
  fileprivate init(width: Int, height: Int, planes: [[Float]]) {
    var pixels = [UInt8](repeating: 0, count: 3 * width * height)
    for (colour, plane) in planes.enumerated() {
      for i in 0..<width * height { pixels[3 * i + colour] = RGBImage.byte(plane[i]) }
    }
    self.init(width: width, height: height, pixels: pixels)
  }
}
