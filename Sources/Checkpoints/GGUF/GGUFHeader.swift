import Files
import Tensors

/// The front of a GGUF file: free values by key, then name, shape, type and place of each tensor.
///
/// Little-endian; after https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3. Version 2 is the same.
struct GGUFHeader: Sendable {
  /// In the file's order.
  private(set) var entries: [GGUFEntry] = []
  /// Position in `entries`, by name.
  private(set) var positions: [String: Int] = [:]
  /// The free values; those of arrays are places in the file.
  private(set) var values: [String: GGUFValue] = [:]

  init(parsing bytes: inout CheckpointCursor) throws(CheckpointError) {
    try bytes.skip(4)
    let version = try bytes.integer(UInt32.self)
    guard version == 2 || version == 3 else {
      throw bytes.failure(
        "this is version \(version) of GGUF, versions 2 and 3 are read", at: 4,
        advice: version > 0xFFFF ? "it is big-endian: take one for this kind of machine" : "convert it again")
    }
    let tensors = try Self.number(&bytes, of: "tensors", atLeast: 24)
    let pairs = try Self.number(&bytes, of: "values", atLeast: 13)
    for _ in 0..<pairs {
      let place = bytes.position
      let key = try Self.name(&bytes)
      guard values.updateValue(try GGUFValue(parsing: &bytes), forKey: key) == nil else {
        throw bytes.failure("the key '\(key)' occurs twice", at: place)
      }
    }
    for _ in 0..<tensors {
      let place = bytes.position
      let entry = try GGUFEntry(name: try Self.name(&bytes), parsing: &bytes)
      guard positions.updateValue(entries.count, forKey: entry.name) == nil else {
        throw bytes.failure("the tensor '\(entry.name)' occurs twice", at: place)
      }
      entries.append(entry)
    }
    try place(in: &bytes)
  }

  /// How many of something follow, each of so many bytes at least: a count that cannot be is no reason to reserve memory.
  private static func number(
    _ bytes: inout CheckpointCursor, of what: String, atLeast size: Int
  ) throws(CheckpointError) -> Int {
    let start = bytes.position
    let count = try bytes.count(UInt64.self)
    guard count <= bytes.remaining / size else {
      throw bytes.failure("\(count) \(what) do not fit in the \(bytes.remaining) bytes that are left", at: start)
    }
    return count
  }

  /// A text with its length in front.
  static func text(_ bytes: inout CheckpointCursor) throws(CheckpointError) -> String {
    try bytes.text(try bytes.count(UInt64.self))
  }

  private static func name(_ bytes: inout CheckpointCursor) throws(CheckpointError) -> String {
    let start = bytes.position
    let length = try bytes.count(UInt64.self)
    guard length <= NameLimits.longest else { throw bytes.failure("a name of \(length) bytes", at: start) }
    let name = try bytes.text(length)
    guard !NameLimits.isCostly(name) else {
      throw bytes.failure("a name with more combining marks in a row than any has", at: start)
    }
    return name
  }

  /// Turns offsets from the first element into offsets from the start of the file, and gives tensors their own shapes.
  private mutating func place(in bytes: inout CheckpointCursor) throws(CheckpointError) {
    var alignment = 32
    if let value = values["general.alignment"] {
      guard case .integer(let stated) = value, (1...1 << 20).contains(stated) else {
        throw bytes.failure("general.alignment is \(value.summary), not a number of bytes")
      }
      alignment = stated
    }
    // A file without tensors may end before the boundary.
    let start = (bytes.position + alignment - 1) / alignment * alignment
    guard entries.isEmpty || start <= bytes.end else {
      throw CheckpointError(
        path: bytes.path, "the file is cut short behind its header", advice: CheckpointError.unfinished)
    }
    for i in entries.indices {
      if case .array(let shape)? = values["comfy.gguf.orig_shape." + entries[i].name] {
        try entries[i].reshape(to: shape.integers(in: bytes), path: bytes.path)
      }
      try entries[i].place(from: start, to: bytes.end, path: bytes.path)
    }
    joinChannels()
  }

  /// stable-diffusion.cpp stores the kernel [N, C, t, h, w] of a convolution as [N C, t, h, w]; its bias tells N.
  private mutating func joinChannels() {
    for i in entries.indices where entries[i].shape.rank == 4 && entries[i].name.hasSuffix(".weight") {
      let bias = positions[entries[i].name.dropLast("weight".count) + "bias"].map { entries[$0].shape }
      guard let bias, bias.rank == 1 else { continue }
      let (rows, outputs) = (entries[i].shape[0], bias[0])
      if outputs > 0, rows > outputs, rows % outputs == 0 {
        entries[i].shape = Shape([outputs, rows / outputs] + entries[i].shape.dimensions.dropFirst())
      }
    }
  }
}
