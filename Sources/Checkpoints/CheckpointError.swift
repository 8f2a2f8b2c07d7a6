import Files
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

  /// The longest name of a tensor, entry or member, in bytes.
  ///
  /// Names are compared and hashed by canonical equivalence, in time that is quadratic in a run of combining marks.
  static let longestName = 1024
  /// The most combining marks in a row that a name may have; Unicode's stream-safe text has as many (UAX 15).
  static let longestRunOfMarks = 30

  static let unfinished = "an unfinished download or copy, as it seems: let it finish, or download the file again"
  static let downloadAgain = "the file is damaged or incomplete: download or copy it again"
}

extension String {
  /// Whether the text takes disproportionate time to compare and hash; no name of a tensor is such a text.
  var isCostlyName: Bool {
    var run = 0
    for scalar in unicodeScalars {
      guard scalar.value >= 0x300, scalar.isMark else {
        run = 0
        continue
      }
      run += 1
      if run > CheckpointError.longestRunOfMarks { return true }
    }
    return false
  }
}

extension Unicode.Scalar {
  fileprivate var isMark: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: properties.canonicalCombiningClass != .notReordered
    }
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
