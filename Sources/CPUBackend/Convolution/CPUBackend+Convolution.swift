import CKernels
import COneDNN
import Tensors

// How a convolution is cut up. A tap is one point of a kernel. The frames that a kernel sees are merged into the channels of
// one image, so that time is gone. A tile is what one task computes: a band of output rows of some frames, for one block of
// outputs. A window is the image that a tile sees, with zeros where it reaches over an edge: products run over it without
// looking at edges. 3x3 kernels are multiplied by Winograd's way (``WindowWeights``), all others tap by tap.

extension CPUBackend {
  func convolution(
    _ x: Tensor, history: Tensor?, _ weights: CPUConvolution, activation: Activation, output: DType
  ) -> Tensor {
    let geometry = weights.geometry
    precondition(
      x.shape.rank == 4 && x.shape[3] == weights.inputs && (x.dtype == .f32 || x.dtype == .bf16),
      "convolution: x is [T, H, W, \(weights.inputs)] F32 or BF16, not \(x.shape) \(x.dtype.rawValue)")
    if let history {
      precondition(
        history.shape.rank == 4 && history.shape.dimensions.dropFirst() == x.shape.dimensions.dropFirst()
          && history.shape[0] <= geometry.leadingFrames,
        "convolution: history \(history.shape) before \(x.shape) with \(geometry.leadingFrames) leading frames")
    }
    let walk = ConvolutionWalk(
      x: x, history: history, kernel: weights.kernel, geometry: geometry, activation: activation)
    switch weights.form {
    case .product(let linear): return pointwise(walk, linear, output)
    case .windows(let kernel):
      let result = empty(Shape(walk.extents + [weights.outputs]), output)
      run(walk, weights, kernel, into: result)
      return result
    case .upsampled(let phases): return upsampled(walk, weights, phases, output)
    }
  }

  private func upsampled(
    _ walk: ConvolutionWalk, _ weights: CPUConvolution, _ phases: [WindowWeights], _ output: DType
  ) -> Tensor {
    let x = walk.x
    let result = empty([x.shape[0], 2 * x.shape[1], 2 * x.shape[2], weights.outputs], output)
    let layout = weights.layout
    let band = rowsOfBand(x.shape[1], x.shape[2], blocks: 2 * layout.blocks, phases[0])
    let bands = (x.shape[1] + band - 1) / band
    threads.run(x.shape[0] * bands * layout.blocks * 2) { index, worker in
      let (rest, column) = (index / 2, index % 2)
      let (place, block) = (rest / layout.blocks, rest % layout.blocks)
      let start = place % bands * band
      let tile = ConvolutionTile(
        frames: place / bands..<place / bands + 1, rows: start..<min(x.shape[1], start + band), width: x.shape[2],
        block: block)
      upsample(tile, column, walk, weights, into: result, worker)
    }
    return result
  }

  /// A kernel of one point: a linear over the pixels that the geometry leaves.
  private func pointwise(_ walk: ConvolutionWalk, _ linear: CPULinear, _ output: DType) -> Tensor {
    let geometry = walk.geometry
    let plain =
      geometry.stride == (1, 1, 1) && geometry.leadingFrames == 0
      && geometry.padding == ConvolutionGeometry.Padding(all: 0)
    if plain { return self.linear(walk.x, linear, activation: walk.activation, output: output) }
    let (x, extents) = (walk.x, walk.extents)
    let pixels = empty(Shape(extents + [x.shape[3]]), x.dtype)
    let rowCount = extents[1]
    threads.run(extents[0] * rowCount) { index, _ in
      let window = walk.window(of: index / rowCount, merged: x.shape[3])
      let row = index % rowCount
      for column in 0..<extents[2] {
        // SAFETY: the pixel lies in the result.
        let area = FrameWindow.Area(
          top: row * geometry.strideHeight - geometry.padding.top,
          left: column * geometry.strideWidth - geometry.padding.left, rows: 1, columns: 1)
        unsafe window.gather(
          area, as: .init(type: x.dtype, rounds: false),
          into: pixels.address((index * extents[2] + column) * x.shape[3]))
      }
    }
    return self.linear(pixels, linear, activation: walk.activation, output: output)
  }

