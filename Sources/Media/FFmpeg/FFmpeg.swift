import Foundation

/// A located `ffmpeg` executable. It is run directly, never through a shell.
public struct FFmpeg: Sendable, Equatable {
  /// The absolute path of the executable.
  public let path: String

  /// Finds the command in the folders of a `PATH`-like list separated by colons; empty and relative entries are
  /// skipped. A `name` with a slash is taken as a path.
  ///
  /// - Parameter searchPath: usually the environment's `PATH`; the caller reads it.
  /// - Throws: `ffmpegMissing`, which says what to install.
  public static func locate(_ name: String = "ffmpeg", searchPath: String?) throws(MediaError) -> FFmpeg {
    if name.contains("/") {
      let absolute = URL(fileURLWithPath: name).path
      guard isExecutable(absolute) else { throw .ffmpegMissing(name: name, searched: [name]) }
      return FFmpeg(path: absolute)
    }
    let folders = (searchPath ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
    for folder in folders where isExecutable(folder + "/" + name) {
      return FFmpeg(path: folder + "/" + name)
    }
    throw .ffmpegMissing(name: name, searched: folders)
  }

  private static func isExecutable(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
      && FileManager.default.isExecutableFile(atPath: path)
  }
}
