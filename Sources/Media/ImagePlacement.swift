/// The published rules that turn an image's shape and an area into a clip's size.
public enum ImagePlacement {
  /// TI2V: the size of at most `maximumArea` pixels whose sides are multiples of `multipleOf` and whose shape is
  /// nearest to the image's (`best_output_size` of the published `utils.py`).
  ///
  /// - Throws: `cannotPlace` when the image is too elongated, or the area too small, for any such size.
  public static func bestOutputSize(
    imageWidth: Int, imageHeight: Int, multipleOf: (width: Int, height: Int), maximumArea: Int
  ) throws(MediaError) -> (width: Int, height: Int) {
    let ratio = Double(imageWidth) / Double(imageHeight)
    let area = Double(maximumArea)
    let idealWidth = (area * ratio).squareRoot()
    let idealHeight = area / idealWidth
    let firstWidth = lowerMultiple(idealWidth, multipleOf.width)
    let secondHeight = lowerMultiple(idealHeight, multipleOf.height)
    guard firstWidth > 0, secondHeight > 0 else {
      throw unplaceable(imageWidth, imageHeight, maximumArea, multipleOf)
    }
    let widthFirst = (width: firstWidth, height: lowerMultiple(area / Double(firstWidth), multipleOf.height))
    let heightFirst = (width: lowerMultiple(area / Double(secondHeight), multipleOf.width), height: secondHeight)
    return distortion(ratio, widthFirst) < distortion(ratio, heightFirst) ? widthFirst : heightFirst
  }

  /// I2V-A14B: about `maximumArea` pixels in the image's shape, each side rounded down to a multiple of
  /// `spatialStride * patch`.
  ///
  /// - Throws: `cannotPlace` when a side would vanish.
  public static func areaSize(
    imageWidth: Int, imageHeight: Int, maximumArea: Int, spatialStride: Int = 8, patch: Int = 2
  ) throws(MediaError) -> (width: Int, height: Int) {
    let ratio = Double(imageHeight) / Double(imageWidth)
    let area = Double(maximumArea)
    func side(_ length: Double) -> Int {
      Int(floorDivide(floorDivide(length, Double(spatialStride)), Double(patch))) * patch * spatialStride
    }
    let size = (width: side((area / ratio).squareRoot()), height: side((area * ratio).squareRoot()))
    guard size.width > 0, size.height > 0 else {
      throw unplaceable(imageWidth, imageHeight, maximumArea, (spatialStride * patch, spatialStride * patch))
    }
    return size
  }

  private static func lowerMultiple(_ length: Double, _ step: Int) -> Int {
    Int(floorDivide(length, Double(step))) * step
  }

  /// Python's `//` on floats: exact where `(a / b).rounded(.down)` could round up first.
  private static func floorDivide(_ a: Double, _ b: Double) -> Double {
    ((a - a.truncatingRemainder(dividingBy: b)) / b).rounded()
  }

  private static func distortion(_ ratio: Double, _ size: (width: Int, height: Int)) -> Double {
    let other = Double(size.width) / Double(size.height)
    return max(ratio / other, other / ratio)
  }

  private static func unplaceable(
    _ width: Int, _ height: Int, _ area: Int, _ step: (width: Int, height: Int)
  ) -> MediaError {
    .cannotPlace(
      reason: "no size of at most \(area) pixels with sides in steps of \(step.width)x\(step.height) has the shape of "
        + "a \(width)x\(height) image: crop the image or allow a larger area")
  }
}
