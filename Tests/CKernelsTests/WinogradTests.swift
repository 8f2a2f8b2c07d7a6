import CKernels
import Testing

extension KernelTests {
  @Suite("Tiled convolutions") struct Winograd {
    @Test(
      "convolves as the sum over nine taps does, whatever the extents",
      arguments: [(1, 1, 1, 1), (2, 3, 5, 4), (4, 4, 8, 16), (7, 9, 33, 70), (5, 12, 300, 65), (9, 2, 16, 130)])
    func convolution(height: Int, width: Int, channels: Int, outputs: Int) {
      for m in [2, 4] {
        let sample = Case(height, width, channels, outputs, m)
        for type in bothTypes {
          let taps = Numbers(sample.taps, type)
          let want = sample.expected(taps.values)
          forEveryInstructionSet { isa in
            expectClose(
              sample.convolved(taps), want, tolerance: m == 2 ? 8e-6 : 6e-5,
              "\(isa.rawValue), tiles of \(m): \(height)x\(width), \(channels) to \(outputs)")
          }
        }
      }
    }

    /// Random numbers for one convolution of two images.
    private struct Case {
      let height, width, channels, outputs, m: Int
      let windowHeight, windowWidth: Int
      let images = 2
      let window, taps: [Float]

      init(_ height: Int, _ width: Int, _ channels: Int, _ outputs: Int, _ m: Int) {
        (self.height, self.width, self.channels, self.outputs, self.m) = (height, width, channels, outputs, m)
        windowHeight = (height + m - 1) / m * m + 2
        windowWidth = (width + m - 1) / m * m + 3
        var random = Random(seed: UInt64(height * 100 + channels + m))
        window = random.floats(images * windowHeight * windowWidth * channels)
        taps = random.floats(9 * outputs * channels)
      }

      func expected(_ taps: [Float]) -> [Double] {
        (0..<images * height * width * outputs).map { index in
          let (place, n) = (index / outputs, index % outputs)
          let (image, pixel) = (place / (height * width), place % (height * width))
          var sum = 0.0
          for tap in 0..<9 {
            let row = image * windowHeight + pixel / width + tap / 3
            let at = (row * windowWidth + pixel % width + tap % 3) * channels
            for c in 0..<channels {
              sum += Double(window[at + c]) * Double(taps[(tap * outputs + n) * channels + c])
            }
          }
          return sum
        }
      }

      func convolved(_ taps: Numbers) -> Numbers {
        var dst = [Float](repeating: .nan, count: images * height * width * outputs)
        unsafe window.withUnsafeBufferPointer { window in
          unsafe taps.bytes.withUnsafeBytes { bytes in
            unsafe dst.withUnsafeMutableBufferPointer { dst in
              var tiles = unsafe wan_winograd_t(
                window: window.baseAddress, window_width: windowWidth, images: images, height: height,
                width: width, channels: channels, outputs: outputs, taps: bytes.baseAddress, taps_type: taps.type,
                tap_stride: outputs * channels, dst: dst.baseAddress, dst_stride: outputs, m: m)
              var scratch = unsafe [UInt8](repeating: 0xFF, count: wan_winograd_scratch_bytes(&tiles))
              unsafe wan_winograd(&tiles, &scratch)
            }
          }
        }
        return Numbers(dst, WAN_F32)
      }
    }
  }
}
