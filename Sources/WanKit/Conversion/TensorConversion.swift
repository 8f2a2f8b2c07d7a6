import Checkpoints
import Dispatch
import Foundation
import Layers
import Synchronization
import Tensors

/// One tensor of a network on its way into another file: what is declared for it, and its bytes.
struct TensorConversion: Sendable {
  let request: TensorRequest
  /// As the file will name it.
  let name: String
  let encoding: TensorEncoding

  /// The tensor's own entry, then those of its scales and marks.
  var entries: [SafetensorsWriter.Entry] {
    func beside(_ ending: String) -> String { name.dropEnding(".weight") + ending }
    switch encoding {
    case .floats(let dtype): return [.init(name: name, shape: request.shape, dtype: dtype)]
    case .blocks(let coding): return [.init(name: name, shape: request.shape, format: ElementFormat(coding))]
    case .scaledFloats:
      return [
        .init(name: name, shape: request.shape, format: ElementFormat(.e4m3)),
        .init(name: beside(".scale_weight"), shape: [], dtype: .f32),
      ]
    case .scaledRows:
      return [
        .init(name: name, shape: request.shape, dtype: .i8),
        .init(name: beside(".weight_scale"), shape: [request.shape[0], 1], dtype: .f32),
        .init(name: beside(".comfy_quant"), shape: [Self.byteMark.count], dtype: .u8),
      ]
    }
  }

  /// What ComfyUI reads to know bytes with scales.
  private static let byteMark = Array(#"{"format": "int8_tensorwise"}"#.utf8)
  /// Elements that are in work at a time.
  private static let chunk = 1 << 22

  /// Gives the bytes of ``entries``, in order and in parts.
  ///
  /// - Parameter write: takes the next bytes of the entry of this place.
  /// - Returns: what rounding lost.
  /// - Throws: numbers that are not finite or too large; `CancellationError`.
  func write(
    _ rows: TensorRows, _ backend: any Backend, location: String, to write: (Int, Span<UInt8>) throws -> Void
  ) throws -> RoundingLoss {
    if let copied = try copy(rows.unchanged, to: write) { return copied }
    let scale = encoding == .scaledFloats ? try largest(rows, backend, location) / 448 : 1
    var loss = RoundingLoss()
    var rowScales: [Float] = []
    for pieces in pieces(of: rows) {
      try Task.checkCancellation()
      for done in try inParallel(pieces, rows, backend, { Piece($0, encoding, columns: rows.columns, scale: scale) }) {
        guard let done else { throw problem(location) }
        try done.codes.withBytes { (bytes: Span<UInt8>) throws in try write(0, bytes) }
        rowScales += done.scales
        loss.add(done.loss)
      }
    }
    switch encoding {
    case .floats, .blocks: break
    case .scaledFloats: try write(1, Self.bytes(of: [scale]).span)
    case .scaledRows:
      try write(1, Self.bytes(of: rowScales).span)
      try write(2, Self.byteMark.span)
    }
    return loss
  }

  private func problem(_ location: String) -> ModelError {
    let what =
      switch encoding {
      case .floats(let dtype): dtype.rawValue
      case .blocks(let coding): coding.rawValue
      case .scaledFloats: "fp8"
      case .scaledRows: "int8"
      }
    return .checkpoint(
      "\(location): tensor '\(request.name)' holds NaN, infinity, or numbers too large for \(what); take another format"
    )
  }

  /// The bytes as they are, where the file stores them as they shall be.
  private func copy(_ stored: StoredMatrix?, to write: (Int, Span<UInt8>) throws -> Void) throws -> RoundingLoss? {
    switch (encoding, stored) {
    case (.floats(let dtype), .dense(let tensor)?) where tensor.dtype == dtype:
      try parts(of: tensor) { try write(0, $0) }
    case (.blocks(let coding), .encoded(let matrix)?)
    where matrix.coding == coding && matrix.isWhole && matrix.scales == nil:
      try parts(of: matrix.codes) { try write(0, $0) }
    case (.scaledRows, .scaledRows(let rows)?):
      try parts(of: rows.values) { try write(0, $0) }
      try write(1, Self.bytes(of: rows.scales.floats()).span)
      try write(2, Self.byteMark.span)
    default: return nil
    }
    return RoundingLoss()
  }

  private func parts(of tensor: Tensor, _ body: (Span<UInt8>) throws -> Void) throws {
    try tensor.withBytes { (bytes: Span<UInt8>) throws in
      for start in stride(from: 0, to: bytes.count, by: 4 * Self.chunk) {
        try Task.checkCancellation()
        try body(bytes.extracting(start..<min(start + 4 * Self.chunk, bytes.count)))
      }
    }
  }

  /// Rows that are in work at a time, cut for all processors.
  private func pieces(of rows: TensorRows) -> [[Range<Int>]] {
    let height = max(1, Self.chunk / max(1, rows.columns))
    let processors = ProcessInfo.processInfo.activeProcessorCount
    return stride(from: 0, to: rows.count, by: height).map { start in
      let end = min(start + height, rows.count)
      let step = max(1, (end - start + processors - 1) / processors)
      return stride(from: start, to: end, by: step).map { $0..<min($0 + step, end) }
    }
  }

  private func largest(_ rows: TensorRows, _ backend: any Backend, _ location: String) throws -> Float {
    var largest: Float = 0
    for pieces in pieces(of: rows) {
      try Task.checkCancellation()
      let found = try inParallel(pieces, rows, backend) { numbers in
        numbers.reduce(Float(0)) { $1.magnitude <= $0 ? $0 : $1.magnitude }
      }
      largest = max(largest, found.max() ?? 0)
      guard largest.isFinite, !found.contains(where: \.isNaN) else { throw problem(location) }
    }
    return largest > 0 ? largest : 448
  }

  /// What comes of each piece's numbers, in order, made on all processors.
  private func inParallel<R: Sendable>(
    _ pieces: [Range<Int>], _ rows: TensorRows, _ backend: any Backend, _ body: @Sendable ([Float]) -> R
  ) throws(DeviceError) -> [R] {
    guard let first = pieces.first, let last = pieces.last else { return [] }
    let additions = try rows.additions(first.lowerBound..<last.upperBound, backend)
    let results = Mutex<[Int: R]>([:])
    DispatchQueue.concurrentPerform(iterations: pieces.count) { index in
      var numbers = rows.floats(pieces[index])
      let start = (pieces[index].lowerBound - first.lowerBound) * rows.columns
      for addition in additions {
        addition.numbers.withSpan(of: Float.self) { more in
          for i in numbers.indices { numbers[i] += addition.scale * more[start + i] }
        }
      }
      let result = body(numbers)
      results.withLock { $0[index] = result }
    }
    return results.withLock { found in pieces.indices.compactMap { found[$0] } }
  }

  static func bytes(of numbers: [Float]) -> [UInt8] {
    numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> UInt32(8 * $0)) } }
  }
}

