/// Frames of one size side by side, row after row, on black.
///
/// - Parameter columns: how many stand in a row; fewer frames make a narrower sheet.
public func contactSheet(frames: [RGBImage], columns: Int) -> RGBImage {
  precondition(!frames.isEmpty && columns > 0, "contactSheet: no frames or no columns")
  let (width, height) = (frames[0].width, frames[0].height)
  precondition(frames.allSatisfy { $0.width == width && $0.height == height }, "contactSheet: frames differ in size")
  let across = min(columns, frames.count)
  let down = (frames.count + across - 1) / across
  var pixels = [UInt8](repeating: 0, count: across * down * width * height * 3)
  for (i, frame) in frames.enumerated() {
    for y in 0..<height {
      let target = ((i / across * height + y) * across + i % across) * width * 3
      pixels.replaceSubrange(
        target..<target + width * 3, with: frame.pixels[y * width * 3..<(y + 1) * width * 3])
    }
  }
  return RGBImage(width: across * width, height: down * height, pixels: pixels)
}

/// Writes one still.
///
/// - Parameter path: must end in .png.
/// - Throws: as `ClipWriter`.
public func writePNG(path: String, image: RGBImage, ffmpeg: FFmpeg, metadata: String? = nil) async throws(MediaError) {
  guard try ClipFormat(path: path).container == .png else { throw .unknownFormat(path: path, known: [".png"]) }
  let settings = try ClipSettings(
    width: image.width, height: image.height, frameRate: 1, frameCount: 1, metadata: metadata)
  let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpeg)
  try await writer.write(image)
  try await writer.finish()
}
