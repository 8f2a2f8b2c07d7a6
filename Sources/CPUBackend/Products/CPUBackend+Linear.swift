import CKernels
import COneDNN
public import Tensors

extension CPUBackend {
  /// Rows multiplied at a time; bounds the memory that converted inputs take.
  private static let chunk = 2048
  /// Rows of one packed product within a task; their results stay in the cache until they are finished.
  private static let productRows = 384
  /// Rows that a primitive stands for when oneDNN chooses a layout.
  private static let typicalRows = 256

  public func prepare(_ matrix: StoredMatrix, bias: Tensor?, precision: Precision) -> any PreparedLinear {
    if precision == .int8 { return CPUByteLinear(byteWeight(matrix), bias: bias, self) }
    if let codes = coded(matrix, precision) {
      return CPULinear(
        codes.shape, bias: bias?.converted(to: .f32), form: .plain(.codes(codes)), rounds: precision == .bf16,
        sourceType: precision == .bf16 && multipliesBF16 ? .bf16 : .f32, self)
    }
    if case .encoded(let codes) = matrix {
      return linear(decoded(codes, as: precision == .f32 ? .f32 : .bf16), bias: bias, precision: precision)
    }
    // A matrix that is streamed stays where it is, and so does a copy of it that would not.
    return linear(matrix.dense, bias: bias, precision: precision, packs: matrix.isStreamed ? false : nil)
  }

  /// - Parameter packs: whether oneDNN multiplies, from weights in its layout, which must be of the type that products
  ///   read; by default where it is faster.
  func linear(_ weight: Tensor, bias: Tensor?, precision: Precision, packs: Bool? = nil) -> CPULinear {
    precondition(
      weight.shape.rank == 2 && weight.dtype.isFloatingPoint, "linear: weight \(weight.shape) \(weight.dtype)")
    let source = stored(weight, precision)
    let bf16 = source.dtype == .bf16 && precision == .bf16 && multipliesBF16
    let packs = packs ?? (bf16 && packsBF16)
    return CPULinear(
      weight.shape, bias: bias?.converted(to: .f32),
      form: packs ? .packed(pack(source, bf16: bf16)) : .plain(.numbers(source)),
      rounds: precision == .bf16, sourceType: bf16 ? .bf16 : .f32, self)
  }

  /// x y^T by the same kernel, one matrix after the other.
  public func product(_ x: Tensor, _ y: Tensor) -> Tensor {
    Shape.checkProduct(x, y)
    let rank = x.shape.rank
    let items = x.shape.dimensions.dropLast(2).reduce(1, *)
    let left = x.reshaped([items, x.shape[rank - 2], x.shape.last])
    let right = y.reshaped([items, y.shape[rank - 2], y.shape.last])
    let precision: Precision = x.dtype == .bf16 ? .bf16 : .f32
    let results = (0..<items).map { item in
      linear(
        left[item], linear(right[item], bias: nil, precision: precision, packs: false), activation: .none, output: .f32)
    }
    let shape = x.shape.replacingLast(y.shape[rank - 2])
    return results.isEmpty ? empty(shape, .f32) : concatenated(results).reshaped(shape)
  }

  /// - Parameter added: products that go onto the sums of a linear that is not packed.
  func linear(
    _ x: Tensor, _ weights: CPULinear, adding added: [AddedProduct] = [], activation: Activation, output: DType
  ) -> Tensor {
    precondition(x.shape.last == weights.inputs, "linear: x \(x.shape) for \(weights.inputs) inputs")
    precondition(x.dtype == .f32 || x.dtype == .bf16, "linear: x is F32 or BF16, not \(x.dtype.rawValue)")
    let rows = x.shape.rows
    let result = empty(x.shape.replacingLast(weights.outputs), output)
    let flat = x.reshaped([rows, weights.inputs])
    let target = result.reshaped([rows, weights.outputs])
    let step = CPUBackend.evenStep(rows, limit: CPUBackend.chunk)
    for start in stride(from: 0, to: rows, by: step) {
      let range = start..<min(rows, start + step)
      let source = products(of: flat.slice(range), as: weights.sourceType, rounded: weights.rounds)
      let call = LinearCall(
        x: source, weights: weights, added: added.map { $0.slice(range) }, activation: activation,
        result: target.slice(range))
      multiply(call)
    }
    return result
  }

  /// The weight in the type it is kept in: its own where it can be multiplied.
  func stored(_ weight: Tensor, _ precision: Precision) -> Tensor {
    switch (weight.dtype, precision) {
    case (.bf16, _), (.f32, .f32): weight
    case (.f32, .bf16), (.f32, .int8), (.f16, .bf16), (.f16, .int8): cast(weight, to: .bf16)
    case (.f16, .f32): cast(weight, to: .f32)
    case (_, .f32): weight.converted(to: .f32)
    case (_, .bf16), (_, .int8): weight.converted(to: .bf16)
    }
  }

