import Sampling
import WanModels

/// What shall be made of a checkpoint or a model.
public struct ConversionRequest: Sendable, Hashable, Codable {
  /// A model's folder, or one checkpoint of any layout.
  public var input: String
  /// The folder or the file to make.
  public var output: String
  /// What large matrices are stored as.
  public var format: StorageFormat
  /// Whose files are written; the input's own, or what the format is for, unless given.
  public var layout: StorageLayout?
  /// LoRAs that are merged into the transformers.
  public var adapters: [AdapterRequest]

  /// Nothing is looked at before a ``Conversion`` is made of it.
  public init(
    input: String, output: String, format: StorageFormat, layout: StorageLayout? = nil, adapters: [AdapterRequest] = []
  ) {
    (self.input, self.output, self.format, self.layout) = (input, output, format, layout)
    self.adapters = adapters
  }

  /// The same with an output that ends in its name.
  var withoutSlash: ConversionRequest {
    var request = self
    while request.output.utf8.count > 1, request.output.hasSuffix("/") { request.output.removeLast() }
    return request
  }
}

/// Why something cannot be converted, found before anything is written.
public struct ConversionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// A sentence that names what was asked for.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// What a conversion has written.
public struct ConversionReport: Sendable, Hashable, Encodable {
  /// The folder or the file.
  public let output: String
  /// Bytes of all checkpoints.
  public let bytes: Int
  /// Of each file, by its name in the output.
  public let files: [File]

  /// One checkpoint.
  public struct File: Sendable, Hashable, Encodable {
    /// Its path below the output; the output's own name for a single file.
    public let name: String
    /// Of its elements.
    public let bytes: Int
    /// How many tensors have each type.
    public let types: [String: Int]
    /// The largest relative error (L2) that rounding has put into a tensor, and which; `nil` where none was rounded.
    public let largestError: Double?
    /// The tensor's published name.
    public let worstTensor: String?
  }
}

extension StorageLayout {
  /// The layout that a format is for, or the one that the input has.
  static func chosen(_ request: ConversionRequest, inputHas own: StorageLayout) throws -> StorageLayout {
    let readers = request.format.layouts
    guard let asked = request.layout else {
      return readers.contains(own) ? own : readers.contains(.comfy) ? .comfy : readers[0]
    }
    guard readers.contains(asked) else {
      let others = readers.map(\.rawValue).joined(separator: " or ")
      throw ConversionError(
        "\(request.format.rawValue) has no place in the layout \(asked.rawValue), whose programs do not read it; "
          + "take the layout \(others)")
    }
    return asked
  }
}

extension TensorNaming.Dialect {
  /// Whose names a network has in a layout.
  init(_ layout: StorageLayout, _ kind: NetworkKind) {
    switch (layout, kind) {
    case (.official, _), (_, .tinyAutoencoder), (.comfy, .transformer), (.comfy, .autoencoder), (.gguf, .transformer),
      (.gguf, .autoencoder):
      self = .official
    case (.diffusers, .textEncoder), (.comfy, .textEncoder): self = .transformers
    case (.diffusers, _): self = .diffusers
    case (.gguf, .textEncoder): self = .llama
    }
  }
}
