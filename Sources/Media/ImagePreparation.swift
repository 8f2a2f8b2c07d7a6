/// TI2V's preparation of its first frame: scaled by Lanczos until it covers the clip's size, then centre-cropped
/// (the published `textimage2video.py`, `i2v`).
///
/// - Parameter multipleOf: the VAE's stride times the transformer's patch, by axis; 32 x 32 as published.
/// - Throws: `cannotPlace`.
public func prepareCropped(
  _ image: RGBImage, multipleOf: (width: Int, height: Int) = (32, 32), maximumArea: Int
) throws(MediaError) -> PlanarImage {
  let size = try ImagePlacement.bestOutputSize(
    imageWidth: image.width, imageHeight: image.height, multipleOf: multipleOf, maximumArea: maximumArea)
  return prepareCropped(image, width: size.width, height: size.height)
}

/// The same for a size that is decided, and near the image's shape: the covering image grows with the difference.
public func prepareCropped(_ image: RGBImage, width: Int, height: Int) -> PlanarImage {
  let scale = max(Double(width) / Double(image.width), Double(height) / Double(image.height))
  let covering = image.lanczosResized(
    width: Int((Double(image.width) * scale).rounded(.toNearestOrEven)),
    height: Int((Double(image.height) * scale).rounded(.toNearestOrEven)))
  return covering.centerCropped(width: width, height: height).planar()
}

/// I2V-A14B's preparation of its first frame: straight to the clip's size by bicubic interpolation, nothing cropped
/// (the published `image2video.py`).
///
/// - Throws: `cannotPlace`.
public func prepareStretched(
  _ image: RGBImage, maximumArea: Int, spatialStride: Int = 8, patch: Int = 2
) throws(MediaError) -> PlanarImage {
  let size = try ImagePlacement.areaSize(
    imageWidth: image.width, imageHeight: image.height, maximumArea: maximumArea, spatialStride: spatialStride,
    patch: patch)
  return image.planar().bicubicResized(width: size.width, height: size.height)
}
