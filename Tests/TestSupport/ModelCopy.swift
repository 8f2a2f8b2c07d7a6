import Checkpoints
public import Foundation
public import Tensors

/// A golden model whose files can be changed: real folders, links to the recorded files until one is replaced.
public struct ModelCopy: Sendable {
  /// Of a model with one transformer.
  public static let transformer = "diffusion_pytorch_model.safetensors"
  /// Of every model.
  public static let textEncoder = "models_t5_umt5-xxl-enc-bf16.pth"
  /// Of the ti2v model.
  public static let autoencoder = "Wan2.2_VAE.pth"
  /// Where the copy lies; it goes with the value.
  public let folder: TemporaryFolder

  /// The folder's path.
  public var path: String { folder.path }

  /// - Parameter name: a model folder of `Tests/Golden`: "ti2v", "t2v", "i2v".
  public init(of name: String) throws {
    try self.init(linking: Golden.bundledFolder + "/" + name)
  }

  /// - Parameter original: any model folder.
  public init(linking original: String) throws {
    folder = try TemporaryFolder()
    let files = FileManager.default
    for name in try files.subpathsOfDirectory(atPath: original).sorted() {
      var isFolder: ObjCBool = false
      _ = unsafe files.fileExists(atPath: original + "/" + name, isDirectory: &isFolder)
      if isFolder.boolValue {
        try files.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
      } else {
        try files.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: original + "/" + name)
      }
    }
  }

  /// Takes a file away.
  public func remove(_ name: String) throws {
    try FileManager.default.removeItem(atPath: path + "/" + name)
  }

  /// Puts bytes in the place of a file.
  public func write(_ data: Data, to name: String) throws {
    try? remove(name)
    try data.write(to: URL(fileURLWithPath: path + "/" + name))
  }

  /// Puts text in the place of a file.
  public func write(_ text: String, to name: String) throws {
    try write(Data(text.utf8), to: name)
  }

  /// Replaces the first `old` of a text file.
  public func replace(_ old: String, by new: String, in name: String) throws {
    let text = String(decoding: try Golden.data(path + "/" + name), as: UTF8.self)
    guard let range = text.range(of: old) else { throw NotThere(text: old) }
    try write(text.replacingCharacters(in: range, with: new), to: name)
  }

  /// Puts a raw JSON value into config.json in place of a field's.
  public func set(_ field: String, to value: String, in name: String = "config.json") throws {
    let text = String(decoding: try Golden.data(path + "/" + name), as: UTF8.self)
    guard let key = text.range(of: "\"\(field)\":") else { throw NotThere(text: field) }
    let end = text[key.upperBound...].firstIndex { ",\n".contains($0) } ?? text.endIndex
    try write(String(text[..<key.upperBound] + " " + value + text[end...]), to: name)
  }

  /// Every tensor of a checkpoint, in order.
  public func tensors(_ name: String) throws -> [(name: String, tensor: Tensor)] {
    let source = try openCheckpoint(path: path + "/" + name)
    return try source.names.map { ($0, try source.tensor($0)) }
  }

  /// Writes a checkpoint again as safetensors after `edit`, under another name where one is given.
  public func rewrite(
    _ name: String, as newName: String? = nil, _ edit: (inout [(name: String, tensor: Tensor)]) -> Void = { _ in }
  ) throws {
    var tensors = try tensors(name)
    edit(&tensors)
    try remove(name)
    var writer = try SafetensorsWriter(path: path + "/" + (newName ?? name), entries: Self.entries(tensors))
    for (name, tensor) in tensors { try writer.write(tensor, as: name) }
    try writer.finish()
  }

  /// Writes a checkpoint again as shards with an index.
  public func shard(_ name: String, byteCount: Int) throws {
    let tensors = try tensors(name)
    try remove(name)
    let slash = name.lastIndex(of: "/")
    let folder = path + "/" + name[..<(slash ?? name.startIndex)]
    let stem = name[(slash.map { name.index(after: $0) } ?? name.startIndex)...].dropLast(".safetensors".count)
    var writer = try ShardedSafetensorsWriter(
      folder: folder, stem: String(stem), entries: Self.entries(tensors), shardByteCount: byteCount)
    for (name, tensor) in tensors { try writer.write(tensor, as: name) }
    try writer.finish()
  }

  private static func entries(_ tensors: [(name: String, tensor: Tensor)]) -> [SafetensorsWriter.Entry] {
    tensors.map { SafetensorsWriter.Entry(name: $0.name, shape: $0.tensor.shape, dtype: $0.tensor.dtype) }
  }

  /// What was to be replaced is not in the file.
  public struct NotThere: Error {
    /// What was looked for.
    public let text: String
  }
}

extension [(name: String, tensor: Tensor)] {
  /// Puts something else in the place of one tensor.
  public mutating func replace(_ name: String, _ change: (Tensor) -> Tensor) {
    for i in indices where self[i].name == name { self[i].tensor = change(self[i].tensor) }
  }
}
