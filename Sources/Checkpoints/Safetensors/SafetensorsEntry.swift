import Tensors

/// One tensor of a safetensors header.
struct SafetensorsEntry: Sendable {
  static let maximumRank = 32

  let name: String
  let type: StoredType
  let shape: Shape
  /// Bytes of the file.
  private(set) var range: Range<Int>

  /// `{"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}`
  init(name: String, parsing json: inout JSONCursor) throws(CheckpointError) {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    let start = json
    try json.object { (json: inout JSONCursor, key: String) throws(CheckpointError) in
      switch key {
      case "dtype" where type == nil: type = try json.string(limit: StoredType.longestName)
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
    self.type = StoredType(name: type)
    self.shape = Shape(shape)
    range = offsets[0]..<offsets[1]
  }

  /// Moves the range behind the header, and checks that it lies in the file and holds the shape's elements.
  mutating func place(in data: ByteCursor) throws(CheckpointError) {
    guard range.upperBound <= data.remaining else {
      throw failure(
        "its bytes end at \(range.upperBound) of \(data.remaining)", path: data.path)
    }
    range = range.lowerBound + data.position..<range.upperBound + data.position
    if let bits = type.bitCount {
      guard let count = shape.checkedCount, let total = count.checkedProduct(bits), (total + 7) / 8 == range.count
      else {
        throw failure("its shape \(shape) of \(type.name) does not fill its \(range.count) bytes", path: data.path)
      }
    }
  }

  func failure(_ problem: String, path: String) -> CheckpointError {
    CheckpointError(path: path, at: .key(name), problem, advice: CheckpointError.downloadAgain)
  }
}

extension Shape {
  /// Elements in a tensor of this shape; `nil` when a product of its extents other than zero is too large.
  var checkedCount: Int? {
    var count = 1
    for extent in dimensions where extent != 0 {
      guard let product = count.checkedProduct(extent) else { return nil }
      count = product
    }
    return dimensions.contains(0) ? 0 : count
  }
}

extension Int {
  func checkedProduct(_ other: Int) -> Int? {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow || product > .max / 16 ? nil : product
  }
}
