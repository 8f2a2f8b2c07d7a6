public import ArgumentParser
import Files
import Foundation
import Media
public import Sampling
public import Tensors
public import WanKit
import WanModels

/// A width and a height, written 832x480 or 832*480.
struct SizeArgument: ExpressibleByArgument, CustomStringConvertible {
  let width, height: Int

  init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

  init?(argument: String) {
    let parts = argument.split(omittingEmptySubsequences: false) { "xX*".contains($0) }.map { Int($0) }
    guard parts.count == 2, let width = parts[0], let height = parts[1] else { return nil }
    (self.width, self.height) = (width, height)
  }

  var description: String { "\(width)x\(height)" }
}

/// One guidance scale for all experts, or LOW,HIGH.
struct GuidanceArgument: ExpressibleByArgument {
  let scales: GuidanceScales

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
    switch parts.count {
    case 1: guard let both = parts[0] else { return nil }; scales = GuidanceScales(both)
    case 2:
      guard let low = parts[0], let high = parts[1] else { return nil }
      scales = GuidanceScales(low: low, high: high)
    default: return nil
    }
  }
}

/// A number of steps, or those of the high-noise expert and those of the low-noise one: 4, or 2+2.
struct StepsArgument: ExpressibleByArgument {
  let count: Int
  /// Those of the high-noise expert, where they are told apart.
  let high: Int?

  init?(argument: String) {
    let parts = argument.split(separator: "+", omittingEmptySubsequences: false).map { Int($0) }
    guard let first = parts[0], parts.count <= 2 else { return nil }
    guard parts.count == 2 else {
      (count, high) = (first, nil)
      return
    }
    guard let second = parts[1], first >= 0, second >= 0 else { return nil }
    let (sum, isTooMuch) = first.addingReportingOverflow(second)
    guard !isTooMuch else { return nil }
    (count, high) = (sum, first)
  }
}

/// Numbers between commas: timesteps as 1000,750,500,250, or noise levels.
struct NumbersArgument: ExpressibleByArgument {
  let values: [Float]

  /// Without the level at which a run ends, which other programs list too.
  var valuesBeforeZero: [Float] { values.count > 1 && values.last == 0 ? Array(values.dropLast()) : values }

  init?(argument: String) {
    let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
    values = numbers.compactMap { $0 }
    guard values.count == numbers.count else { return nil }
  }
}

/// Steps counted from 1: the first so many, as 10, or FROM-TO, as 3-10.
struct StepRangeArgument: ExpressibleByArgument {
  let steps: ClosedRange<Int>

  init?(argument: String) {
    let parts = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count <= 2, let first = parts[0], let last = parts[parts.count - 1] else { return nil }
    let from = parts.count == 1 ? 1 : first
    guard from >= 1, from <= last else { return nil }
    steps = from...last
  }
}

/// A LoRA's file, perhaps its strength, perhaps its expert: `style.safetensors=0.8:high`.
struct LoRAArgument: ExpressibleByArgument {
  let request: AdapterRequest

  init?(argument: String) {
    guard !argument.isEmpty else { return nil }
    var path = argument
    var expert: Expert?
    var strength: Float = 1
    // A file may have any of these signs in its name.
    for (ending, named) in [(":high", Expert.high), (":low", .low)] where path.hasSuffix(ending) && !Self.exists(path) {
      path.removeLast(ending.count)
      expert = named
    }
    if !Self.exists(path), let sign = path.lastIndex(of: "="), sign != path.startIndex {
      guard let number = Float(path[path.index(after: sign)...]), number.isFinite else { return nil }
      strength = number
      path = String(path[..<sign])
    }
    guard let path = try? PathArgument.path(path) else { return nil }
    request = AdapterRequest(path: path, strength: strength, expert: expert)
  }

  private static func exists(_ path: String) -> Bool { FileStatus(path: path) != nil }
}

/// How many steps do without the transformer: off, balanced, fast, or the threshold.
struct CacheArgument: ExpressibleByArgument, CustomStringConvertible {
  /// `nil` where every step runs it.
  let caching: StepCaching?

