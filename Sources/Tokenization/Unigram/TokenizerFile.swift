import Files

/// Reads a tokenizer's file whole.
enum TokenizerFile {
  /// The bytes of a regular file; a pipe, a device or a folder of this name is refused, and never waited for.
  static func contents(_ path: String) throws(TokenizerError) -> [UInt8] {
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path: path)
    } catch {
      throw .unreadable(file: path, reason: error.reason)
    }
    try TokenizerError.checkSize(file.byteCount, file: path)
    return file.bytes(in: 0..<file.byteCount)
  }
}
