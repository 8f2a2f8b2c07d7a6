import COneDNN
import Synchronization
import Tensors

/// Weights in a layout of oneDNN's choice, and copies in other layouts for extents that will not take the first.
final class PackedWeights: Sendable {
  /// The primitive whose layout `bytes` has.
  let template: Primitive
  private let bytes: Tensor
  private let others = Mutex<[(primitive: Primitive, bytes: Tensor)]>([])

  init(template: Primitive, bytes: Tensor) {
    self.template = template
    self.bytes = bytes
  }

  /// The weights as `primitive` takes them.
  func weights(for primitive: Primitive, _ threads: Threads) -> Tensor {
    if primitive === template || primitive.template === template { return bytes }
    return others.withLock { others in
      if let known = others.first(where: { $0.primitive === primitive }) { return known.bytes }
      let copy = Tensor.zeros([primitive.weightsBytes], dtype: .u8)
      let worker = unsafe Worker(engine: threads.engine)
      // SAFETY: source and copy have the sizes that the two layouts ask for.
      let result = unsafe wan_dnn_reorder(
        threads.engine, worker.stream, template.made.pointee.weights, bytes.pointer, primitive.made.pointee.weights,
        copy.pointer)
      result.check("oneDNN cannot lay weights out for \(primitive.implementation)")
      others.append((primitive, copy))
      return copy
    }
  }
}
