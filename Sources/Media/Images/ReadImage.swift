import Files
import Foundation

/// The most pixels that `readImage` decodes unless told otherwise, half a GiB as RGB: where Pillow takes an image for a
/// decompression bomb and refuses it.
public let defaultPixelLimit = 178_956_970

/// The largest file that is read as a picture, in bytes.
private let fileLimit = 1 << 30

/// The first picture of a PNG, JPEG, WebP, HEIC, AVIF, TIFF, GIF, BMP, QOI or Netpbm file, upright (orientation,
/// mirrors and crops applied), as 8-bit RGB.
///
/// Colours come out as Pillow's `convert("RGB")` gives them: alpha dropped, palettes and grey expanded, 16-bit channels
/// reduced to their high byte. Nothing is decoded before the size is known to be at most `pixelLimit`, and ffmpeg runs
/// with as much memory and time as that size needs.
///
/// - Throws: `cannotRead`, which names a format that is not read and says what to do; `imageTooLarge`, `ffmpegFailed`
///   when ffmpeg cannot be started, `cancelled`.
public func readImage(
  path: String, ffmpeg: FFmpeg, pixelLimit: Int = defaultPixelLimit
) async throws(MediaError) -> RGBImage {
  try await readImage(bytes: try contents(of: path), name: path, ffmpeg: ffmpeg, pixelLimit: pixelLimit)
}

/// The picture of a file whose bytes are at hand, as `readImage(path:ffmpeg:pixelLimit:)` reads it.
///
/// - Parameter name: what errors call it.
public func readImage(
  bytes: [UInt8], name: String, ffmpeg: FFmpeg, pixelLimit: Int = defaultPixelLimit
) async throws(MediaError) -> RGBImage {
  guard !bytes.isEmpty else { throw .cannotRead(path: name, reason: "it is empty") }
  let picture: CodedPicture
  do {
    picture = try CodedPicture(of: bytes)
  } catch {
    throw .cannotRead(path: name, reason: error.reason)
  }
  let (width, height) = picture.largest
  guard width <= pixelLimit / height else {
    throw .imageTooLarge(path: name, width: width, height: height, limit: pixelLimit)
  }
  let request = DecodeRequest(picture: picture)
  let copy = try TemporaryPicture(picture.stream, name: name)
  defer { copy.remove() }
  let result = try await ffmpeg.collect(
    request.arguments, limit: request.outputLimit, subject: name,
    input: BoundedInput(path: copy.path, bounds: request.bounds))
  // The shell that starts ffmpeg ends so when it cannot.
  if result.status.hasSuffix("(126)") || result.status.hasSuffix("(127)") {
    throw .ffmpegFailed(path: name, status: "could not run \(ffmpeg.path)", log: result.log.lines)
  }
  guard result.succeeded, let image = request.image(result.output) else {
    throw .cannotRead(path: name, reason: result.reason(bounds: request.bounds))
  }
  return image
}

private func contents(of path: String) throws(MediaError) -> [UInt8] {
  try checkReadable(path)
  guard let handle = FileHandle(forReadingAtPath: path) else {
    throw .cannotRead(path: path, reason: "it cannot be opened; check its permissions")
  }
  defer { try? handle.close() }
  do {
    return Array(try handle.read(upToCount: fileLimit) ?? Data())
  } catch {
    throw .cannotRead(path: path, reason: "reading fails: \(error.localizedDescription)")
  }
}

private func checkReadable(_ path: String) throws(MediaError) {
  do {
    // The attributes of the file itself, not of a link to it.
    let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let attributes = try FileManager.default.attributesOfItem(atPath: resolved)
    let type = attributes[.type] as? FileAttributeType
    guard type != .typeDirectory else { throw MediaError.cannotRead(path: path, reason: "it is a folder") }
    guard type == .typeRegular else { throw MediaError.cannotRead(path: path, reason: "it is not a regular file") }
    let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
    guard size != 0 else { throw MediaError.cannotRead(path: path, reason: "it is empty") }
    guard size < fileLimit else {
      throw MediaError.cannotRead(
        path: path, reason: "it has \(size) bytes, more than \(fileLimit): scale it down first")
    }
  } catch let error as MediaError {
    throw error
  } catch {
    throw .cannotRead(path: path, reason: "there is no such file, or its folder may not be entered")
  }
}

/// What ffmpeg is to decode, in a file that only this user can read and that is gone as soon as ffmpeg has it open:
/// ffmpeg sees nothing of the original, not even its name, and what was checked is what is decoded.
struct TemporaryPicture {
  let path: String
  private let folder: URL

  /// - Parameter name: what errors call the picture.
  init(_ stream: [UInt8], name: String) throws(MediaError) {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("wan-picture-\(UUID().uuidString)")
    path = folder.appendingPathComponent("stream").path
    Leftovers.add(folder.path)
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
      try Data(stream).write(to: folder.appendingPathComponent("stream"), options: .withoutOverwriting)
    } catch {
      remove()
      throw .cannotRead(
        path: name, reason: "its copy for ffmpeg cannot be written to \(folder.path): \(error.localizedDescription)")
    }
  }

  func remove() {
    try? FileManager.default.removeItem(at: folder)
    Leftovers.forget(folder.path)
  }
}