/// Some rows in their new form.
private struct Piece: Sendable {
  /// Their bytes.
  let codes: Tensor
  /// One for each row, where rows have their own.
  let scales: [Float]
  let loss: RoundingLoss

  /// `nil` for numbers that the form cannot hold.
  init?(_ numbers: [Float], _ encoding: TensorEncoding, columns: Int, scale: Float) {
    guard numbers.allSatisfy({ $0.magnitude <= 1e30 }) else { return nil }
    let decoded: [Float]
    switch encoding {
    case .floats(let dtype):
      codes = Tensor(numbers, shape: [numbers.count]).converted(to: dtype)
      (scales, decoded) = ([], codes.floats())
    case .blocks(let coding):
      let bytes = coding.encode(numbers.span)
      (codes, scales, decoded) = (Tensor(bytes: bytes), [], coding.decode(bytes))
    case .scaledFloats:
      let bytes = numbers.map { SmallFloat.e4m3Code($0 / scale) }
      (codes, scales, decoded) = (Tensor(bytes: bytes), [], bytes.map { SmallFloat.e4m3[Int($0)] * scale })
    case .scaledRows:
      let rows = QuantizedRows(rounding: Tensor(numbers, shape: [columns == 0 ? 0 : numbers.count / columns, columns]))
      (codes, scales, decoded) = (rows.values, rows.scales.floats(), rows.floats.floats())
    }
    guard let loss = RoundingLoss(numbers, decoded) else { return nil }
    self.loss = loss
  }
}

/// What rounding took from numbers, as sums of squares.
struct RoundingLoss: Sendable, Hashable {
  private var differences = 0.0
  private var numbers = 0.0

  /// Nothing was rounded.
  init() {}

  /// `nil` where a number became none.
  fileprivate init?(_ before: [Float], _ after: [Float]) {
    for i in before.indices {
      let difference = Double(before[i]) - Double(after[i])
      differences += difference * difference
      numbers += Double(before[i]) * Double(before[i])
    }
    if !differences.isFinite { return nil }
  }

  mutating func add(_ other: RoundingLoss) {
    differences += other.differences
    numbers += other.numbers
  }

  /// The relative error, in L2.
  var relative: Double { numbers > 0 ? (differences / numbers).squareRoot() : 0 }
}

extension String {
  /// Without an ending that it may have.
  func dropEnding(_ ending: String) -> String { hasSuffix(ending) ? String(dropLast(ending.count)) : self }
}
