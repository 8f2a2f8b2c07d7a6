/// A matrix, or another tensor, of codes that stand for numbers, with or without scales beside them.
///
/// Rows are stored whole, each a number of whole blocks; a writer may have padded them, and added rows, for its own card.
public struct EncodedMatrix: Sendable {
  /// What it stands for: [N, K] for a matrix.
  public let shape: Shape
  /// What the bytes of ``codes`` mean.
  public let coding: ElementCoding
  /// [rows, bytes of a row] u8 in host memory; at least as many rows as the shape has.
  public let codes: Tensor
  /// What the codes' numbers are multiplied with; `nil` where they are the numbers.
  public let scales: BlockScales?
  /// Numbers of a stored row that count; the rest are padding. Another extent than the shape's last where the file has
  /// other rows.
  public let columns: Int

  /// Traps unless the codes are whole blocks that hold the shape's rows, and the scales fit them.
  public init(shape: Shape, coding: ElementCoding, codes: Tensor, scales: BlockScales? = nil) {
    self.init(shape: shape, columns: shape.dimensions.last ?? 1, coding: coding, codes: codes, scales: scales)
  }

  private init(shape: Shape, columns: Int, coding: ElementCoding, codes: Tensor, scales: BlockScales?) {
    precondition(
      codes.shape.rank == 2 && codes.dtype == .u8 && codes.shape[1] % coding.block.bytes == 0,
      "codes of \(coding.rawValue): \(codes.shape) \(codes.dtype)")
    let stored = codes.shape[1] / coding.block.bytes * coding.block.elements
    let rows = columns == 0 ? 0 : shape.count / columns
    precondition(rows <= codes.shape[0] && columns <= stored, "\(shape) of codes \(codes.shape) \(coding.rawValue)")
    if let scales {
      precondition(scales.cover(rows: rows, columns: stored), "scales \(scales.values.shape) of \(shape)")
    }
    (self.shape, self.columns, self.coding, self.codes, self.scales) = (shape, columns, coding, codes, scales)
  }

  /// The same numbers under another shape.
  public func reshaped(_ shape: Shape) -> EncodedMatrix {
    precondition(shape.count == self.shape.count, "cannot view \(self.shape) as \(shape)")
    return EncodedMatrix(shape: shape, columns: columns, coding: coding, codes: codes, scales: scales)
  }

  /// The upper left part of a matrix: what its writer had before padding it.
  public func cropped(to shape: Shape) -> EncodedMatrix {
    precondition(shape.rank == 2 && self.shape.rank == 2, "cropping \(self.shape) to \(shape)")
    return EncodedMatrix(shape: shape, coding: coding, codes: codes, scales: scales)
  }

  /// Whether the codes are those of the shape's numbers and no others.
  public var isWhole: Bool { codes.count / coding.block.bytes * coding.block.elements == shape.count }

  /// The numbers, in float32.
  public var floats: Tensor {
    let rows = columns == 0 ? 0 : shape.count / columns
    return Tensor.filled(shape: shape) { numbers in fill(&numbers, with: 0..<rows) }
  }

  /// Some rows of a matrix, [indices.count, K] float32; traps for an index that is none.
  public func rows(_ indices: [Int32]) -> Tensor {
    Tensor.filled(shape: [indices.count, columns]) { numbers in fill(&numbers, with: indices.map(Int.init)) }
  }

  /// Stored rows, one behind the other: what a backend decodes on several threads.
  ///
  /// - Parameter numbers: as many as the rows have.
  public func decode(rows: Range<Int>, into numbers: inout MutableSpan<Float>) {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound * columns <= shape.count && numbers.count == rows.count * columns,
      "rows \(rows) of \(shape) into \(numbers.count) numbers")
    fill(&numbers, with: rows)
  }

  private func fill(_ numbers: inout MutableSpan<Float>, with rows: some Sequence<Int>) {
    let bytes = codes.shape[1]
    let stored = bytes / coding.block.bytes * coding.block.elements
    var row = [Float](repeating: 0, count: stored)
    for (place, index) in rows.enumerated() {
      let start = codes.byteOffset + index * bytes
      let source = codes.storage.copy(start..<start + bytes)
      if let table = table(ofRow: index) {
        Self.lookUp(source, in: table, into: &numbers, from: place * columns, count: columns)
        continue
      }
      var decoded = row.mutableSpan
      coding.decode(source, into: &decoded)
      if let scales { scales.multiply(&decoded, row: index) }
      for i in 0..<columns { numbers[place * columns + i] = decoded[i] }
    }
  }

  /// What each of 256 codes stands for in a row, where a code is a byte and a row has one scale.
  private func table(ofRow index: Int) -> [Float]? {
    guard coding == .e4m3 || coding == .e5m2, scales == nil || scales?.values.shape[1] == 1 else { return nil }
    let table = coding == .e4m3 ? SmallFloat.e4m3 : SmallFloat.e5m2
    guard let scales else { return table }
    return scales.values.withSpan(of: Float.self) { values in
      let scale = values[scales.values.shape[0] == 1 ? 0 : index]
      return table.map { $0 * scale * scales.factor }
    }
  }

  private static func lookUp(
    _ codes: [UInt8], in table: [Float], into numbers: inout MutableSpan<Float>, from first: Int, count: Int
  ) {
    precondition(table.count == 256 && codes.count >= count && first >= 0 && first + count <= numbers.count)
    unsafe numbers.withUnsafeMutableBufferPointer { numbers in
      unsafe table.withUnsafeBufferPointer { table in
        unsafe codes.withUnsafeBufferPointer { codes in
          // SAFETY: counts were checked, and a byte is an index of 256 numbers.
          for i in 0..<count { unsafe numbers[first + i] = unsafe table[Int(codes[i])] }
        }
      }
    }
  }
}

/// Factors on stretches of a matrix's rows.
public struct BlockScales: Sendable {
  /// [rows, stretches of a row] float32 in host memory; one row serves all rows.
  public let values: Tensor
  /// Numbers that a factor is for.
  public let width: Int
  /// A second factor, on all numbers, multiplied last.
  public let factor: Float

  /// Traps unless the values are a matrix of float32.
  public init(values: Tensor, width: Int, factor: Float = 1) {
    precondition(values.shape.rank == 2 && values.dtype == .f32 && width > 0, "scales \(values.shape) \(values.dtype)")
    (self.values, self.width, self.factor) = (values, width, factor)
  }

  fileprivate func cover(rows: Int, columns: Int) -> Bool {
    (values.shape[0] == 1 || values.shape[0] >= rows) && values.shape[1] * width >= columns
  }

  fileprivate func multiply(_ row: inout MutableSpan<Float>, row index: Int) {
    let (width, factor, stretches) = (width, factor, values.shape[1])
    let first = values.shape[0] == 1 ? 0 : index * stretches
    values.withSpan(of: Float.self) { scales in
      for i in 0..<row.count { row[i] = row[i] * scales[first + i / width] * factor }
    }
  }
}
