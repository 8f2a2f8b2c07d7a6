import COneDNN
public import Tensors

extension CPUBackend {
  public func prepare(
    kernel weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry, precision: Precision
  ) -> any PreparedConvolution {
    checkConvolution(weight, bias)
    let precision = precision.unquantized
    let shape = weight.shape
    let layout = MergedLayout(inputs: shape[1], outputs: shape[0], frames: shape[2], multiple: vectorWidth)
    var kernel = (time: shape[2], height: shape[3], width: shape[4])
    let form: CPUConvolution.Form
    switch geometry.input {
    case .doubled:
      precondition(kernel == (1, 3, 3), "convolution: a kernel \(shape) over doubled frames is [N, C, 1, 3, 3]")
      form = .upsampled(phases(of: float32(weight), layout, precision))
      kernel = (time: 1, height: 2, width: 2)
    case .plain where kernel == (1, 1, 1):
      form = .product(linear(weight.reshaped([shape[0], shape[1]]), bias: bias, precision: precision))
    case .plain: form = .windows(pack(merged(float32(weight), layout), layout, precision))
    }
    weight.discardCachedPages()
    return CPUConvolution(
      layout, kernel: kernel, bias: bias?.converted(to: .f32), geometry: geometry, form: form, precision: precision,
      self)
  }

  /// The 2x2 kernels over the small image that give the four pixels of each square.
  private func phases(of weight: Tensor, _ layout: MergedLayout, _ precision: Precision) -> [WindowWeights] {
    (0..<4).map { phase in
      pack(merged(summed(weight, row: phase / 2, column: phase % 2), layout), layout, precision)
    }
  }

  private func checkConvolution(_ weight: Tensor, _ bias: Tensor?) {
    precondition(
      weight.shape.rank == 5 && weight.dtype.isFloatingPoint && (bias.map { $0.count == weight.shape[0] } ?? true),
      "convolution: kernel [N, C, kt, kh, kw], not \(weight.shape) \(weight.dtype), bias \(bias?.shape ?? [])")
  }

  private func packs(_ precision: Precision) -> Bool { precision == .bf16 && packsBF16 }

  func sourceType(_ precision: Precision) -> DType {
    precision == .bf16 && multipliesBF16 ? .bf16 : .f32
  }

  /// Floats of the widest vectors that oneDNN uses here.
  private var vectorWidth: Int { InstructionSet.detected >= .avx512 ? 16 : 8 }

  private func float32(_ weight: Tensor) -> Tensor {
    weight.dtype == .bf16 ? cast(weight, to: .f32) : weight.converted(to: .f32)
  }

  /// [N, C, kt, kh, kw] float32 -> [padded N, padded kt C, kh, kw].
  private func merged(_ weight: Tensor, _ layout: MergedLayout) -> Tensor {
    let (kernel, inputs, frames) = (weight.shape[3] * weight.shape[4], layout.inputs, layout.frames)
    let result = Tensor.zeros([layout.blocks * layout.block, layout.channels, weight.shape[3], weight.shape[4]])
    threads.run(layout.outputs) { n, _ in
      for c in 0..<inputs {
        for t in 0..<frames {
          let from = ((n * inputs + c) * frames + t) * kernel
          let to = (n * layout.channels + t * inputs + c) * kernel
          // SAFETY: both stretches lie in their tensors, whose extents the indices stay below.
          unsafe result.floats(to).update(from: weight.floats(from), count: kernel)
        }
      }
    }
    return result
  }

  /// The 2x2 kernel that a 3x3 kernel becomes for one phase of a doubled image: [N, C, 1, 3, 3] -> [N, C, 1, 2, 2].
  private func summed(_ weight: Tensor, row: Int, column: Int) -> Tensor {
    // Taps that fall on the first and on the second pixel of the small image.
    let taps = [[[0], [1, 2]], [[0, 1], [2]]]
    let result = Tensor.zeros([weight.shape[0], weight.shape[1], 1, 2, 2])
    threads.run(weight.shape[0] * weight.shape[1], grain: 4096) { kernels, _ in
      for kernel in kernels {
        // SAFETY: a kernel has nine numbers in the weight and four in the result.
        unsafe withUnsafeNine(weight.floats(kernel * 9)) { w in
          for y in 0..<2 {
            for x in 0..<2 {
              var sum = 0.0
              for dy in taps[row][y] { for dx in taps[column][x] { sum += w(dy * 3 + dx) } }
              unsafe result.floats(kernel * 4)[y * 2 + x] = Float(sum)
            }
          }
        }
      }
    }
    return result
  }

  /// Merged weights as the windows' products take them.
  private func pack(_ merged: Tensor, _ layout: MergedLayout, _ precision: Precision) -> WindowWeights {
    packs(precision) ? .packed(packed(merged, layout, precision)) : .taps(taps(merged, precision))
  }

  /// [N, C, kh, kw] float32 -> [kh kw, N, C], in bfloat16 where the precision rounds anyway.
  private func taps(_ merged: Tensor, _ precision: Precision) -> Tensor {
    let (n, c, count) = (merged.shape[0], merged.shape[1], merged.shape[2] * merged.shape[3])
    let result = permuted(merged.reshaped([n * c, count]), [1, 0]).reshaped([count, n, c])
    return precision == .bf16 ? cast(result, to: .bf16) : result
  }

  /// Merged weights in oneDNN's layout, block by block.
  private func packed(_ merged: Tensor, _ layout: MergedLayout, _ precision: Precision) -> [PackedWeights] {
    let source = products(of: merged, as: .f32, rounded: precision == .bf16)
    let key = WindowKey(
      bf16: sourceType(precision) == .bf16, height: 8 + merged.shape[2], width: 32 + merged.shape[3],
      inputs: layout.channels, outputs: layout.block, kernelHeight: merged.shape[2], kernelWidth: merged.shape[3],
      strideHeight: 1, strideWidth: 1)
    let primitive = primitives.window(key)
    let pieces = (0..<layout.blocks).map { _ in Tensor.zeros([primitive.weightsBytes], dtype: .u8) }
    threads.run(layout.blocks) { index, worker in
      var shape = key.description
      // SAFETY: the block's rows lie in the merged weights, and the piece has the size that the layout asks for.
      let result = unsafe wan_dnn_pack_convolution(
        primitive.made, threads.engine, worker.stream, &shape, source.slice(rows(index, layout)).floats(0),
        pieces[index].pointer)
      result.check("oneDNN cannot lay out a convolution \(key)")
    }
    return pieces.map { PackedWeights(template: primitive, bytes: $0) }
  }

  private func rows(_ block: Int, _ layout: MergedLayout) -> Range<Int> {
    block * layout.block..<(block + 1) * layout.block
  }
}

/// Lends nine numbers as doubles.
@unsafe
private func withUnsafeNine(_ base: UnsafePointer<Float>, _ body: ((Int) -> Double) -> Void) {
  body { unsafe Double(base[$0]) }
}
