import CKernels
import Foundation
import Testing

/// One head with padded rows, so that strides matter.
struct AttentionCase {
  var queries, keys, headDim: Int
  var type = WAN_F32
  var scale: Float
  var q, k, v: Numbers
  var keyBias: [Float]?
  var relativeBias: [Float]?
  var inBytes = false

  init(_ queries: Int, _ keys: Int, _ headDim: Int, _ type: wan_dtype_t, amplitude: Float = 2) {
    (self.queries, self.keys, self.headDim, self.type) = (queries, keys, headDim, type)
    var random = Random(seed: UInt64(queries * 1_000_003 + keys * 1009 + headDim))
    scale = 1 / Float(headDim).squareRoot()
    q = Numbers(random.floats(queries * (headDim + 1), amplitude), type)
    k = Numbers(random.floats(keys * (headDim + 2), amplitude), type)
    v = Numbers(random.floats(keys * (headDim + 3)), type)
  }

  /// The kernel's answer [queries, headDim], asked for `split` queries at a time.
  func result(split: Int) -> Numbers {
    var (packed, scratch): ([UInt8], [UInt8]) = ([], [])
    unsafe withMemory { head in
      packed = unsafe [UInt8](repeating: 0xFF, count: wan_attention_packed_bytes(&head))
      scratch = unsafe [UInt8](repeating: 0xFF, count: wan_attention_scratch_bytes(&head))
    }
    let stride = headDim + 4
    var dst = Numbers([Float](repeating: 7, count: queries * stride), type)
    let size = type == WAN_F32 ? 4 : 2
    unsafe withMemory { head in
      unsafe packed.withUnsafeMutableBytes { packed in
        unsafe scratch.withUnsafeMutableBytes { scratch in
          unsafe dst.bytes.withUnsafeMutableBytes { dst in
            guard let out = dst.baseAddress else { return }
            unsafe wan_attention_pack(&head, packed.baseAddress)
            let q = unsafe head.q
            for first in Swift.stride(from: 0, to: queries, by: split) {
              unsafe head.q = q?.advanced(by: first * (headDim + 1) * size)
              unsafe head.dst = out.advanced(by: first * stride * size)
              unsafe head.query_offset = first
              unsafe head.queries = min(split, queries - first)
              unsafe wan_attention(&head, packed.baseAddress, scratch.baseAddress)
            }
          }
        }
      }
    }
    return unpadded(dst, stride: stride)
  }

  private func unpadded(_ padded: Numbers, stride: Int) -> Numbers {
    var result = Numbers(zeros: queries * headDim, type)
    for r in 0..<queries {
      for c in 0..<stride {
        if c < headDim {
          result[r * headDim + c] = padded[r * stride + c]
        } else {
          #expect(padded[r * stride + c] == 7, "row \(r) ran over its end")
        }
      }
    }
    return result
  }

  private func withMemory(_ body: (inout wan_attention_head_t) -> Void) {
    unsafe q.bytes.withUnsafeBytes { q in
      unsafe k.bytes.withUnsafeBytes { k in
        unsafe v.bytes.withUnsafeBytes { v in
          unsafe (keyBias ?? []).withUnsafeBufferPointer { bias in
            unsafe (relativeBias ?? []).withUnsafeBufferPointer { relative in
              var head = unsafe wan_attention_head_t()
              unsafe (head.q, head.k, head.v) = (q.baseAddress, k.baseAddress, v.baseAddress)
              unsafe (head.type, head.keys, head.head_dim) = (type, keys, headDim)
              unsafe (head.queries, head.queries_total, head.scale) = (queries, queries, scale)
              unsafe (head.q_stride, head.k_stride, head.v_stride) = (headDim + 1, headDim + 2, headDim + 3)
              unsafe (head.dst_stride, head.in_bytes) = (headDim + 4, inBytes ? 1 : 0)
              unsafe head.key_bias = keyBias == nil ? nil : bias.baseAddress
              unsafe head.relative_bias = relativeBias == nil ? nil : relative.baseAddress
              unsafe body(&head)
            }
          }
        }
      }
    }
  }

