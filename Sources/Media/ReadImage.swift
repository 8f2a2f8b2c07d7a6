import Foundation

/// The most pixels that `readImage` decodes unless told otherwise, half a GiB as RGB: where Pillow takes an image for a
/// decompression bomb and refuses it.
public let defaultPixelLimit = 178_956_970

/// The first picture of a file in any format that ffmpeg decodes, upright (EXIF orientation applied), as 8-bit RGB.
///
/// Colours come out as Pillow's `convert("RGB")` gives them: alpha dropped, palettes and grey expanded, 16-bit channels
/// reduced to their high byte. Nothing is decoded before the size is known to be at most `pixelLimit`.
///
/// - Throws: `cannotRead`, `imageTooLarge`, `ffmpegFailed` when ffmpeg cannot be started, `cancelled`.
public func readImage(
  path: String, ffmpeg: FFmpeg, pixelLimit: Int = defaultPixelLimit
) async throws(MediaError) -> RGBImage {
  try checkReadable(path)
  guard var source = FileSource(path: path) else {
    throw .cannotRead(path: path, reason: "it cannot be opened; check its permissions")
  }
  let header = ImageHeader(parsing: &source)
  if let width = header?.width, let height = header?.height {
    guard width > 0, height > 0 else { throw .cannotRead(path: path, reason: "its header says \(width)x\(height)") }
    guard width <= pixelLimit / height else {
      throw .imageTooLarge(path: path, width: width, height: height, limit: pixelLimit)
    }
  }
  let request = DecodeRequest(path: path, header: header, pixelLimit: pixelLimit)
  let result = try await ffmpeg.collect(request.arguments, limit: request.outputLimit, subject: path)
  guard let image = request.image(result.output), result.succeeded else {
    throw .cannotRead(path: path, reason: request.reason(result))
  }
  return image.oriented(header?.orientation ?? .upright)
}

private func checkReadable(_ path: String) throws(MediaError) {
  do {
    // The attributes of the file itself, not of a link to it.
    let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let attributes = try FileManager.default.attributesOfItem(atPath: resolved)
    let type = attributes[.type] as? FileAttributeType
    guard type != .typeDirectory else { throw MediaError.cannotRead(path: path, reason: "it is a folder") }
    guard type == .typeRegular else { throw MediaError.cannotRead(path: path, reason: "it is not a regular file") }
    guard (attributes[.size] as? NSNumber)?.intValue != 0 else {
      throw MediaError.cannotRead(path: path, reason: "it is empty")
    }
  } catch let error as MediaError {
    throw error
  } catch {
    throw .cannotRead(path: path, reason: "there is no such file, or its folder may not be entered")
  }
}
