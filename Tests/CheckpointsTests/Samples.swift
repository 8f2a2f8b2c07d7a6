import Checkpoints
import Foundation
import Tensors
import TestSupport

/// Small files made by hand, and the places of recorded ones.
enum Samples {
  static let folder = Golden.fixturesFolder + "/checkpoints/"

  /// The bytes of a recorded file.
  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Golden.data(folder + name))
  }

  /// A safetensors file with the header given as JSON.
  static func safetensors(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    return (length ?? UInt64(text.count)).littleEndianBytes + text + data
  }

  /// Two tensors and a text.
  static let smallSafetensors = safetensors(
    #"{"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"#
      + #""b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}}   "#,
    data: (0..<32).map { UInt8($0) })
}

extension FixedWidthInteger {
  var littleEndianBytes: [UInt8] {
    (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> Self(8 * $0)) }
  }
}

extension Storage {
  convenience init(_ bytes: [UInt8]) {
    self.init(copying: bytes.span)
  }
}

extension SafetensorsFile {
  init(bytes: [UInt8]) throws(CheckpointError) {
    try self.init(Storage(bytes), location: "test.safetensors")
  }
}

extension TorchArchive {
  init(bytes: [UInt8]) throws(CheckpointError) {
    try self.init(Storage(bytes), location: "test.pth")
  }
}

/// A folder that is removed with its contents when `body` ends.
func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = try TemporaryFolder()
  return try withExtendedLifetime(folder) { try body(folder.path) }
}

func write(_ bytes: [UInt8], to path: String) throws {
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}

/// What the error says, or nothing when there is none.
func complaint(_ body: () throws -> Void) -> String {
  do {
    try body()
    return ""
  } catch {
    return "\(error)"
  }
}