  /// The definition in double.
  func wanted() -> [Double] {
    let (q, k, v) = (q.values.map(Double.init), k.values.map(Double.init), v.values.map(Double.init))
    var result: [Double] = []
    for r in 0..<queries {
      var logits = [Double](repeating: 0, count: keys)
      for c in 0..<keys {
        var sum = 0.0
        for i in 0..<headDim { sum += q[r * (headDim + 1) + i] * k[c * (headDim + 2) + i] }
        logits[c] = sum * Double(scale) + Double(keyBias?[c] ?? 0) + Double(relativeBias?[c - r + queries - 1] ?? 0)
      }
      let largest = logits.max() ?? -.infinity
      let weights = logits.map { largest == -.infinity ? 0 : exp($0 - largest) }
      let total = weights.reduce(0, +)
      for i in 0..<headDim {
        var sum = 0.0
        for c in 0..<keys { sum += weights[c] * v[c * (headDim + 3) + i] }
        result.append(total > 0 ? sum / total : 0)
      }
    }
    return result
  }

  func check(split: Int? = nil) {
    let want = wanted()
    forEveryInstructionSet { isa in
      let found = result(split: split ?? max(queries, 1))
      let rounded = type == WAN_BF16 && isa == WAN_ISA_AVX512_BF16
      let tolerance = rounded ? 4e-3 : 4e-6
      expectClose(found, want, tolerance: tolerance, "\(isa.rawValue): \(queries) queries, \(keys) keys, \(headDim)")
    }
  }
}

extension KernelTests {
  @Suite("Attention") struct Attention {
    @Test("any head width", arguments: [1, 2, 3, 5, 8, 17, 24, 31, 32, 64, 67, 128, 384]) func widths(headDim: Int) {
      for type in bothTypes { AttentionCase(13, 37, headDim, type).check() }
    }

    @Test("any number of keys", arguments: [0, 1, 2, 7, 8, 31, 33, 127, 128, 129, 257]) func keys(keys: Int) {
      for type in bothTypes { AttentionCase(7, keys, 24, type).check() }
    }

    @Test("any number of queries", arguments: [0, 1, 5, 6, 7, 12, 13, 64, 95, 96, 97, 193]) func queries(queries: Int) {
      AttentionCase(queries, 19, 16, WAN_F32).check()
    }

    @Test("biases of keys, also -infinity for some, for a whole block, for all") func keyBias() {
      for hidden in [0..<0, 3..<60, 0..<128, 0..<200, 0..<300, 128..<300] {
        var item = AttentionCase(9, 300, 8, WAN_F32)
        var random = Random(seed: 9)
        item.keyBias = (0..<300).map { hidden.contains($0) ? -.infinity : random.float(3) }
        item.check()
      }
    }

    @Test("relative biases, whatever the split of the queries") func relativeBias() {
      var random = Random(seed: 4)
      for (queries, keys) in [(1, 1), (20, 33), (70, 140)] {
        var item = AttentionCase(queries, keys, 8, WAN_F32)
        item.relativeBias = random.floats(queries + keys - 1, 4)
        for split in [queries, 1, 6, 17] { item.check(split: split) }
      }
    }

