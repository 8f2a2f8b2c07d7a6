// F frames of H x W.

import Tensors

/// Procedural clips of many colours, shapes and lights, always the same: what a VAE is looked at with.
///
/// Each is a sky and a ground of two tones that run into each other, with waves over them, and one or two plain shapes
/// that move; every fifth is one tone alone.
struct FitClips {
  /// Clips in all.
  let count: Int
  /// Of each.
  let frames, height, width: Int

  /// [3, F, H, W] float32 in [-1, 1].
  func clip(_ index: Int) -> Tensor {
    var random = FitRandom(state: UInt64(index) &+ 1)
    let scene = Scene(&random, isPlain: index % 5 == 4)
    return Tensor.filled(shape: [3, frames, height, width]) { pixels in
      for frame in 0..<frames {
        let time = Float(frame) / Float(max(frames - 1, 1))
        for y in 0..<height {
          for x in 0..<width {
            let colour = scene.colour(
              x: (Float(x) + 0.5) / Float(width), y: (Float(y) + 0.5) / Float(height), time: time)
            for c in 0..<3 {
              pixels[((c * frames + frame) * height + y) * width + x] = min(max(colour[c], -1), 1)
            }
          }
        }
      }
    }
  }

  private struct Shape {
    let colour, rim: SIMD3<Float>
    let start, motion: SIMD2<Float>
    let radius: Float
    let isRound: Bool

    init(_ random: inout FitRandom) {
      (colour, rim) = (random.colour(), random.colour())
      start = [random.next(0.15...0.85), random.next(0.15...0.85)]
      motion = [random.next(-0.3...0.3), random.next(-0.3...0.3)]
      radius = random.next(0.08...0.3)
      isRound = random.next(0...1) < 0.5
    }

    /// Its colour at a place, where it covers that.
    func colour(at place: SIMD2<Float>, time: Float) -> SIMD3<Float>? {
      let offset = place - start - time * motion
      let distance =
        isRound ? (offset * offset).sum().squareRoot() : max(offset.x.magnitude, offset.y.magnitude)
      return distance > radius ? nil : distance > 0.8 * radius ? rim : colour
    }
  }

  private struct Scene {
    private let sky, ground: (top: SIMD3<Float>, bottom: SIMD3<Float>)
    private let horizon, wave, height: Float
    private let shapes: [Shape]

    init(_ random: inout FitRandom, isPlain: Bool) {
      let tone = random.colour()
      sky = isPlain ? (tone, tone) : (random.colour(), random.colour())
      ground = isPlain ? (tone, tone) : (random.colour(), random.colour())
      (horizon, wave, height) = (random.next(0.3...0.8), random.next(2...12), random.next(0...0.1))
      shapes = isPlain ? [] : (0..<(random.next(0...1) < 0.5 ? 1 : 2)).map { _ in Shape(&random) }
    }

    func colour(x: Float, y: Float, time: Float) -> SIMD3<Float> {
      for shape in shapes { if let colour = shape.colour(at: [x, y], time: time) { return colour } }
      // A triangle wave: no library's sine, whose last bit may differ.
      let phase = (x * wave + time).truncatingRemainder(dividingBy: 1)
      let edge = horizon + height * (4 * (phase - 0.5).magnitude - 1)
      let (tones, part) = y < edge ? (sky, y / edge) : (ground, (y - edge) / (1 - edge))
      return tones.top + part * (tones.bottom - tones.top)
    }
  }
}

/// Numbers that look random, always the same: SplitMix64.
struct FitRandom {
  var state: UInt64

  mutating func next(_ range: ClosedRange<Float>) -> Float {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return range.lowerBound + Float(z >> 40) / Float(1 << 24) * (range.upperBound - range.lowerBound)
  }

  /// Any colour, as often dark as bright.
  mutating func colour() -> SIMD3<Float> { [next(-1...1), next(-1...1), next(-1...1)] }
}