  private func run(
    _ walk: ConvolutionWalk, _ weights: CPUConvolution, _ kernel: WindowWeights, into result: Tensor
  ) {
    let (frames, height, width) = (walk.extents[0], walk.extents[1], walk.extents[2])
    guard result.count > 0 else { return }
    let blocks = weights.layout.blocks
    let band = rowsOfBand(height, width, blocks: blocks, kernel)
    let bands = (height + band - 1) / band
    let group = framesOfTile(frames, pixels: band * width, tasks: frames * bands * blocks, kernel)
    threads.run((frames + group - 1) / group * bands * blocks) { index, worker in
      let (place, block) = (index / blocks, index % blocks)
      let (first, start) = (place / bands * group, place % bands * band)
      let tile = ConvolutionTile(
        frames: first..<min(frames, first + group), rows: start..<min(height, start + band), width: width, block: block)
      convolve(tile, walk, weights, kernel, into: result, worker)
    }
  }

  /// Output rows of a tile: some 2048 pixels for our kernels and 512 for oneDNN's, fewer when a frame would give less
  /// than four tiles.
  ///
  /// Ours are whole squares of Winograd's way, counted from the frame's top: a band of fewer rows would throw away most of
  /// its squares, and other squares would round in another way.
  private func rowsOfBand(_ height: Int, _ width: Int, blocks: Int, _ weights: WindowWeights) -> Int {
    let rows = max(1, (weights.isPacked ? 512 : 2048) / max(1, width))
    let limit = max(1, min(rows, (height * blocks + 3) / 4))
    if weights.isPacked { return limit }
    let square = WindowWeights.largestSquare
    return max(square, limit / square * square)
  }

  /// Frames of a tile: as many as make 2048 pixels and leave two tiles for each thread, evenly.
  ///
  /// Our kernels lay weights out once per tile, and give the same bits however frames are grouped.
  private func framesOfTile(_ frames: Int, pixels: Int, tasks: Int, _ weights: WindowWeights) -> Int {
    let most = weights.isPacked ? 1 : max(1, min(2048 / max(1, pixels), tasks / (2 * threads.count), frames))
    let groups = (frames + most - 1) / most
    return (frames + groups - 1) / groups
  }

  private func convolve(
    _ tile: ConvolutionTile, _ walk: ConvolutionWalk, _ weights: CPUConvolution, _ kernel: WindowWeights,
    into result: Tensor, _ worker: Worker
  ) {
    let (layout, geometry) = (weights.layout, walk.geometry)
    let columns = layout.columns(tile.block)
    if columns.isEmpty { return }
    let key = WindowKey(
      bf16: weights.sourceType == .bf16, height: (tile.rows.count - 1) * geometry.strideHeight + weights.kernel.height,
      width: (tile.width - 1) * geometry.strideWidth + weights.kernel.width, inputs: layout.channels,
      outputs: layout.block, kernelHeight: weights.kernel.height, kernelWidth: weights.kernel.width,
      strideHeight: geometry.strideHeight, strideWidth: geometry.strideWidth)
    let step = WindowProduct(
      kernel, block: tile.block, key, images: tile.frames.count, primitives, threads)
    let windowBytes = step.windowHeight * step.windowWidth * key.inputs * step.sourceType.byteCount
    // SAFETY: windows and tile have the sizes that the key says, and each tile of the result has one writer.
    let parts = unsafe worker.scratch([
      step.scratchBytes, tile.frames.count * windowBytes, tile.frames.count * tile.pixels * step.stride * 4,
    ])
    for (index, frame) in tile.frames.enumerated() {
      let area = FrameWindow.Area(
        top: tile.rows.lowerBound * geometry.strideHeight - geometry.padding.top, left: -geometry.padding.left,
        rows: step.windowHeight, columns: step.windowWidth)
      unsafe walk.window(of: frame, merged: layout.channels).gather(
        area, as: .init(type: step.sourceType, rounds: weights.rounds), into: parts[1] + index * windowBytes)
    }
    unsafe step.execute(threads, worker, window: parts[1], dst: parts[2], scratch: parts[0])
    let sums = unsafe parts[2].assumingMemoryBound(to: Float.self)
    for (index, frame) in tile.frames.enumerated() {
      let first = (frame * walk.extents[1] + tile.rows.lowerBound) * tile.width
      unsafe wan_bias_activation(
        sums + index * tile.pixels * step.stride, step.stride, weights.bias?.floats(columns.lowerBound),
        result.address(first * weights.outputs + columns.lowerBound), result.kernelType("convolution"),
        weights.outputs, tile.pixels, columns.count, walk.activation.kernel)
    }
  }

