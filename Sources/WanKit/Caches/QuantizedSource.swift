import Checkpoints
import Tensors

/// A checkpoint some of whose matrices come as bytes from another file, with row scales beside them.
struct QuantizedSource: WeightSource {
  let names: [String]
  private let base: any WeightSource
  private let kept: SafetensorsFile

  /// - Parameter kept: matrices under names of the checkpoint's, and their scales.
  init(_ base: any WeightSource, kept: SafetensorsFile) {
    self.base = base
    self.kept = kept
    names = base.names + kept.names.filter { $0.hasSuffix(QuantizedRows.scaleSuffix) }
  }

  var location: String { base.location }
  var files: [String] { base.files + kept.files }

  func descriptor(_ name: String) -> TensorDescriptor? {
    kept.descriptor(name) ?? base.descriptor(name)
  }

  func tensor(_ name: String) throws(WeightError) -> Tensor {
    try kept.descriptor(name) == nil ? base.tensor(name) : kept.tensor(name)
  }

  func discardCachedPages() {
    base.discardCachedPages()
    kept.discardCachedPages()
  }
}
