import Foundation
import Tensors

/// The published structure of a tiny autoencoder's decoder in plain loops, a whole clip at once: what ``TinyDecoder``, which
/// streams and multiplies before it doubles, is held to.
struct PlainTinyDecoder {
  /// A tensor by its name.
  let weights: (String) -> Tensor
  /// Frames that each level makes of one, and whether levels double rows and columns.
  var growth = [1, 2, 2]
  var isEnlarging = true
  let patch: Int

  /// Numbers of one frame, [C, H, W].
  struct Picture {
    var (channels, height, width) = (0, 0, 0)
    var values: [Float] = []

    init(_ channels: Int, _ height: Int, _ width: Int, _ value: (Int, Int, Int) -> Float) {
      (self.channels, self.height, self.width) = (channels, height, width)
      for c in 0..<channels {
        for y in 0..<height {
          for x in 0..<width { values.append(value(c, y, x)) }
        }
      }
    }

    /// Zero outside.
    subscript(_ c: Int, _ y: Int, _ x: Int) -> Float {
      (0..<height).contains(y) && (0..<width).contains(x) ? values[(c * height + y) * width + x] : 0
    }

    func mapped(_ f: (Float) -> Float) -> Picture {
      var result = self
      result.values = values.map(f)
      return result
    }

    var rectified: Picture { mapped { max($0, 0) } }
  }

  /// Latents [C, T, h, w] -> frames [F, H, W, 3] of [0, 1] brought to [-1, 1], not held inside.
  func callAsFunction(_ latents: Tensor) -> Tensor {
    let (count, h, w) = (latents.shape[1], latents.shape[2], latents.shape[3])
    let z = latents.floats()
    var frames = (0..<count).map { t in
      Picture(latents.shape[0], h, w) { c, y, x in z[((c * count + t) * h + y) * w + x] }
    }
    frames = frames.map { conv("decoder.1", $0.mapped { 3 * tanh($0 / 3) }).rectified }
    for level in 0..<3 {
      let first = 3 + 6 * level
      for block in first..<first + 3 { frames = remembered("decoder.\(block)", frames) }
      if isEnlarging { frames = frames.map(doubled) }
      frames = frames.flatMap { grown("decoder.\(first + 4).conv", $0, into: growth[level]) }
      frames = frames.map { conv("decoder.\(first + 5)", $0, hasBias: false) }
    }
    frames = frames.map { shuffled(conv("decoder.22", $0.rectified)) }
    return pixels(Array(frames.dropFirst(growth.reduce(1, *) - 1)))
  }

  /// `MemBlock`: [x, the frame before] through three convolutions, and x again.
  private func remembered(_ name: String, _ frames: [Picture]) -> [Picture] {
    frames.indices.map { t in
      let x = frames[t]
      let both = Picture(2 * x.channels, x.height, x.width) { c, y, column in
        c < x.channels ? x[c, y, column] : t > 0 ? frames[t - 1][c - x.channels, y, column] : 0
      }
      let y = conv(name + ".conv.4", conv(name + ".conv.2", conv(name + ".conv.0", both).rectified).rectified)
      return Picture(x.channels, x.height, x.width) { max(y[$0, $1, $2] + x[$0, $1, $2], 0) }
    }
  }

  /// `TGrow`: the last rows of a 1x1 convolution, cut into frames.
  private func grown(_ name: String, _ x: Picture, into count: Int) -> [Picture] {
    let stored = weights(name + ".weight")
    let (w, skipped) = (stored.floats(), stored.shape[0] - count * x.channels)
    return (0..<count).map { frame in
      Picture(x.channels, x.height, x.width) { c, y, column in
        let row = skipped + frame * x.channels + c
        return (0..<x.channels).reduce(0) { $0 + w[row * x.channels + $1] * x[$1, y, column] }
      }
    }
  }

  private func doubled(_ x: Picture) -> Picture {
    Picture(x.channels, 2 * x.height, 2 * x.width) { x[$0, $1 / 2, $2 / 2] }
  }

  /// `pixel_shuffle`.
  private func shuffled(_ x: Picture) -> Picture {
    let p = patch
    return Picture(3, p * x.height, p * x.width) { x[($0 * p + $1 % p) * p + $2 % p, $1 / p, $2 / p] }
  }

  private func conv(_ name: String, _ x: Picture, hasBias: Bool = true) -> Picture {
    let kernel = weights(name + ".weight")
    let (w, bias) = (kernel.floats(), hasBias ? weights(name + ".bias").floats() : [])
    return Picture(kernel.shape[0], x.height, x.width) { n, y, column in
      var sum = Double(hasBias ? bias[n] : 0)
      for c in 0..<x.channels {
        for i in 0..<9 {
          sum += Double(w[(n * x.channels + c) * 9 + i]) * Double(x[c, y + i / 3 - 1, column + i % 3 - 1])
        }
      }
      return Float(sum)
    }
  }

  private func pixels(_ frames: [Picture]) -> Tensor {
    let (h, w) = (frames[0].height, frames[0].width)
    let values = frames.flatMap { frame in
      (0..<h * w * 3).map { i in 2 * frame[i % 3, i / 3 / w, i / 3 % w] - 1 }
    }
    return Tensor(values, shape: [frames.count, h, w, 3])
  }
}
