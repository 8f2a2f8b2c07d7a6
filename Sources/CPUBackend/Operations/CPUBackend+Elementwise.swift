import CKernels
public import Tensors

extension CPUBackend {
  public func combined(_ x: Tensor, _ y: Tensor, _ operation: BinaryOperation) -> Tensor {
    switch operation {
    case .add where x.shape == y.shape: unsafe paired(x, y) { unsafe wan_add($0, $1, $2, $3, $4, $5) }
    case .multiply where x.shape == y.shape: unsafe paired(x, y) { unsafe wan_multiply($0, $1, $2, $3, $4, $5) }
    default: broadcast(x, y, operation)
    }
  }

  /// A kernel that takes two stretches of elements, their types, and writes a third of the first's type.
  private typealias PairKernel = (
    UnsafeRawPointer, wan_dtype_t, UnsafeRawPointer, wan_dtype_t, UnsafeMutableRawPointer, Int
  ) -> Void

  private func paired(_ x: Tensor, _ y: Tensor, _ kernel: PairKernel) -> Tensor {
    let (xType, yType) = (x.kernelType("combined"), y.kernelType("combined"))
    let result = empty(x.shape, x.dtype)
    threads.run(x.count, grain: CPUBackend.grain) { range, _ in
      let i = range.lowerBound
      // SAFETY: the three tensors have the same count, and the range lies in it.
      unsafe kernel(x.address(i), xType, y.address(i), yType, result.address(i), range.count)
    }
    return result
  }

  public func mapped(_ x: Tensor, _ operation: UnaryOperation) -> Tensor {
    switch operation {
    case .silu: activated(x, WAN_ACT_SILU)
    case .gelu: activated(x, WAN_ACT_GELU)
    case .relu: activated(x, WAN_ACT_RELU)
    case .exponential:
      rowwise(x) { row in
        for i in row.indices { row[i] = exponential(row[i]) }
      }
    case .reciprocalRoot:
      rowwise(x) { row in
        for i in row.indices { row[i] = 1 / row[i].squareRoot() }
      }
    }
  }

  private func activated(_ x: Tensor, _ activation: wan_activation_t) -> Tensor {
    let type = x.kernelType("mapped")
    let result = empty(x.shape, x.dtype)
    threads.run(x.count, grain: CPUBackend.grain) { range, _ in
      let i = range.lowerBound
      // SAFETY: both tensors have the same count and type, and the range lies in it.
      unsafe wan_activate(x.address(i), type, result.address(i), range.count, activation)
    }
    return result
  }

  public func clamped(_ x: Tensor, to range: ClosedRange<Float>) -> Tensor {
    rowwise(x) { row in
      for i in row.indices {
        row[i] = row[i].isFinite ? min(max(row[i], range.lowerBound), range.upperBound) : .nan
      }
    }
  }

  public func cast(_ x: Tensor, to dtype: DType) -> Tensor {
    if x.dtype == dtype { return x }
    if x.dtype == .f16 { return widened(x, to: dtype) }
    guard x.dtype == .f32 || x.dtype == .bf16 else { return x.converted(to: dtype) }
    let result = empty(x.shape, dtype)
    precondition(dtype == .f32 || dtype == .bf16, "cast: from \(x.dtype.rawValue) to \(dtype.rawValue)")
    threads.run(x.count, grain: CPUBackend.grain) { range, _ in
      let i = range.lowerBound
      // SAFETY: both tensors have the same count, and the range lies in it.
      unsafe convert(x.address(i), x.dtype, result.address(i), dtype, range.count)
    }
    return result
  }

  /// Halves as float32 or bfloat16, by tables of all of them: a checkpoint of halves is converted as it is loaded.
  private func widened(_ x: Tensor, to dtype: DType) -> Tensor {
    let result = empty(x.shape, dtype)
    let source = unsafe x.pointer.assumingMemoryBound(to: UInt16.self)
    threads.run(x.count, grain: CPUBackend.grain) { range, _ in
      // SAFETY: both tensors have the same count, and the range lies in it; a half is an index of 65536 numbers.
      if dtype == .f32 {
        let target = unsafe result.floats(0)
        unsafe Halves.floats.withUnsafeBufferPointer { table in
          for i in range { unsafe target[i] = unsafe table[Int(source[i])] }
        }
      } else {
        let target = unsafe result.pointer.assumingMemoryBound(to: UInt16.self)
        unsafe Halves.bfloats.withUnsafeBufferPointer { table in
          for i in range { unsafe target[i] = unsafe table[Int(source[i])] }
        }
      }
    }
    return result
  }

  public func meanOfGroups(_ x: Tensor, size: Int) -> Tensor {
    precondition(size > 0 && x.shape.last % size == 0, "meanOfGroups: groups of \(size) in \(x.shape)")
    let type = x.kernelType("meanOfGroups")
    let result = empty(x.shape.replacingLast(x.shape.last / size), x.dtype)
    threads.run(result.count, grain: max(1, CPUBackend.grain / size)) { range, _ in
      let i = range.lowerBound
      // SAFETY: x has `size` elements for each of the result's, and the range lies in the result.
      unsafe wan_mean_of_groups(x.address(i * size), type, result.address(i), range.count, size)
    }
    return result
  }
}

/// Copies elements from one of float32 and bfloat16 to one of them.
@unsafe
func convert(
  _ source: UnsafeRawPointer, _ from: DType, _ target: UnsafeMutableRawPointer, _ to: DType, _ count: Int
) {
  switch (from, to) {
  case (.bf16, .f32):
    unsafe wan_widen_bf16(
      source.assumingMemoryBound(to: UInt16.self), target.assumingMemoryBound(to: Float.self), count)
  case (.f32, .bf16):
    unsafe wan_round_bf16(
      source.assumingMemoryBound(to: Float.self), target.assumingMemoryBound(to: UInt16.self), count)
  default:
    unsafe target.copyMemory(from: source, byteCount: count * from.byteCount)
  }
}

/// What every half stands for.
private enum Halves {
  static let floats = (0...UInt16.max).map { Float(halfBits: $0) }
  static let bfloats = floats.map(BFloat16.round)
}

/// Copies float32 numbers, each rounded to the nearest bfloat16.
@unsafe
func roundThroughBF16(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int) {
  // A stretch small enough for the stack and the nearest cache.
  let stretch = 1024
  unsafe withUnsafeTemporaryAllocation(of: UInt16.self, capacity: min(stretch, max(1, count))) { bits in
    guard let bits = bits.baseAddress else { return }
    let source = unsafe source.assumingMemoryBound(to: Float.self)
    let target = unsafe target.assumingMemoryBound(to: Float.self)
    for start in stride(from: 0, to: count, by: stretch) {
      let length = min(stretch, count - start)
      unsafe wan_round_bf16(source + start, bits, length)
      unsafe wan_widen_bf16(bits, target + start, length)
    }
  }
}