  /// Both phases of one output column parity, for some rows of the small image.
  private func upsample(
    _ tile: ConvolutionTile, _ column: Int, _ walk: ConvolutionWalk, _ weights: CPUConvolution, into result: Tensor,
    _ worker: Worker
  ) {
    let x = walk.x
    guard case .upsampled(let phases) = weights.form else {
      preconditionFailure("convolution: no kernel for doubled frames")
    }
    let (layout, type, width) = (weights.layout, weights.sourceType, tile.width)
    let columns = layout.columns(tile.block)
    if columns.isEmpty { return }
    let key = WindowKey(
      bf16: type == .bf16, height: tile.rows.count + 1, width: width + 1, inputs: layout.channels,
      outputs: layout.block, kernelHeight: 2, kernelWidth: 2, strideHeight: 1, strideWidth: 1)
    let window = FrameWindow(
      frames: [x[tile.frames.lowerBound]], height: x.shape[1], width: width, channels: weights.inputs,
      merged: layout.channels)
    let products = (0..<2).map {
      WindowProduct(phases[$0 * 2 + column], block: tile.block, key, images: 1, primitives, threads)
    }
    let stride = products[0].stride
    let rowBytes = key.width * key.inputs * type.byteCount
    // SAFETY: as in convolve; the two phases of a column parity write the rows of their own parity.
    let parts = unsafe worker.scratch([
      products.reduce(0) { max($0, $1.scratchBytes) }, (key.height + 1) * rowBytes, tile.pixels * stride * 4,
    ])
    let area = FrameWindow.Area(
      top: tile.rows.lowerBound - 1, left: column - 1, rows: key.height + 1, columns: key.width)
    unsafe window.gather(area, as: .init(type: type, rounds: weights.rounds), into: parts[1])
    for row in 0..<2 {
      unsafe products[row].execute(
        threads, worker, window: parts[1] + row * rowBytes, dst: parts[2], scratch: parts[0])
      for (index, y) in tile.rows.enumerated() {
        let pixel = ((tile.frames.lowerBound * x.shape[1] + y) * 2 + row) * 2 * width + column
        unsafe wan_bias_activation(
          parts[2].assumingMemoryBound(to: Float.self) + index * width * stride, stride,
          weights.bias?.floats(columns.lowerBound), result.address(pixel * weights.outputs + columns.lowerBound),
          result.kernelType("upsampledConvolution"), 2 * weights.outputs, width, columns.count, walk.activation.kernel)
      }
    }
  }
}

/// The part of a convolution that one task computes: the same rows of some output frames and a block of outputs.
private struct ConvolutionTile {
  let frames: Range<Int>
  let rows: Range<Int>
  let width: Int
  let block: Int

  /// Of each frame.
  var pixels: Int { rows.count * width }
}

/// Which input frames each output frame sees.
private struct ConvolutionWalk {
  let x: Tensor
  let history: Tensor?
  let kernel: (time: Int, height: Int, width: Int)
  let geometry: ConvolutionGeometry
  /// Of what comes out.
  let activation: Activation

  /// T', H', W' of the result.
  var extents: [Int] {
    let padding = geometry.padding
    return [
      extent(geometry.leadingFrames + x.shape[0], kernel.time, geometry.strideTime),
      extent(x.shape[1] + padding.top + padding.bottom, kernel.height, geometry.strideHeight),
      extent(x.shape[2] + padding.left + padding.right, kernel.width, geometry.strideWidth),
    ]
  }

  /// The frames that an output frame looks at.
  func window(of frame: Int, merged: Int) -> FrameWindow {
    let known = history?.shape[0] ?? 0
    let frames = (0..<kernel.time).map { tap -> Tensor? in
      let index = frame * geometry.strideTime + tap - geometry.leadingFrames  // 0 is the first frame of x
      if index >= 0 { return x[index] }
      if index >= -known { return history?[known + index] }
      return nil
    }
    return FrameWindow(
      frames: frames, height: x.shape[1], width: x.shape[2], channels: x.shape[3], merged: merged)
  }

  private func extent(_ input: Int, _ kernel: Int, _ stride: Int) -> Int {
    input < kernel ? 0 : (input - kernel) / stride + 1
  }
}