    @Test("the split of the queries changes no bit") func split() {
      for type in bothTypes {
        let item = AttentionCase(131, 150, 20, type)
        forEveryInstructionSet { _ in
          let whole = item.result(split: 131).bytes
          for split in [1, 5, 12, 64, 100] { #expect(item.result(split: split).bytes == whole) }
        }
      }
    }

    @Test("logits far apart neither overflow nor vanish") func extremes() {
      for amplitude in [Float(30), 1e-20] {
        AttentionCase(5, 140, 16, WAN_F32, amplitude: amplitude).checkLoosely()
      }
    }

    @Test("in bytes, over any widths, keys and queries, results stay near", arguments: bothTypes.indices)
    func bytes(type: Int) {
      for (queries, keys, headDim) in [
        (1, 1, 1), (7, 3, 5), (13, 37, 17), (12, 32, 32), (97, 255, 64), (96, 256, 128), (5, 257, 128), (30, 700, 200),
        (3, 40, 256), (3, 40, 384),
      ] {
        AttentionCase(queries, keys, headDim, bothTypes[type], amplitude: 1).checkBytes()
      }
    }

    @Test("in bytes with biases, also -infinity for some keys, for a whole block, for all") func bytesBias() {
      var random = Random(seed: 10)
      for hidden in [0..<0, 3..<60, 0..<256, 256..<300, 0..<300] {
        var item = AttentionCase(9, 300, 24, WAN_BF16, amplitude: 1)
        item.keyBias = (0..<300).map { hidden.contains($0) ? -.infinity : random.float(3) }
        item.checkBytes()
      }
      var item = AttentionCase(20, 33, 8, WAN_F32, amplitude: 1)
      item.relativeBias = random.floats(52, 2)
      item.checkBytes()
    }

    @Test("in bytes, what all keys share costs no accuracy") func bytesMean() {
      var item = AttentionCase(20, 300, 32, WAN_F32, amplitude: 1)
      for r in 0..<300 { for c in 0..<32 { item.k[r * 34 + c] += Float(c % 5) * 40 } }
      item.checkBytes()
    }

    @Test("in bytes, the split of the queries changes no bit") func bytesSplit() {
      var item = AttentionCase(131, 300, 20, WAN_BF16)
      item.inBytes = true
      let whole = item.result(split: 131).bytes
      for split in [1, 5, 12, 64, 100] { #expect(item.result(split: split).bytes == whole) }
    }

    @Test("in bytes, a NaN among the queries reaches its row, one among keys or values everything they meet")
    func bytesNaN() {
      var item = AttentionCase(8, 300, 16, WAN_F32)
      item.inBytes = true
      var (query, key, value) = (item, item, item)
      query.q[3 * 17 + 2] = .nan
      key.k[5 * 18 + 2] = .nan
      value.v[5 * 19 + 2] = .infinity
      let rows = query.result(split: 8).values
      for r in 0..<8 { #expect(rows[r * 16..<(r + 1) * 16].allSatisfy { $0.isNaN == (r == 3) }) }
      #expect(key.result(split: 8).values.allSatisfy { $0.isNaN })
      let columns = value.result(split: 8).values
      for (i, found) in columns.enumerated() where i % 16 == 2 { #expect(!found.isFinite) }
    }

    @Test("a NaN among the queries reaches only its own row") func nan() {
      var item = AttentionCase(8, 140, 16, WAN_F32)
      item.q[3 * 17 + 2] = .nan
      forEveryInstructionSet { _ in
        let found = item.result(split: 8).values
        for r in 0..<8 { #expect(found[r * 16..<(r + 1) * 16].allSatisfy { $0.isNaN == (r == 3) }) }
      }
    }
  }
}

extension AttentionCase {
  /// Logits of some thousands leave float32 an absolute error of 1e-4 in each.
  func checkLoosely() {
    let want = wanted()
    forEveryInstructionSet { isa in
      expectClose(result(split: queries), want, tolerance: 1e-3, "\(isa.rawValue)")
    }
  }
}

extension AttentionCase {
  /// As bytes where this machine multiplies them: within 1 % in the mean of squares.
  func checkBytes() {
    var bytes = self
    bytes.inBytes = true
    let want = wanted(), found = bytes.result(split: max(queries, 1)).values
    let error = zip(found, want).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
    let size = want.reduce(0) { $0 + $1 * $1 }
    #expect(error <= 1e-4 * size, "\(queries) queries, \(keys) keys, \(headDim): \((error / size).squareRoot())")
  }
}
