import Files
public import Tensors

/// A checkpoint whose matrices are small numbers with scales beside them, seen as the matrices that they stand for.
///
/// The scales, the marks of their writers and the scales for a card's inputs are no tensors of their own any more.
public struct ScaledSource: WeightSource {
  public let location: String
  public let names: [String]
  private let base: any WeightSource
  private let forms: [String: ScaledForm]

  /// The checkpoint itself where it has no such scales.
  ///
  /// - Parameter metadata: the texts of its header, where some writers note the forms.
  /// - Throws: for forms that are known and not read, and for scales that do not fit.
  static func wrapping(
    _ source: any WeightSource, metadata: [(key: String, value: String)] = []
  ) throws(CheckpointError) -> any WeightSource {
    let layers = try ScaledLayers(source, metadata: metadata)
    return layers.companions.isEmpty ? source : try ScaledSource(source, layers)
  }

  private init(_ base: any WeightSource, _ layers: ScaledLayers) throws(CheckpointError) {
    self.base = base
    location = base.location
    var forms: [String: ScaledForm] = [:]
    for layer in layers.scaled {
      let bias = base.descriptor(layer.path + ".bias")?.shape
      forms[layer.path + ".weight"] = try ScaledForm(
        layer.path + ".weight", in: base, scale: layer.scale, second: layer.second,
        outputs: bias?.rank == 1 ? bias?[0] : nil)
    }
    self.forms = forms
    names = base.names.filter { !layers.companions.contains($0) }
  }

  public var files: [String] { base.files }

  public var metadata: [(key: String, value: String)] { base.metadata }

  public func descriptor(_ name: String) -> TensorDescriptor? {
    forms[name]?.descriptor ?? base.descriptor(name)
  }

  public func companions(of name: String) -> [String] { [] }

  public func tensor(_ name: String) throws(WeightError) -> Tensor {
    if forms[name] != nil { throw notRead(name) }
    return try base.tensor(name)
  }

  public func matrix(_ name: String) throws(WeightError) -> StoredMatrix {
    if let form = forms[name] { return try form.matrix(in: base) }
    return try base.matrix(name)
  }

  public func discardCachedPages() { base.discardCachedPages() }
}
