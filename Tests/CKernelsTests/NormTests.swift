import CKernels
import Testing

extension KernelTests {
  @Suite("Norms") struct Norms {
    static let epsilon: Float = 1e-6

    @Test("layer norm subtracts the mean even where it is large", arguments: columnCounts) func layer(columns: Int) {
      var random = Random(seed: UInt64(columns))
      let (scale, shift) = (random.floats(columns), random.floats(columns))
      for rows in rowCounts {
        let x = random.floats(rows * columns, 2).map { $0 + 3 }
        var want: [Double] = []
        for r in 0..<rows {
          let row = x[r * columns..<(r + 1) * columns].map(Double.init)
          let mean = row.reduce(0, +) / Double(columns)
          let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
          let factor = 1 / (variance + Double(Self.epsilon)).squareRoot()
          want += row.indices.map { (row[$0] - mean) * factor * Double(scale[$0]) + Double(shift[$0]) }
        }
        for type in bothTypes {
          forEveryInstructionSet { isa in
            var dst = Numbers(zeros: x.count, type)
            unsafe wan_layer_norm(x, scale, shift, &dst.bytes, type, rows, columns, Self.epsilon)
            expectClose(dst, want, tolerance: columns < 3 ? 1e-4 : 4e-6, "\(isa.rawValue) \(rows)x\(columns)")
          }
        }
      }
    }

    @Test("rms norm for every pair of types", arguments: columnCounts) func rms(columns: Int) {
      var random = Random(seed: UInt64(columns))
      let weight = random.floats(columns)
      for rows in rowCounts {
        for type in bothTypes {
          let x = Numbers(random.floats(rows * columns, 2), type)
          let want = rmsNorm(x.values, weight, rows: rows, columns: columns)
          for output in bothTypes {
            forEveryInstructionSet { isa in
              var dst = Numbers(zeros: x.count, output)
              unsafe wan_rms_norm(x.bytes, type, weight, &dst.bytes, output, rows, columns, Self.epsilon)
              expectClose(dst, want, "\(isa.rawValue) \(rows)x\(columns)")
            }
          }
        }
      }
    }

    @Test("channel norm with each activation", arguments: columnCounts) func channel(columns: Int) {
      var random = Random(seed: UInt64(columns))
      let gamma = random.floats(columns)
      for (type, activation) in [(WAN_F32, WAN_ACT_NONE), (WAN_F32, WAN_ACT_SILU), (WAN_BF16, WAN_ACT_SILU)] {
        for rows in rowCounts {
          let x = Numbers(random.floats(rows * columns, 2), type)
          var want: [Double] = []
          for r in 0..<rows {
            let row = x.values[r * columns..<(r + 1) * columns].map(Double.init)
            let length = max(row.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
            for (c, value) in row.enumerated() {
              want.append(activated(value / length * Double(columns).squareRoot() * Double(gamma[c]), activation))
            }
          }
          forEveryInstructionSet { isa in
            var dst = Numbers(zeros: x.count, type)
            unsafe wan_channel_norm(x.bytes, type, gamma, &dst.bytes, rows, columns, activation)
            expectClose(dst, want, "\(isa.rawValue) \(rows)x\(columns)")
          }
        }
      }
    }

    @Test("rows of zeros stay zero") func zeros() {
      let weight = [Float](repeating: 1, count: 19)
      forEveryInstructionSet { _ in
        let x = Numbers(zeros: 19, WAN_F32)
        var dst = Numbers([Float](repeating: 7, count: 19), WAN_F32)
        unsafe wan_channel_norm(x.bytes, WAN_F32, weight, &dst.bytes, 1, 19, WAN_ACT_NONE)
        #expect(dst.values.allSatisfy { $0 == 0 })
      }
    }
  }
}

/// x / sqrt(mean(x^2) + 1e-6) * weight in double.
func rmsNorm(_ x: [Float], _ weight: [Float], rows: Int, columns: Int) -> [Double] {
  var result: [Double] = []
  for r in 0..<rows {
    let row = x[r * columns..<(r + 1) * columns].map(Double.init)
    let mean = row.reduce(0) { $0 + $1 * $1 } / Double(columns)
    let factor = 1 / (mean + Double(Float(1e-6))).squareRoot()
    result += row.indices.map { row[$0] * factor * Double(weight[$0]) }
  }
  return result
}
