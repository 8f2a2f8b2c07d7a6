public import Tensors

/// A checkpoint under other names: another layout's, or the same without a prefix.
public struct RenamedSource: WeightSource {
  public let location: String
  public let names: [String]
  private let base: any WeightSource
  private let originals: [String: String]
  private let renamed: [String: String]

  /// Names every tensor anew; those for which `rename` gives `nil` are left out.
  ///
  /// Two tensors of one new name are a mistake of `rename`, or of the file, and an error.
  public init(_ base: any WeightSource, rename: (String) -> String?) throws(CheckpointError) {
    var names: [String] = []
    var originals: [String: String] = [:]
    for original in base.names {
      guard let name = rename(original) else { continue }
      if let other = originals.updateValue(original, forKey: name) {
        throw CheckpointError(
          path: base.location, at: .key(name), "both '\(other)' and '\(original)' stand for this tensor")
      }
      names.append(name)
    }
    self.base = base
    self.names = names
    self.originals = originals
    renamed = Dictionary(originals.map { ($0.value, $0.key) }) { first, _ in first }
    location = base.location
  }

  /// Takes a prefix such as `model.diffusion_model.` off the names that have it; other tensors are left out.
  public init(_ base: any WeightSource, removingPrefix prefix: String) throws(CheckpointError) {
    try self.init(base) { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
  }

  public func descriptor(_ name: String) -> TensorDescriptor? {
    originals[name].flatMap { base.descriptor($0) }
  }

  public var files: [String] { base.files }

  public var metadata: [(key: String, value: String)] { base.metadata }

  public func discardCachedPages() { base.discardCachedPages() }

  public func matrix(_ name: String) throws(WeightError) -> StoredMatrix {
    guard let original = originals[name] else { throw .missing(name: name, location: location) }
    return try base.matrix(original)
  }

  public func companions(of name: String) -> [String] {
    guard let original = originals[name] else { return [] }
    return base.companions(of: original).compactMap { renamed[$0] }
  }

  /// Errors name the tensor as the file does.
  public func tensor(_ name: String) throws(WeightError) -> Tensor {
    guard let original = originals[name] else { throw .missing(name: name, location: location) }
    return try base.tensor(original)
  }
}