  private func template(_ inputs: Int, _ outputs: Int, bf16: Bool) -> ProductKey {
    ProductKey(bf16: bf16, m: CPUBackend.typicalRows, n: outputs, k: inputs)
  }

  private func pack(_ weight: Tensor, bf16: Bool) -> [PackedWeights] {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let block = CPULinear.block(outputs, packed: true)
    let pieces = stride(from: 0, to: outputs, by: block).map { start in
      let key = template(inputs, min(block, outputs - start), bf16: bf16)
      let primitive = primitives.product(key)
      return (start, key, primitive, Tensor.zeros([primitive.weightsBytes], dtype: .u8))
    }
    threads.run(pieces.count) { index, worker in
      let (start, key, primitive, bytes) = pieces[index]
      var shape = key.description
      // SAFETY: the rows of the block lie in the weight, and `bytes` has the size that the layout asks for.
      let result = unsafe wan_dnn_pack_matmul(
        primitive.made, threads.engine, worker.stream, &shape, weight.address(start * inputs), bytes.pointer)
      result.check("oneDNN cannot lay out a weight \(weight.shape)")
    }
    // The packed copy serves from here on; a mapped original need not stay in memory beside it.
    weight.discardCachedPages()
    return pieces.map { PackedWeights(template: $0.2, bytes: $0.3) }
  }

  /// Rows [M, K] as the products read them: x itself where it is that already.
  func products(of x: Tensor, as type: DType, rounded: Bool) -> Tensor {
    let rounds = rounded && x.dtype == .f32 && type == .f32
    if x.dtype == type && !rounds { return x }
    let result = empty(x.shape, type)
    threads.run(x.count, grain: CPUBackend.grain) { range, _ in
      let i = range.lowerBound
      // SAFETY: both tensors have the same count, and the range lies in it.
      if rounds {
        unsafe roundThroughBF16(x.address(i), result.address(i), range.count)
      } else {
        unsafe convert(x.address(i), x.dtype, result.address(i), type, range.count)
      }
    }
    return result
  }

  private func multiply(_ call: LinearCall) {
    let (rows, weights) = (call.x.shape[0], call.weights)
    let step = rowsOfTile(rows, weights)
    let bands = (rows + step - 1) / step
    threads.run(weights.blocks * bands) { index, worker in
      let (block, band) = (index / bands, index % bands)
      let tile = LinearTile(
        rows: band * step..<min(rows, (band + 1) * step), block: block, columns: weights.columns(block),
        next: weights.columns((index + threads.count) / bands))
      switch weights.form {
      case .plain(let weight): multiply(tile, by: weight, call, worker)
      case .packed(let pieces): multiply(tile, by: pieces[block], call, worker)
      }
    }
  }

  /// All rows when there are blocks enough, else a part, so that all threads find work.
  ///
  /// Our kernel lays a block out for each part, and gives the same bits however rows are cut; oneDNN does not promise
  /// that, so its parts must not depend on the number of threads.
  private func rowsOfTile(_ rows: Int, _ weights: CPULinear) -> Int {
    let tasks = weights.isPacked ? 16 : 4 * threads.count
    let parts = min((tasks + weights.blocks - 1) / weights.blocks, max(1, rows / 64))
    return (rows + parts - 1) / parts
  }

  /// A tile by our kernel, from rows as they lie in the weight.
  private func multiply(_ tile: LinearTile, by weight: ProductWeight, _ call: LinearCall, _ worker: Worker) {
    let columns = tile.columns.count
    let width = wan_product_columns(columns)
    let depth = call.added.reduce(call.weights.inputs) { max($0, $1.weight.shape[1]) }
    // SAFETY: the product has room for the tile; scratch is the worker's.
    let parts = unsafe worker.scratch([wan_product_scratch_bytes(columns, depth), tile.rows.count * width * 4])
    let sums = unsafe parts[1].assumingMemoryBound(to: Float.self)
    let comes = tile.next.count == columns && tile.next != tile.columns
    unsafe ProductTile(rows: call.x, weight: weight).multiply(
      tile.rows, tile.columns, next: comes ? tile.next : nil, onto: sums, adds: false, parts[0])
    for added in call.added { unsafe added.add(to: sums, rows: tile.rows, columns: tile.columns, parts[0]) }
    unsafe finish(sums, stride: width, tile.rows, tile, call)
  }

