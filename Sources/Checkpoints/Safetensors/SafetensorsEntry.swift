import Files
import Tensors

/// One tensor of a safetensors header.
struct SafetensorsEntry: Sendable {
  static let maximumRank = 32

  let name: String
  let format: ElementFormat
  let shape: Shape
  /// Bytes of the file.
  private(set) var range: Range<Int>

  /// `{"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}`
  init(name: String, parsing json: inout JSONReader<CheckpointError>) throws(CheckpointError) {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    let start = json
    try json.object { (json: inout JSONReader<CheckpointError>, key: String) throws(CheckpointError) in
      switch key {
      case "dtype" where type == nil: type = try json.string(limit: ElementFormat.longestName)
      case "shape" where shape == nil: shape = try json.integers(limit: Self.maximumRank)
      case "data_offsets" where offsets == nil: offsets = try json.integers(limit: 2)
      case "dtype", "shape", "data_offsets": throw json.failure("'\(key)' of the tensor '\(name)' occurs twice")
      default: try json.skip()
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2 else {
      throw start.failure("the tensor '\(name)' needs a dtype, a shape and two data_offsets")
    }
    guard offsets[0] <= offsets[1] else {
      throw start.failure("the data_offsets of the tensor '\(name)' run backwards: \(offsets)")
    }
    self.name = name
    format = ElementFormat(safetensors: type)
    self.shape = Shape(shape)
    range = offsets[0]..<offsets[1]
  }

  /// Moves the range behind the header, and checks that it lies in the file and holds the shape's elements.
  mutating func place(in data: CheckpointCursor) throws(CheckpointError) {
    guard range.upperBound <= data.remaining else {
      throw failure(
        "its bytes end at \(range.upperBound) of \(data.remaining)", path: data.path)
    }
    range = range.lowerBound + data.position..<range.upperBound + data.position
    if format.block != nil, format.byteCount(shape) != range.count {
      throw failure("its shape \(shape) of \(format.name) does not fill its \(range.count) bytes", path: data.path)
    }
  }

  func failure(_ problem: String, path: String) -> CheckpointError {
    CheckpointError(path: path, at: .key(name), problem, advice: CheckpointError.downloadAgain)
  }
}

extension ElementFormat {
  /// Longer names than any format has: formats are compared by name.
  static let longestName = 64

  /// The format that a safetensors header names; some are known to the file format but not to the engine.
  init(safetensors name: String) {
    if let dtype = DType(rawValue: name) {
      self.init(dtype)
      return
    }
    let block: Block? =
      switch name {
      case "F4": Block(elements: 2, bytes: 1)
      case "F6_E2M3", "F6_E3M2": Block(elements: 4, bytes: 3)
      case "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ": Block(elements: 1, bytes: 1)
      case "U16": Block(elements: 1, bytes: 2)
      case "U32", "C32": Block(elements: 1, bytes: 4)
      case "U64", "C64": Block(elements: 1, bytes: 8)
      case "C128": Block(elements: 1, bytes: 16)
      default: nil
      }
    self.init(name: name, block: block)
  }
}
