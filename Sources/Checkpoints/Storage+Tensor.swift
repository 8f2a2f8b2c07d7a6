import Tensors

extension Storage {
  /// The dense tensor at a byte: in place, or copied when the machine could not read its elements there.
  func tensor(_ shape: Shape, _ dtype: DType, at byteOffset: Int) -> Tensor {
    if byteOffset.isMultiple(of: dtype.byteCount) {
      return Tensor(shape: shape, dtype: dtype, storage: self, byteOffset: byteOffset)
    }
    let copy = withBytes(in: byteOffset..<byteOffset + shape.count * dtype.byteCount) { Storage(copying: $0) }
    return Tensor(shape: shape, dtype: dtype, storage: copy)
  }
}
