import Files
import Foundation

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
