import Tensors

/// How a reordering of axes walks: rows of the result's last axis, with axes that stay neighbours joined.
struct Permutation {
  /// Extents of the result, joined, and the source's step along each.
  private let extents: [Int]
  private let steps: [Int]

  init(_ shape: Shape, _ axes: [Int]) {
    let strides = shape.strides
    var extents: [Int] = []
    var steps: [Int] = []
    for axis in axes where shape[axis] != 1 {
      if let extent = extents.last, let step = steps.last, step == strides[axis] * shape[axis] {
        extents[extents.count - 1] = extent * shape[axis]
        steps[steps.count - 1] = strides[axis]
      } else {
        extents.append(shape[axis])
        steps.append(strides[axis])
      }
    }
    self.extents = extents.isEmpty ? [1] : extents
    self.steps = steps.isEmpty ? [1] : steps
  }

  /// Elements of a row.
  var columns: Int { extents[extents.count - 1] }
  var rows: Int { extents.dropLast().reduce(1, *) }

  /// Writes some rows of the result.
  @unsafe
  func copy<Element: BitwiseCopyable>(
    _ rows: Range<Int>, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, as type: Element.Type
  ) {
    let source = unsafe source.assumingMemoryBound(to: Element.self)
    let target = unsafe target.assumingMemoryBound(to: Element.self)
    let (columns, step) = (columns, steps[steps.count - 1])
    if step == 1 {
      for row in rows {
        unsafe (target + row * columns).update(from: source + offset(row), count: columns)
      }
      return
    }
    // Rows that follow each other often read neighbours: a square of them shares its cache lines.
    let square = 16
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: square) {
      let last = min(first + square, rows.upperBound)
      unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: square) { starts in
        for row in first..<last { unsafe starts[row - first] = offset(row) }
        for start in stride(from: 0, to: columns, by: square) {
          let end = min(start + square, columns)
          for row in first..<last {
            let from = unsafe source + starts[row - first]
            let to = unsafe target + row * columns
            for column in start..<end { unsafe to[column] = from[column * step] }
          }
        }
      }
    }
  }

  /// The source's element where a row of the result begins.
  private func offset(_ row: Int) -> Int {
    var (rest, offset) = (row, 0)
    for axis in extents.indices.dropLast().reversed() {
      offset += rest % extents[axis] * steps[axis]
      rest /= extents[axis]
    }
    return offset
  }
}
