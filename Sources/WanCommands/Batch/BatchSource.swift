import Checkpoints
import Files
import Foundation
import Media
import WanKit

/// Where the requests of many clips come from.
enum BatchSource: Sendable {
  /// A file of prompts, or of JSON objects.
  case file(String)
  /// A folder, a clip for each picture in it.
  case pictures(String)

  /// The requests in their order; all lines are looked at.
  ///
  /// - Parameter hasPrompt: whether a line may do without a prompt of its own.
  /// - Throws: ``BatchProblems`` with each line that is wrong; `CommandError`; `MediaError`.
  func entries(hasPrompt: Bool) throws -> [BatchEntry] {
    switch self {
    case .pictures(let folder):
      return try PictureFolder.pictures(in: folder).map { path in
        let name = Paths.parts(of: Paths.name(of: path)).stem
        return BatchEntry(place: path, content: .picture(path), name: name)
      }
    case .file(let path): return try PromptFile(path).entries(hasPrompt: hasPrompt)
    }
  }
}

/// A clip of many, as it was asked for.
struct BatchEntry: Sendable {
  enum Content: Sendable {
    case prompt(String)
    case picture(String)
    case line(RequestLine)
  }

  /// Where it was asked for: `prompts.txt:3`, or the picture.
  let place: String
  let content: Content
  /// The clip's name, where it has one of its own.
  let name: String?

  /// Whether its request has pictures that other clips do not have.
  var holdsPictures: Bool {
    switch content {
    case .prompt: false
    case .picture: true
    case .line(let line): line.holdsPictures
    }
  }

  /// The files that making its request reads.
  var files: [String] {
    switch content {
    case .prompt: []
    case .picture(let path): [path]
    case .line(let line): Array(line.files.values)
    }
  }
}

/// A file with a request on each line.
struct PromptFile {
  private let path: String
  private let lines: [(number: Int, text: String)]
  private let isJSON: Bool

  /// Larger files hold something else.
  private static let largest = 1 << 30
  private static let mostLines = 100_000

  /// - Throws: `CommandError` for a file that cannot be read or holds no requests.
  init(_ path: String) throws {
    self.path = path
    func failure(_ reason: String) -> CommandError { CommandError("--prompts \(path): \(reason)") }
    let bytes: [UInt8]
    do throws(FileError) {
      let file = try MappedFile(path: path)
      guard file.byteCount <= Self.largest else {
        throw FileError(path: path, operation: "read", reason: "it is too large")
      }
      bytes = Array(file.bytes(in: 0..<file.byteCount))
    } catch {
      throw failure("cannot \(error.operation) it: \(error.reason)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw failure("holds bytes that are not UTF-8; save it as UTF-8")
    }
    let all = text.drop { $0 == "\u{FEFF}" }.split(omittingEmptySubsequences: false) { $0.isNewline }
    lines = all.enumerated().map { ($0.offset + 1, $0.element.trimmingCharacters(in: .whitespaces)) }
      .filter { !$0.1.isEmpty && !$0.1.hasPrefix("#") }
    guard let first = lines.first else { throw failure("holds no prompts; write one on each line") }
    guard lines.count <= Self.mostLines else { throw failure("holds more than \(Self.mostLines) lines") }
    let ending = Paths.parts(of: Paths.name(of: path)).ending.lowercased()
    isJSON = [".jsonl", ".ndjson", ".json"].contains(ending) || first.text.hasPrefix("{")
    guard !isJSON || !first.text.hasPrefix("[") else {
      throw failure(
        "is a list; write each request on a line of its own, without brackets around them and commas between")
    }
  }

  func entries(hasPrompt: Bool) throws(BatchProblems) -> [BatchEntry] {
    var (entries, problems) = ([BatchEntry](), BatchProblems())
    for (number, text) in lines {
      let place = "\(path):\(number)"
      guard isJSON else {
        entries.append(BatchEntry(place: place, content: .prompt(text), name: nil))
        continue
      }
      do {
        let line = try RequestLine(text, in: Paths.folder(of: path))
        guard hasPrompt || line.hasPrompt else { throw CommandError("has no \"prompt\", and no --prompt is given") }
        entries.append(BatchEntry(place: place, content: .line(line), name: line.output))
      } catch {
        problems.add("\(error)", at: place)
      }
    }
    guard problems.isEmpty else { throw problems }
    return entries
  }
}

/// All that is wrong with what was asked for, told at once.
struct BatchProblems: Error, CustomStringConvertible {
  /// The first place of each problem, and how many others have the same.
  private var problems: [(text: String, place: String, others: Int)] = []

  var isEmpty: Bool { problems.isEmpty }

  mutating func add(_ text: String, at place: String) {
    if let index = problems.firstIndex(where: { $0.text == text }) {
      problems[index].others += 1
    } else {
      problems.append((text, place, 0))
    }
  }

  var description: String {
    problems.map { problem in
      let others = problem.others == 0 ? "" : " (and \(problem.others) more with the same)"
      return "\(problem.place): \(problem.text)\(others)"
    }.joined(separator: "\n")
  }
}
