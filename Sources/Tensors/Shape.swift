/// The extents of a tensor, outermost first; tensors are dense and row-major.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// Extents from the outermost axis to the innermost; empty for a scalar.
  public let dimensions: [Int]

  /// Traps on a negative extent; 0 makes an empty tensor.
  public init(_ dimensions: [Int]) {
    precondition(dimensions.allSatisfy { $0 >= 0 }, "a shape has no negative extents: \(dimensions)")
    self.dimensions = dimensions
  }

  public init(arrayLiteral elements: Int...) {
    self.init(elements)
  }

  /// The number of axes; 0 for a scalar.
  public var rank: Int { dimensions.count }

  /// Elements in a tensor of this shape; 1 for a scalar.
  public var count: Int { dimensions.reduce(1, *) }

  /// The innermost extent; 1 for a scalar.
  public var last: Int { dimensions.last ?? 1 }

  /// Rows of the innermost extent.
  public var rows: Int { dimensions.dropLast().reduce(1, *) }

  /// The extent of an axis, counted from 0 at the outermost; traps outside the rank.
  public subscript(axis: Int) -> Int { dimensions[axis] }

  /// This shape with its innermost extent replaced.
  public func replacingLast(_ extent: Int) -> Shape {
    Shape(dimensions.dropLast() + [extent])
  }

  /// Elements between neighbours along each axis.
  public var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in dimensions.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * dimensions[axis + 1]
    }
    return strides
  }

  /// The shape of what ``Backend/combined(_:_:_:)`` makes of two tensors; traps where they do not fit.
  public static func combined(_ x: Shape, _ y: Shape) -> Shape {
    let rank = max(x.rank, y.rank)
    func extent(_ shape: Shape, _ axis: Int) -> Int {
      let own = axis - rank + shape.rank
      return own < 0 ? 1 : shape[own]
    }
    return Shape(
      (0..<rank).map { axis in
        let (a, b) = (extent(x, axis), extent(y, axis))
        precondition(a == b || a == 1 || b == 1, "combined: \(x) and \(y) do not fit")
        return a == 1 ? b : a
      })
  }

  public var description: String {
    "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
  }
}
