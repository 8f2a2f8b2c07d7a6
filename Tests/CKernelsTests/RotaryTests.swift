import CKernels
import Testing

extension KernelTests {
  @Suite("Rotary") struct Rotary {
    @Test("rotates interleaved pairs, alone and after the norm", arguments: [2, 4, 6, 10, 16, 24, 34, 64, 128])
    func rotary(headDim: Int) {
      var random = Random(seed: UInt64(headDim))
      for (rows, heads) in [(0, 2), (1, 1), (3, 3), (2, 5)] {
        let columns = heads * headDim
        let weight = random.floats(columns)
        let table = random.floats(rows * headDim)
        for type in bothTypes {
          let x = Numbers(random.floats(rows * columns, 2), type)
          let turned = rotated(x.values.map(Double.init), table, rows: rows, heads: heads, headDim: headDim)
          let normed = rmsNorm(x.values, weight, rows: rows, columns: columns)
          let both = rotated(normed, table, rows: rows, heads: heads, headDim: headDim)
          forEveryInstructionSet { isa in
            var dst = Numbers(zeros: x.count, type)
            unsafe wan_rotary(x.bytes, type, table, &dst.bytes, rows, heads, headDim)
            expectClose(dst, turned, "\(isa.rawValue) \(rows)x\(heads)x\(headDim)")
            unsafe wan_rms_norm_rotary(x.bytes, type, weight, table, &dst.bytes, rows, heads, headDim, 1e-6)
            expectClose(dst, both, "\(isa.rawValue) \(rows)x\(heads)x\(headDim) after the norm")
          }
        }
      }
    }
  }
}

private func rotated(_ x: [Double], _ table: [Float], rows: Int, heads: Int, headDim: Int) -> [Double] {
  var result = x
  for r in 0..<rows {
    for i in stride(from: 0, to: heads * headDim, by: 2) {
      let at = r * heads * headDim + i
      let angle = r * headDim + i % headDim
      let (cosine, sine) = (Double(table[angle]), Double(table[angle + 1]))
      result[at] = x[at] * cosine - x[at + 1] * sine
      result[at + 1] = x[at] * sine + x[at + 1] * cosine
    }
  }
  return result
}