  /// A tile by oneDNN, from weights in its layout.
  private func multiply(_ tile: LinearTile, by piece: PackedWeights, _ call: LinearCall, _ worker: Worker) {
    let (x, inputs, columns) = (call.x, call.weights.inputs, tile.columns.count)
    let step = CPUBackend.evenStep(tile.rows.count, limit: CPUBackend.productRows)
    let key = ProductKey(bf16: call.weights.sourceType == .bf16, m: step, n: columns, k: inputs)
    let tail = tile.rows.count % step
    var scratchBytes = primitives.product(key, template: piece.template).scratchBytes
    if tail > 0 {
      scratchBytes = max(scratchBytes, primitives.product(key.rows(tail), template: piece.template).scratchBytes)
    }
    // SAFETY: every stretch lies in x and in the result, whose part nobody else writes; scratch is the worker's.
    let parts = unsafe worker.scratch([scratchBytes, step * columns * 4])
    for start in stride(from: tile.rows.lowerBound, to: tile.rows.upperBound, by: step) {
      let rows = start..<min(start + step, tile.rows.upperBound)
      let primitive = primitives.product(key.rows(rows.count), template: piece.template)
      unsafe primitive.execute(
        threads, worker, src: x.address(start * inputs), weights: piece.weights(for: primitive, threads).pointer,
        dst: parts[1], scratch: parts[0])
      unsafe finish(parts[1].assumingMemoryBound(to: Float.self), stride: columns, rows, tile, call)
    }
  }

  /// Bias, activation and the result's type for some rows of a tile.
  @unsafe
  private func finish(
    _ sums: UnsafeMutablePointer<Float>, stride: Int, _ rows: Range<Int>, _ tile: LinearTile, _ call: LinearCall
  ) {
    let (weights, result) = (call.weights, call.result)
    unsafe wan_bias_activation(
      sums, stride, weights.bias?.floats(tile.columns.lowerBound),
      result.address(rows.lowerBound * weights.outputs + tile.columns.lowerBound), result.kernelType("linear"),
      weights.outputs, rows.count, tile.columns.count, call.activation.kernel)
  }

  /// The step that cuts `count` into equal parts of at most `limit`.
  private static func evenStep(_ count: Int, limit: Int) -> Int {
    let parts = max(1, (count + limit - 1) / limit)
    return max(1, (count + parts - 1) / parts)
  }
}

/// One call of a linear: rows [M, K] as the products read them, and the result [M, N].
private struct LinearCall {
  let x: Tensor
  let weights: CPULinear
  /// What goes onto the sums, for the same rows.
  let added: [AddedProduct]
  let activation: Activation
  let result: Tensor
}

/// The part of a product that one task computes.
private struct LinearTile {
  let rows: Range<Int>
  let block: Int
  let columns: Range<Int>
  /// The columns of the tile that this thread is likely to compute next; none after the last.
  let next: Range<Int>
}

/// A product of rows [M, K] and a weight [N, K] by our kernel, of which tiles are computed.
struct ProductTile {
  let rows: Tensor
  let weight: ProductWeight

  /// Some rows and columns, in the place of the sums that are there, or onto them.
  ///
  /// - Parameter next: the columns that this thread is likely to compute next.
  @unsafe
  func multiply(
    _ range: Range<Int>, _ columns: Range<Int>, next: Range<Int>?, onto sums: UnsafeMutablePointer<Float>, adds: Bool,
    _ scratch: UnsafeMutableRawPointer
  ) {
    let depth = weight.shape[1]
    // SAFETY: the rows and columns lie in their tensors; sums and scratch have the room that the kernel asks for.
    let addresses = unsafe range.map { unsafe UnsafeRawPointer?(rows.address($0 * depth)) }
    unsafe addresses.withUnsafeBufferPointer { addresses in
      var product = unsafe wan_product_t()
      unsafe product.rows = addresses.baseAddress
      unsafe (product.rows_type, product.row_count) = (rows.kernelType("linear"), addresses.count)
      unsafe (product.columns, product.depth) = (columns.count, depth)
      unsafe (product.dst, product.dst_stride) = (sums, wan_product_columns(columns.count))
      unsafe product.adds = adds ? 1 : 0
      switch weight {
      case .numbers(let weight):
        unsafe product.weights = UnsafeRawPointer(weight.address(columns.lowerBound * depth))
        unsafe (product.weights_type, product.weights_stride) = (weight.kernelType("linear"), depth)
        unsafe product.next_weights = next.map { unsafe UnsafeRawPointer(weight.address($0.lowerBound * depth)) }
        unsafe wan_product(&product, scratch)
      case .codes(let matrix):
        unsafe product.weights_type = matrix.decoded.kernelType("linear")
        unsafe (product.codes_row, product.next_codes_row) = (columns.lowerBound, (next ?? columns).lowerBound)
        unsafe matrix.withCodes { codes in
          unsafe product.codes = codes
          unsafe wan_product(&product, scratch)
        }
      }
    }
  }
}
