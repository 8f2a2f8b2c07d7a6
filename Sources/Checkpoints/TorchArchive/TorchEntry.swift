import Tensors

/// A tensor of an archive, checked against the entry that holds its storage.
struct TorchEntry: Sendable {
  let format: ElementFormat
  let shape: Shape
  /// Where element 0 lies in the file.
  let byteOffset: Int
  /// Elements between neighbours along each axis.
  let strides: [Int]
  /// Bytes of the elements, as a dense tensor has them.
  let byteCount: Int

  /// - Parameter content: the storage's bytes in the file.
  init(_ view: TorchView, name: String, content: Range<Int>, path: String) throws(CheckpointError) {
    func failure(_ problem: String) -> CheckpointError {
      CheckpointError(path: path, at: .key(name), problem, advice: CheckpointError.downloadAgain)
    }
    let elementSize = view.format.block?.bytes ?? 1
    let shape = Shape(view.size)
    guard let elements = shape.checkedCount, let denseByteCount = elements.checkedProduct(elementSize) else {
      throw failure("its shape \(shape) needs more elements than can be counted")
    }
    (format, self.shape, strides, byteCount) = (view.format, shape, view.stride, denseByteCount)
    guard view.format.dtype != nil else {
      // Of a type that is not read the elements are never looked at; some pack several into a byte.
      byteOffset = content.lowerBound
      return
    }
    let unit = view.storage.format == nil ? 1 : elementSize
    guard let storedByteCount = view.storage.count.checkedProduct(unit), storedByteCount <= content.count else {
      throw failure(
        "its storage '\(view.storage.key)' of \(view.storage.count) elements has only \(content.count) bytes")
    }
    let count = storedByteCount / elementSize
    guard elements <= count else {
      throw failure("its shape \(shape) needs more elements than the \(count) of its storage '\(view.storage.key)'")
    }
    guard view.offset <= count, elements == 0 || view.lastElement.map({ $0 < count }) == true else {
      throw failure(
        "offset \(view.offset), shape \(shape) and strides \(view.stride) leave its storage of \(count) elements")
    }
    byteOffset = content.lowerBound + view.offset * elementSize
  }

  /// Whether the elements lie densely in row-major order; axes of extent 1 have no say.
  var isDense: Bool {
    if shape.count == 0 { return true }
    return zip(shape.dimensions, zip(strides, shape.strides)).allSatisfy { extent, strides in
      extent == 1 || strides.0 == strides.1
    }
  }

  func tensor(in storage: Storage, dtype: DType) -> Tensor {
    if isDense { return storage.tensor(shape, dtype, at: byteOffset) }
    return gathered(storage, dtype: dtype)
  }

  /// A dense copy.
  private func gathered(_ storage: Storage, dtype: DType) -> Tensor {
    let size = dtype.byteCount
    let dense = Storage.filled(byteCount: shape.count * size) { (target: inout MutableSpan<UInt8>) in
      storage.withBytes(in: byteOffset..<storage.byteCount) { source in
        var position = 0
        forEachRow { row in
          for i in 0..<shape.last {
            let element = (row + i * (strides.last ?? 0)) * size
            for byte in 0..<size { target[position + byte] = source[element + byte] }
            position += size
          }
        }
      }
    }
    return Tensor(shape: shape, dtype: dtype, storage: dense)
  }

  /// Calls `body` with the first element of each row of the innermost axis, in order.
  private func forEachRow(_ body: (Int) -> Void) {
    let outer = Array(shape.dimensions.dropLast())
    var index = [Int](repeating: 0, count: outer.count)
    for _ in 0..<shape.rows {
      body(zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 })
      for axis in outer.indices.reversed() {
        index[axis] += 1
        if index[axis] < outer[axis] { break }
        index[axis] = 0
      }
    }
  }
}

extension TorchView {
  /// The largest element that a tensor of no empty axis looks at; `nil` when it is beyond counting.
  fileprivate var lastElement: Int? {
    var last = offset
    for (extent, stride) in zip(size, stride) {
      guard let step = (extent - 1).checkedProduct(stride) else { return nil }
      let (sum, overflow) = last.addingReportingOverflow(step)
      guard !overflow else { return nil }
      last = sum
    }
    return last
  }
}
