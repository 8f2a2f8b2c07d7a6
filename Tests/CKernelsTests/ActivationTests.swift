import CKernels
import Foundation
import Testing

/// The activations in double, from their definitions; 1 + tanh u is 2 / (1 + e^-2u).
func activated(_ x: Double, _ activation: wan_activation_t) -> Double {
  switch activation {
  case WAN_ACT_SILU: return x / (1 + exp(-x))
  case WAN_ACT_GELU:
    let u = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
    return x / (1 + exp(-2 * u))
  case WAN_ACT_RELU: return max(x, 0)
  default: return x
  }
}

let activations = [WAN_ACT_NONE, WAN_ACT_SILU, WAN_ACT_GELU, WAN_ACT_RELU]

extension KernelTests {
  @Suite("Activations") struct Activations {
    @Test("the oracle's GELU is the tanh form") func oracle() {
      for x in stride(from: -3.0, through: 3, by: 0.25) {
        let u = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
        #expect(abs(activated(x, WAN_ACT_GELU) - 0.5 * x * (1 + tanh(u))) < 1e-15)
      }
    }

    @Test("activations are accurate to their own size from -8 to 40", arguments: activations.indices)
    func accuracy(kind: Int) {
      let activation = activations[kind]
      let values = (0..<4801).map { Float($0) / 100 - 8 }
      forEveryInstructionSet { isa in
        let x = Numbers(values, WAN_F32)
        var y = Numbers(zeros: values.count, WAN_F32)
        unsafe wan_activate(x.bytes, WAN_F32, &y.bytes, x.count, activation)
        var worst = 0.0
        for (i, value) in values.enumerated() where value != 0 {
          let want = activated(Double(value), activation)
          worst = max(worst, abs(Double(y[i]) - want) / max(abs(want), 1e-30))
        }
        #expect(worst < (activation == WAN_ACT_GELU ? 6e-6 : 1e-6), "instruction set \(isa.rawValue): \(worst)")
      }
    }

    @Test("activations of extreme numbers are their limits, and NaN stays NaN") func extremes() {
      forEveryInstructionSet { _ in
        for activation in [WAN_ACT_SILU, WAN_ACT_GELU, WAN_ACT_RELU] {
          let x = Numbers([.nan, 1e30, -1e30, 200, -200, 0, .infinity], WAN_F32)
          var y = Numbers(zeros: x.count, WAN_F32)
          unsafe wan_activate(x.bytes, WAN_F32, &y.bytes, x.count, activation)
          #expect(y[0].isNaN && y[1] == 1e30 && abs(y[2]) < 1e-6 && y[3] == 200)
          #expect(abs(y[4]) < 1e-30 && y[5] == 0 && y[6] == .infinity)
        }
      }
    }

    @Test("adds a bias and activates rows with strides", arguments: columnCounts) func epilogue(columns: Int) {
      var random = Random(seed: UInt64(columns))
      let bias = random.floats(columns)
      for rows in rowCounts {
        let (lds, ldd) = (columns + 3, columns + 5)
        let src = random.floats(rows * lds, 4)
        for type in bothTypes {
          for (activation, biased) in [(WAN_ACT_NONE, true), (WAN_ACT_SILU, false), (WAN_ACT_GELU, true)] {
            var want = [Double](repeating: 7, count: rows * ldd)
            for r in 0..<rows {
              for c in 0..<columns {
                let sum = Double(src[r * lds + c]) + (biased ? Double(bias[c]) : 0)
                want[r * ldd + c] = activated(sum, activation)
              }
            }
            forEveryInstructionSet { isa in
              var dst = Numbers([Float](repeating: 7, count: rows * ldd), type)
              if biased {
                unsafe wan_bias_activation(src, lds, bias, &dst.bytes, type, ldd, rows, columns, activation)
              } else {
                unsafe wan_bias_activation(src, lds, nil, &dst.bytes, type, ldd, rows, columns, activation)
              }
              expectClose(dst, want, "\(isa.rawValue) \(rows)x\(columns)")
            }
          }
        }
      }
    }

    @Test("works in place") func inPlace() {
      var random = Random(seed: 5)
      let src = random.floats(3 * 37, 3)
      let want = src.map { activated(Double($0), WAN_ACT_SILU) }
      forEveryInstructionSet { isa in
        var x = src
        unsafe x.withUnsafeMutableBufferPointer { memory in
          guard let base = memory.baseAddress else { return }
          unsafe wan_bias_activation(base, 37, nil, base, WAN_F32, 37, 3, 37, WAN_ACT_SILU)
        }
        expectClose(Numbers(x, WAN_F32), want, "\(isa.rawValue)")
      }
    }
  }
}
