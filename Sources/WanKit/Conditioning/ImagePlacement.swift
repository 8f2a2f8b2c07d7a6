// How the published pipelines place an image in a clip: first its size, then its pixels.

import Media

/// The published rules that turn an image's shape and an area into a clip's size.
enum ImagePlacement {
  /// The size of a clip that starts with an image, by the rule of a model that takes images so.
  ///
  /// - Parameter multiple: of which both sides are multiples in TI2V; those of I2V-A14B go in steps of 16.
  /// - Throws: when no size of at most `maximumArea` pixels has the image's shape.
  static func size(
    of image: FrameSize, as kind: ConditioningKind, maximumArea: Int, multiple: Int
  ) throws(PlacementError) -> (width: Int, height: Int) {
    switch kind {
    case .channels:
      try areaSize(imageWidth: image.width, imageHeight: image.height, maximumArea: maximumArea)
    case .firstFrame, .none:
      try bestOutputSize(
        imageWidth: image.width, imageHeight: image.height, multipleOf: (multiple, multiple), maximumArea: maximumArea)
    }
  }

  /// TI2V: the size of at most `maximumArea` pixels whose sides are multiples of `multipleOf` and whose shape is
  /// nearest to the image's (`best_output_size` of the published `utils.py`).
  ///
  /// - Throws: when the image is too elongated, or the area too small, for any such size.
  static func bestOutputSize(
    imageWidth: Int, imageHeight: Int, multipleOf: (width: Int, height: Int), maximumArea: Int
  ) throws(PlacementError) -> (width: Int, height: Int) {
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
  /// - Throws: when a side would vanish.
  static func areaSize(
    imageWidth: Int, imageHeight: Int, maximumArea: Int, spatialStride: Int = 8, patch: Int = 2
  ) throws(PlacementError) -> (width: Int, height: Int) {
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
  ) -> PlacementError {
    PlacementError(
      description:
        "no size of at most \(area) pixels with sides in steps of \(step.width)x\(step.height) has the shape of "
        + "a \(width)x\(height) image: crop the image or allow a larger area")
  }
}

/// Why an image has no place in an area, as a sentence.
struct PlacementError: Error, CustomStringConvertible {
  let description: String
}

extension RGBImage {
  /// TI2V's first frame: scaled by Lanczos until it covers the clip's size, then centre-cropped (the published
  /// `textimage2video.py`, `i2v`).
  ///
  /// The size should be near the image's shape: the covering image grows with the difference.
  func croppedToCover(width: Int, height: Int) -> PlanarImage {
    let scale = max(Double(width) / Double(self.width), Double(height) / Double(self.height))
    let covering = lanczosResized(
      width: Int((Double(self.width) * scale).rounded(.toNearestOrEven)),
      height: Int((Double(self.height) * scale).rounded(.toNearestOrEven)))
    return covering.centerCropped(width: width, height: height).planar()
  }

  /// I2V-A14B's first frame: straight to the clip's size by bicubic interpolation, nothing cropped (the published
  /// `image2video.py`).
  func stretched(width: Int, height: Int) -> PlanarImage {
    planar().bicubicResized(width: width, height: height)
  }
}
