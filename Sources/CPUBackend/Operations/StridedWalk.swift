import Tensors

/// A walk over some of a tensor's elements in an order of its own, which the result holds densely: axes reordered, or some
/// indices of each. Rows of the last axis are copied together, with axes that stay neighbours joined.
struct StridedWalk {
  /// Extents of the result, joined, and the source's step along each.
  private let extents: [Int]
  private let steps: [Int]
  /// The source's element with which the walk begins.
  private let first: Int

  /// Result axis i is the source's axis `axes[i]`.
  init(_ shape: Shape, _ axes: [Int]) {
    self.init(axes.map { (shape[$0], shape.strides[$0]) }, first: 0)
  }

  /// One window for each axis of the source, inside it.
  init(_ windows: [AxisWindow], of shape: Shape) {
    let walked = zip(windows, shape.strides)
    self.init(
      walked.map { ($0.count, $0.step * $1) }, first: walked.reduce(0) { $0 + $1.0.first * $1.1 })
  }

  private init(_ axes: [(extent: Int, step: Int)], first: Int) {
    var extents: [Int] = []
    var steps: [Int] = []
    for axis in axes where axis.extent != 1 {
      if let step = steps.last, step == axis.step * axis.extent {
        extents[extents.count - 1] *= axis.extent
        steps[steps.count - 1] = axis.step
      } else {
        extents.append(axis.extent)
        steps.append(axis.step)
      }
    }
    self.extents = extents.isEmpty ? [1] : extents
    self.steps = steps.isEmpty ? [1] : steps
    self.first = first
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
    var (rest, offset) = (row, first)
    for axis in extents.indices.dropLast().reversed() {
      offset += rest % extents[axis] * steps[axis]
      rest /= extents[axis]
    }
    return offset
  }
}
