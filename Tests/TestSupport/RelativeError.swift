public import Tensors

/// |actual - expected| / |expected| in L2; infinite when the shapes differ or a value is not finite.
public func relativeError(_ actual: Tensor, _ expected: Tensor) -> Double {
  actual.shape == expected.shape ? relativeError(actual.floats(), expected.floats()) : .infinity
}

/// |actual - expected| / |expected| in L2; infinite when the counts differ or a value is not finite.
public func relativeError(_ actual: [Float], _ expected: [Float]) -> Double {
  guard actual.count == expected.count else { return .infinity }
  var (difference, size) = (0.0, 0.0)
  for i in actual.indices {
    let (a, e) = (Double(actual[i]), Double(expected[i]))
    difference += (a - e) * (a - e)
    size += e * e
  }
  guard difference.isFinite && size.isFinite else { return .infinity }
  return size > 0 ? (difference / size).squareRoot() : difference.squareRoot()
}
