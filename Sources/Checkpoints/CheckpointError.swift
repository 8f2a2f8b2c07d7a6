public import Files
import Tensors

/// Why a checkpoint cannot be opened or written: which file, where in it, what is wrong, and what to do.
public struct CheckpointError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Where in the file.
  public enum Place: Sendable, Hashable {
    /// The file as a whole: opening, mapping or writing it.
    case file
    /// Bytes from the file's start.
    case byte(Int)
    /// A tensor's or a JSON member's name.
    case key(String)
    /// An instruction of a pickle, by its name in the format's own documentation, at a byte of the file.
    case opcode(String, at: Int)
  }

  /// Of the file, or of the folder that was to be read.
  public let path: String
  /// ``Place/file`` unless the reader was further.
  public let place: Place
  /// What is wrong, without the path.
  public let problem: String
  /// What to do about it, where there is something.
  public let advice: String?

  /// A problem of one file; ``description`` puts the parts together.
  public init(path: String, at place: Place = .file, _ problem: String, advice: String? = nil) {
    self.path = path
    self.place = place
    self.problem = problem
    self.advice = advice
  }

  init(_ error: FileError) {
    self.init(path: error.path, "cannot \(error.operation): \(error.reason)")
  }

  public var description: String {
    let position =
      switch place {
      case .file: ""
      case .byte(let offset): " byte \(offset):"
      case .key(let key): " '\(key)':"
      case .opcode(let name, let offset): " byte \(offset), pickle \(name):"
      }
    return "\(path):\(position) \(problem)" + (advice.map { "; \($0)" } ?? "")
  }

  static let unfinished = "an unfinished download or copy, as it seems: let it finish, or download the file again"
  static let downloadAgain = "the file is damaged or incomplete: download or copy it again"
}

/// A walk over the bytes of a checkpoint.
typealias CheckpointCursor = ByteCursor<Storage, CheckpointError>

extension CheckpointCursor {
  /// The error of a problem with advice of its own.
  func failure(_ problem: String, at offset: Int? = nil, advice: String) -> CheckpointError {
    CheckpointError(path: path, at: .byte(offset ?? position), problem, advice: advice)
  }
}

extension Storage: RandomAccessBytes {}

extension CheckpointError: ReadingFailure {
  /// Checkpoints are written by programs: what is wrong in one is damage.
  public init(_ problem: ReadingProblem) {
    self.init(path: problem.path, at: .byte(problem.offset), problem.reason, advice: Self.downloadAgain)
  }
}

extension Sequence<String> {
  /// The first few, quoted, for an error message.
  func quotedList(limit: Int = 8) -> String {
    let names = Array(self)
    return names.prefix(limit).map { "'\($0)'" }.joined(separator: ", ")
      + (names.count > limit ? " and \(names.count - limit) more" : "")
  }
}
