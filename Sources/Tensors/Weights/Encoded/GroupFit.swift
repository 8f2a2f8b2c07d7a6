/// A group of numbers as small codes times a scale, less a least number: the fit with the smallest squared error, each
/// number weighted, among those that some spacings of the codes give.
///
/// Found as ggml's files are: a spacing is tried, the numbers take the nearest codes, and scale and least number are the
/// least squares for these codes. Which spacings are tried is our own choice. Eight numbers are worked on at a time, with
/// those operations alone that the compiler makes one instruction of.
struct GroupFit {
  private typealias Eight = SIMD8<Float>

  /// What codes are multiplied with.
  private(set) var scale: Float = 0
  /// What is taken away then, not negative; 0 for codes with signs.
  private(set) var least: Float = 0

  /// Codes 0...levels of a multiple of eight numbers: x = scale q - least.
  init(_ x: Span<Float>, levels: Float) {
    var (low, high, squares): (Float, Float, Float) = (0, 0, 0)
    for i in 0..<x.count {
      (low, high) = (x[i] < low ? x[i] : low, x[i] > high ? x[i] : high)
      squares += x[i] * x[i]
    }
    guard high > low else { return }
    let parts = Self.parts(x)
    // Large numbers count more, and none counts nothing.
    let mean = Eight(repeating: (squares / Float(x.count)).squareRoot())
    let weights = parts.map { Self.magnitude($0) + mean }
    var (w, wx) = (Eight(), Eight())
    for i in parts.indices { (w, wx) = (w + weights[i], wx + weights[i] * parts[i]) }
    (scale, least) = ((high - low) / levels, -low)
    var best = Float.infinity
    // The farthest number stays below half a code past the last, so that no code needs to be cut.
    for step in -8...4 {
      let inverse = (levels + Float(step) * 0.1) / (high - low)
      var (wq, wqq, wqx) = (Eight(), Eight(), Eight())
      for i in parts.indices {
        let q = Self.nearestWhole((parts[i] - low) * inverse)
        let weighted = weights[i] * q
        (wq, wqq, wqx) = (wq + weighted, wqq + weighted * q, wqx + weighted * parts[i])
      }
      guard let fit = Self.leastSquares(Self.sum(w), Self.sum(wx), Self.sum(wq), Self.sum(wqq), Self.sum(wqx)) else {
        continue
      }
      var error = Eight()
      for i in parts.indices {
        let difference = Self.nearestWhole((parts[i] - low) * inverse) * fit.scale + fit.constant - parts[i]
        error += weights[i] * difference * difference
      }
      if Self.sum(error) < best { (best, scale, least) = (Self.sum(error), fit.scale, -fit.constant) }
    }
  }

  /// scale and constant, at most 0, that bring scale q + constant nearest to x.
  private static func leastSquares(
    _ w: Float, _ wx: Float, _ wq: Float, _ wqq: Float, _ wqx: Float
  ) -> (scale: Float, constant: Float)? {
    let determinant = w * wqq - wq * wq
    guard determinant > 0 else { return nil }
    let (scale, constant) = ((w * wqx - wx * wq) / determinant, (wqq * wx - wq * wqx) / determinant)
    if constant > 0 { return wqx > 0 ? (wqx / wqq, 0) : nil }
    return scale > 0 ? (scale, constant) : nil
  }

  /// Codes -levels..<levels of a multiple of eight numbers: x = scale q. The scale may be negative: the farthest number
  /// takes the lowest code.
  init(_ x: Span<Float>, signedLevels levels: Float) {
    var largest: Float = 0
    for i in 0..<x.count where x[i].magnitude > largest.magnitude { largest = x[i] }
    guard largest != 0 else { return }
    let parts = Self.parts(x)
    var best: Float = 0
    for step in -9...4 {
      let inverse = -(levels + Float(step) * 0.1) / largest
      var (product, square) = (Eight(), Eight())
      for i in parts.indices {
        let q = Self.smaller(Self.nearestWhole(parts[i] * inverse), levels - 1)
        let weighted = parts[i] * parts[i] * q
        (product, square) = (product + weighted * parts[i], square + weighted * q)
      }
      let (p, s) = (Self.sum(product), Self.sum(square))
      // What least squares take off the error of zeros.
      if s > 0, p * p > best * s { (best, scale) = (p * p / s, p / s) }
    }
  }

  // MARK: Eight numbers

  private static func parts(_ x: Span<Float>) -> [Eight] {
    stride(from: 0, to: x.count, by: 8).map { i in
      Eight(x[i], x[i + 1], x[i + 2], x[i + 3], x[i + 4], x[i + 5], x[i + 6], x[i + 7])
    }
  }

  /// Ties go to even; of numbers below 2^22. Beside 3 * 2^22 floats are whole.
  @inline(__always)
  private static func nearestWhole(_ x: Eight) -> Eight { (x + 12_582_912) - 12_582_912 }

  @inline(__always)
  private static func magnitude(_ x: Eight) -> Eight {
    unsafe unsafeBitCast(unsafe unsafeBitCast(x, to: SIMD8<UInt32>.self) & 0x7FFF_FFFF, to: Eight.self)
  }

  /// The smaller of whole numbers and another.
  @inline(__always)
  private static func smaller(_ x: Eight, _ limit: Float) -> Eight { (x + limit - magnitude(x - limit)) * 0.5 }

  @inline(__always)
  private static func sum(_ x: Eight) -> Float {
    let four = x.lowHalf + x.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }
}

extension Float {
  /// The nearest whole number in a range that ends before 2^22, ties to even.
  @inline(__always)
  func nearestWhole(_ least: Float, _ most: Float) -> Float {
    let inside = self < least ? least : self > most ? most : self
    return (inside + 12_582_912) - 12_582_912
  }
}
