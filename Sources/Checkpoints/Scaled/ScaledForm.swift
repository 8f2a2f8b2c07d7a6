import Files
import Tensors

/// How a matrix of small numbers and the scales beside it are to be read; told by the scales' names, types and shapes.
struct ScaledForm: Sendable {
  /// The tensor of the numbers.
  let name: String
  /// What the numbers and the scales come to.
  let descriptor: TensorDescriptor
  private let rule: Rule

  private enum Rule: Sendable {
    /// Numbers of one byte, a float32 for all, for each row, or for each stretch of a row.
    case plain(ElementCoding?, scale: String, rows: Int, stretches: Int)
    /// Powers of two for each 32 numbers of a row, in the order of a card's tiles.
    case powers(scale: String)
    /// Numbers of half a byte; a small float for each 16 numbers, in that order too, and one float32 for all.
    case halves(scale: String, second: String)
  }

  /// - Parameters:
  ///   - scale: the tensor of the scales, named as its writer does.
  ///   - second: the second scale of NVFP4, where there is one.
  ///   - outputs: the numbers' rows that count; more are padding.
  init(
    _ name: String, in source: any WeightSource, scale: String, second: String?, outputs: Int?
  ) throws(CheckpointError) {
    self.name = name
    guard let matrix = source.descriptor(name), let scales = source.descriptor(scale) else {
      throw CheckpointError(path: source.location, at: .key(scale), "it is the scale of no tensor")
    }
    let wrong = CheckpointError(
      path: source.location, at: .key(scale),
      "scales of \(scales.shape) \(scales.format.name) do not fit '\(name)' of \(matrix.shape) \(matrix.format.name)",
      advice: CheckpointError.downloadAgain)
    guard matrix.shape.rank == 2, matrix.shape.count > 0, scales.shape.checkedCount.map({ $0 > 0 }) == true else {
      throw wrong
    }
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    switch (matrix.format.name, scales.format.name) {
    case ("F8_E4M3", "U8"), ("F8_E4M3", "F8_E8M0"):
      guard scales.shape.count == Self.tiled(rows, columns / 32), columns % 32 == 0 else { throw wrong }
      descriptor = TensorDescriptor(
        shape: [min(rows, outputs ?? rows), columns], format: .mxfp8, isPadded: true)
      rule = .powers(scale: scale)
    case ("U8", "F8_E4M3"):
      guard let second, source.descriptor(second).map({ $0.dtype == .f32 && $0.shape.count == 1 }) == true,
        columns % 8 == 0, scales.shape.count == Self.tiled(rows, columns / 8)
      else { throw wrong }
      descriptor = TensorDescriptor(
        shape: [min(rows, outputs ?? rows), 2 * columns], format: .nvfp4, isPadded: true)
      rule = .halves(scale: scale, second: second)
    case ("F8_E4M3", "F32"), ("F8_E5M2", "F32"), ("I8", "F32"):
      let stretches: Int
      switch scales.shape.dimensions {
      case [], [1], [1, 1], [rows], [rows, 1]: stretches = 1
      case [rows, scales.shape.count / rows, 1] where columns % (scales.shape.count / rows) == 0:
        stretches = scales.shape.count / rows
      default: throw wrong
      }
      let coding = ElementCoding(rawValue: matrix.format.name)
      // Bytes are multiplied as they are: one scale for a row, and rows that a sum of products fits.
      guard coding != nil || stretches == 1 && columns <= QuantizedRows.longestRow else { throw wrong }
      descriptor = TensorDescriptor(shape: matrix.shape, format: coding == nil ? .scaledBytes : matrix.format)
      rule = .plain(coding, scale: scale, rows: scales.shape.count / stretches, stretches: stretches)
    default: throw wrong
    }
  }

  /// Scales of a matrix [rows, stretches], padded to tiles of 128 x 4.
  private static func tiled(_ rows: Int, _ stretches: Int) -> Int {
    (rows + 127) / 128 * 128 * ((stretches + 3) / 4 * 4)
  }

  /// The matrix out of a source that holds its parts.
  func matrix(in source: any WeightSource) throws(WeightError) -> StoredMatrix {
    switch rule {
    case .plain(nil, let scale, let rows, _):
      let values = try source.tensor(name)
      let scales = try source.tensor(scale).floats()
      let count = values.shape[0]
      return .scaledRows(
        QuantizedRows(
          values: values,
          scales: Tensor(rows == count ? scales : Array(repeating: scales[0], count: count), shape: [count])))
    case .plain(.some(let coding), let scale, let rows, let stretches):
      let scales = try source.tensor(scale).reshaped([rows, stretches])
      return try encoded(coding, in: source, BlockScales(values: scales, width: descriptor.shape[1] / stretches))
    case .powers(let scale):
      let width = 32
      let codes = try bytes(scale, in: source)
      return try encoded(.e4m3, in: source, BlockScales(values: untiled(codes, width, SmallFloat.e8m0), width: width))
    case .halves(let scale, let second):
      let width = 16
      let codes = try bytes(scale, in: source)
      return try encoded(
        .e2m1, in: source,
        BlockScales(
          values: untiled(codes, width, SmallFloat.e4m3), width: width, factor: try source.tensor(second).floats()[0]))
    }
  }

  /// The codes of a tensor of one byte each.
  private func bytes(_ name: String, in source: any WeightSource) throws(WeightError) -> Tensor {
    if source.descriptor(name)?.dtype == .u8 { return try source.tensor(name) }
    guard case .encoded(let matrix) = try source.matrix(name) else { throw source.notRead(name) }
    return matrix.codes
  }

  private func encoded(
    _ coding: ElementCoding, in source: any WeightSource, _ scales: BlockScales
  ) throws(WeightError) -> StoredMatrix {
    let codes = try bytes(name, in: source)
    return .encoded(EncodedMatrix(shape: descriptor.shape, coding: coding, codes: codes, scales: scales))
  }

  /// The scales of a row one behind the other, out of tiles of 128 rows and 4 stretches.
  private func untiled(_ codes: Tensor, _ width: Int, _ table: [Float]) -> Tensor {
    let (rows, stretches) = (descriptor.shape[0], descriptor.shape[1] / width)
    return Tensor.filled(shape: [rows, stretches]) { scales in
      codes.withBytes { codes in
        for r in 0..<rows {
          for c in 0..<stretches {
            let tile = (r / 128 * ((stretches + 3) / 4) + c / 4) * 512
            let code = codes[tile + r % 32 * 16 + r % 128 / 32 * 4 + c % 4]
            scales[r * stretches + c] = table[Int(code)]
          }
        }
      }
    }
  }
}
