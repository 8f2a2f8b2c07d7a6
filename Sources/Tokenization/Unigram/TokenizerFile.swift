import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Reads a tokenizer's file whole.
enum TokenizerFile {
  /// The bytes of a regular file; a pipe, a device or a folder of this name is refused, and never waited for.
  static func contents(_ path: String) throws(TokenizerError) -> [UInt8] {
    var status = stat()
    // Looked at before opening too: to open a device may do something.
    try require(unsafe stat(path, &status), path)
    try check(status, path)
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    try require(descriptor, path)
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try require(unsafe fstat(descriptor, &status), path)
    try check(status, path)
    let data: Data?
    do { data = try file.read(upToCount: TokenizerError.largestFile + 1) } catch {
      throw .unreadable(file: path, reason: error.localizedDescription)
    }
    return [UInt8](data ?? Data())
  }

  private static func require(_ result: Int32, _ path: String) throws(TokenizerError) {
    guard result < 0 else { return }
    throw .unreadable(file: path, reason: POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO).localizedDescription)
  }

  private static func check(_ status: stat, _ path: String) throws(TokenizerError) {
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(file: path, reason: "it is not a regular file")
    }
    try TokenizerError.checkSize(Int(status.st_size), file: path)
  }
}
