public import Tensors

/// Changes of a network that lie beside its checkpoint: a LoRA and its relatives.
///
/// Nothing of the checkpoint is copied or written: linears add the update's product to their own, and the cursor adds
/// differences to norms, biases and modulations as it hands them out.
public protocol Adapter: Sendable {
  /// Where the changes come from, for error messages.
  var location: String { get }
  /// The tensors that it changes, under the network's names.
  var names: [String] { get }
  /// What is added to the matrix of this name; `nil` where it is left as it is.
  func update(of name: String) throws(WeightError) -> LowRankUpdate?
  /// What is added to the matrix of this name where no small factors hold it, [N, K] float32 in host memory; `nil` where
  /// nothing of this kind is.
  ///
  /// - Parameter matrix: the network's own numbers, [N, K] float32.
  func wholeUpdate(of name: String, matrix: () -> Tensor) throws(WeightError) -> Tensor?
  /// What is added to the parameter of this name, of as many elements; `nil` where it is left as it is.
  func difference(of name: String) throws(WeightError) -> Tensor?
}

extension Adapter {
  public func wholeUpdate(of name: String, matrix: () -> Tensor) throws(WeightError) -> Tensor? { nil }
}
