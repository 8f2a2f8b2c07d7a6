import Foundation

/// Files that the tests read.
enum TestFiles {
  static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

  /// The golden data, or the folder of the same structure that `WAN_GOLDEN` names.
  static let golden =
    ProcessInfo.processInfo.environment["WAN_GOLDEN"].map { URL(fileURLWithPath: $0) }
    ?? tests.appendingPathComponent("Golden")

  static let nanoTokenizer =
    tests.deletingLastPathComponent().appendingPathComponent("Models/nano-ti2v/google/umt5-xxl").path

  static func goldenTokenizer(_ family: String) -> String {
    golden.appendingPathComponent(family + "/google/umt5-xxl").path
  }

  static func fixture(_ name: String) throws -> Data {
    try Data(contentsOf: tests.appendingPathComponent("TokenizationTests/Fixtures/" + name))
  }

  static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
}

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension Array where Element == UInt8 {
  /// A copy with a few random faults: flipped bits, other bytes, cut ends, moved, repeated and lost stretches.
  func damaged(using generator: inout SeededGenerator) -> [UInt8] {
    var bytes = self
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
      let at = Int.random(in: 0..<bytes.count, using: &generator)
      let end = Swift.min(bytes.count, at + Int.random(in: 1...24, using: &generator))
      let stretch = Array(bytes[at..<end])
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 1: bytes[at] = UInt8.random(in: 0...255, using: &generator)
      case 2: bytes[at] = Array("{}[]\",:\\u0-9eE. \0".utf8).randomElement(using: &generator) ?? 0
      case 3 where Bool.random(using: &generator): bytes.removeSubrange(at...)
      case 4: bytes.removeSubrange(at..<end)
      default: bytes.insert(contentsOf: stretch, at: Int.random(in: 0...bytes.count, using: &generator))
      }
    }
    return bytes
  }
}
