import CKernels
public import Tensors

extension CPUBackend {
  /// Queries that one task takes.
  private static let queryBlock = 96
  /// Bytes of packed keys and values held at a time, unless one head needs more.
  private static let packedLimit = 16 << 20

  public func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ options: AttentionOptions) -> Tensor {
    checkAttention(q, k, v, options)
    let result = empty(q.shape, q.dtype)
    let call = AttentionCall(q: q, k: k, v: v, result: result, options: options)
    if call.keys == 0 {
      threads.run(result.byteCount, grain: CPUBackend.grain) { range, _ in
        // SAFETY: the range lies in the result.
        unsafe (result.pointer + range.lowerBound).initializeMemory(as: UInt8.self, repeating: 0, count: range.count)
      }
      return result
    }
    let packedBytes = threads.withInstructionSet {
      // SAFETY: the description points into tensors that live through the call.
      unsafe withUnsafePointer(to: call.head(0, queries: 0..<0)) { unsafe wan_attention_packed_bytes($0) }
    }
    let headBytes = max(1, packedBytes + Memory.alignment - 1) / Memory.alignment * Memory.alignment
    let group = max(1, min(call.heads * call.batch, CPUBackend.packedLimit / max(1, headBytes)))
    let packed = empty([group, headBytes], .u8)
    for first in stride(from: 0, to: call.heads * call.batch, by: group) {
      run(call, heads: first..<min(first + group, call.heads * call.batch), packed: packed)
    }
    return result
  }

  private func run(_ call: AttentionCall, heads: Range<Int>, packed: Tensor) {
    let headBytes = packed.shape[1]
    threads.run(heads.count) { index, _ in
      // SAFETY: the description points into tensors that live through the call; each head has its own packed bytes.
      unsafe withUnsafePointer(to: call.head(heads.lowerBound + index, queries: 0..<0)) { head in
        unsafe wan_attention_pack(head, packed.address(index * headBytes))
      }
    }
    let blocks = (call.queries + CPUBackend.queryBlock - 1) / CPUBackend.queryBlock
    threads.run(heads.count * blocks) { index, worker in
      let (head, block) = (index / blocks, index % blocks * CPUBackend.queryBlock)
      let queries = block..<min(call.queries, block + CPUBackend.queryBlock)
      // SAFETY: as above; each block writes its own rows, and the scratch is the worker's.
      unsafe withUnsafePointer(to: call.head(heads.lowerBound + head, queries: queries)) { description in
        let scratch = unsafe worker.scratch(wan_attention_scratch_bytes(description))
        unsafe wan_attention(description, packed.address(head * headBytes), scratch)
      }
    }
  }

  private func checkAttention(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ options: AttentionOptions) {
    precondition(
      q.shape.rank == 4 && k.shape.rank == 4 && k.shape == v.shape && q.dtype == k.dtype && q.dtype == v.dtype
        && q.shape[0] == k.shape[0] && q.shape[2] == k.shape[2] && q.shape[3] == k.shape[3],
      "attention: q \(q.shape) \(q.dtype), k \(k.shape) \(k.dtype), v \(v.shape) \(v.dtype)")
    if let bias = options.keyBias {
      precondition(
        bias.dtype == .f32 && bias.shape == [k.shape[0], k.shape[1]], "attention: key bias \(bias.shape) for \(k.shape)"
      )
    }
    if let bias = options.relativeBias {
      precondition(
        bias.dtype == .f32 && bias.shape == [q.shape[2], max(0, q.shape[1] + k.shape[1] - 1)],
        "attention: relative bias \(bias.shape) for \(q.shape) and \(k.shape)")
    }
  }
}

/// One attention over [B, L, H, D] tensors, seen head by head.
private struct AttentionCall {
  let q, k, v, result: Tensor
  let options: AttentionOptions

  var batch: Int { q.shape[0] }
  var queries: Int { q.shape[1] }
  var keys: Int { k.shape[1] }
  var heads: Int { q.shape[2] }
  var dimension: Int { q.shape[3] }

  /// What the kernel takes for some queries of a head; heads of all batch items are numbered through.
  @unsafe
  func head(_ index: Int, queries block: Range<Int>) -> wan_attention_head_t {
    let (item, head) = (index / heads, index % heads)
    let row = heads * dimension
    let queryOffset = (item * queries + block.lowerBound) * row + head * dimension
    let keyOffset = item * keys * row + head * dimension
    return unsafe wan_attention_head_t(
      q: q.address(queryOffset), k: k.address(keyOffset), v: v.address(keyOffset), dst: result.address(queryOffset),
      type: q.kernelType("attention"), queries: block.count, keys: keys, head_dim: dimension, q_stride: row,
      k_stride: row, v_stride: row, dst_stride: row, scale: options.scale,
      key_bias: options.keyBias.map { unsafe UnsafePointer($0.floats(item * keys)) },
      relative_bias: options.relativeBias.map { unsafe UnsafePointer($0.floats(head * (queries + keys - 1))) },
      query_offset: block.lowerBound, queries_total: queries, in_bytes: options.allowsBytes ? 1 : 0)
  }
}