  static let off = CacheArgument(caching: nil)

  private init(caching: StepCaching?) { self.caching = caching }

  init?(argument: String) {
    guard argument != "off" else {
      self = .off
      return
    }
    guard let caching = StepCaching(name: argument) else { return nil }
    self.init(caching: caching)
  }

  var description: String { caching?.name ?? "off" }
}

/// A seed, or -1 for a new one each time, as other programs have it.
struct SeedArgument: ExpressibleByArgument {
  /// `nil` for a new one.
  let value: UInt64?

  init?(argument: String) {
    if argument == "-1" {
      value = nil
    } else {
      guard let number = UInt64(argument) else { return nil }
      value = number
    }
  }
}

/// Frames per second: 24, 29.97 or 24000/1001.
struct FrameRateArgument: ExpressibleByArgument {
  let rate: FrameRate

  init?(argument: String) {
    guard let rate = FrameRate(parsing: argument) else { return nil }
    self.rate = rate
  }
}

/// What a clip on standard output is written as.
enum StreamFormat: String, ExpressibleByArgument, CaseIterable {
  case y4m, mp4
}

/// Latent frames, rows and columns, written 5x16x16.
struct LatentArgument: ExpressibleByArgument, CustomStringConvertible {
  let frames, height, width: Int

  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 3, let frames = parts[0], let height = parts[1], let width = parts[2],
      (1...1024).contains(frames), (2...2048).contains(height), (2...2048).contains(width)
    else { return nil }
    (self.frames, self.height, self.width) = (frames, height, width)
  }

  init(frames: Int, height: Int, width: Int) {
    (self.frames, self.height, self.width) = (frames, height, width)
  }

  var description: String { "\(frames)x\(height)x\(width)" }
}

/// How frames are cut for decoding: auto, off, or rows x columns as 2x3.
enum TilesArgument: ExpressibleByArgument, CustomStringConvertible {
  case auto
  case fixed(VAETiling)

  init?(argument: String) {
    switch argument {
    case "auto": self = .auto
    case "off": self = .fixed(.whole)
    default:
      let parts = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let rows = parts[0], let columns = parts[1], (1...1024).contains(rows),
        (1...1024).contains(columns)
      else { return nil }
      self = .fixed(VAETiling(rows: rows, columns: columns))
    }
  }

  /// What was asked for; `nil` leaves the choice to the plan.
  var tiling: VAETiling? {
    switch self {
    case .auto: nil
    case .fixed(let tiling): tiling
    }
  }

  var description: String {
    switch self {
    case .auto: "auto"
    case .fixed(let tiling): tiling == .whole ? "off" : tiling.description
    }
  }
}

/// Whose random numbers a seed stands for.
enum RandomGenerator: String, ExpressibleByArgument, CaseIterable {
  case cuda, cpu
}

extension Precision: ExpressibleByArgument {}
extension SolverKind: ExpressibleByArgument {}
extension Profile: ExpressibleByArgument {}
extension StorageFormat: ExpressibleByArgument {}
extension StorageLayout: ExpressibleByArgument {}

/// A path as it stands on the command line, with `~` expanded in every option alike: shells leave it in `--output=~/a`.
struct PathArgument: Sendable {
  /// Absolute, or relative to the working folder; never begins with `~`.
  let path: String

  /// - Throws: `ValidationError` for an empty path and for bytes that are not UTF-8, which would name another file.
  init(_ argument: String) throws {
    guard !argument.isEmpty else { throw ValidationError("it is empty") }
    guard !argument.unicodeScalars.contains("\u{FFFD}") else {
      throw ValidationError("the name holds bytes that are not UTF-8: rename the file")
    }
    let expanded = Paths.expandingHome(argument, home: ProcessInfo.processInfo.environment["HOME"])
    // A file whose own name begins so must not be expanded further below.
    path = expanded.utf8.first == UInt8(ascii: "~") ? "./" + expanded : expanded
  }

  /// For `transform:` of an option.
  static func path(_ argument: String) throws -> String { try PathArgument(argument).path }
}
