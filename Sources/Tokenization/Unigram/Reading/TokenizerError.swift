public import Files

/// Why a tokenizer file cannot be used, and where.
public enum TokenizerError: Error, CustomStringConvertible, Sendable, Equatable {
  /// Neither tokenizer file is in the folder.
  case noFile(folder: String)
  /// The file is there but cannot be read.
  case unreadable(file: String, reason: String)
  /// The bytes are not what the format allows at `offset`.
  case malformed(file: String, offset: Int, reason: String)
  /// The file is well formed but asks for what a tokenizer of this kind does not have.
  case unsupported(file: String, key: String, found: String)
  /// The task was cancelled while a file was read or a text was cut.
  case cancelled
  /// A value contradicts another or is out of its range.
  case invalid(file: String, key: String, reason: String)

  public var description: String {
    switch self {
    case .noFile(let folder):
      "no tokenizer in \(folder): expected tokenizer.json or spiece.model; copy google/umt5-xxl from the checkpoint"
    case .unreadable(let file, let reason):
      "cannot read \(file): \(reason)"
    case .malformed(let file, let offset, let reason):
      "\(file) is damaged at byte \(offset): \(reason); fetch the file again"
    case .unsupported(let file, let key, let found):
      "\(file): \(key) is \(found), which is not supported; use the tokenizer of UMT5"
    case .invalid(let file, let key, let reason):
      "\(file): \(key): \(reason)"
    case .cancelled: "the task was cancelled"
    }
  }
}

extension TokenizerError {
  /// The largest file that is read: 64 MiB, four times UMT5's.
  static let largestFile = 1 << 26

  static func checkSize(_ byteCount: Int, file: String) throws(TokenizerError) {
    guard byteCount <= largestFile else {
      throw .invalid(file: file, key: "size", reason: "\(byteCount) bytes; a tokenizer has at most 64 MiB")
    }
  }
}

extension TokenizerError: ReadingFailure {
  /// The error of a tokenizer.json that is no JSON.
  public init(_ problem: ReadingProblem) {
    self = .malformed(file: problem.path, offset: problem.offset, reason: problem.reason)
  }
}

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
