import CKernels
import Testing

extension KernelTests {
  @Suite("Elementwise") struct Elementwise {
    @Test("sums and products for every pair of types", arguments: [0] + columnCounts) func sums(count: Int) {
      var random = Random(seed: UInt64(count))
      for xType in bothTypes {
        for yType in bothTypes {
          let x = Numbers(random.floats(count, 3), xType)
          let y = Numbers(random.floats(count, 3), yType)
          let pairs = zip(x.values, y.values).map { (Double($0), Double($1)) }
          forEveryInstructionSet { isa in
            var dst = Numbers(zeros: count, xType)
            unsafe wan_add(x.bytes, xType, y.bytes, yType, &dst.bytes, count)
            expectClose(dst, pairs.map { $0.0 + $0.1 }, "\(isa.rawValue) sum of \(count)")
            unsafe wan_multiply(x.bytes, xType, y.bytes, yType, &dst.bytes, count)
            expectClose(dst, pairs.map { $0.0 * $0.1 }, "\(isa.rawValue) product of \(count)")
          }
        }
      }
    }

    @Test("adds gated rows", arguments: columnCounts) func gated(columns: Int) {
      var random = Random(seed: UInt64(columns))
      let gate = random.floats(columns)
      for rows in rowCounts {
        for type in bothTypes {
          let x = random.floats(rows * columns)
          let y = Numbers(random.floats(rows * columns), type)
          let want = x.indices.map { Double(x[$0]) + Double(y[$0]) * Double(gate[$0 % columns]) }
          forEveryInstructionSet { isa in
            var sum = x
            unsafe wan_add_gated(&sum, y.bytes, type, gate, rows, columns)
            expectClose(Numbers(sum, WAN_F32), want, "\(isa.rawValue) \(rows)x\(columns)")
          }
        }
      }
    }

    @Test("means of groups", arguments: [1, 2, 3, 4, 8, 17]) func means(size: Int) {
      var random = Random(seed: UInt64(size))
      for type in bothTypes {
        for count in [0, 1, 5, 16] {
          let x = Numbers(random.floats(count * size), type)
          let want = (0..<count).map { i in
            x.values[i * size..<(i + 1) * size].reduce(0) { $0 + Double($1) } / Double(size)
          }
          var dst = Numbers(zeros: count, type)
          unsafe wan_mean_of_groups(x.bytes, type, &dst.bytes, count, size)
          expectClose(dst, want, "\(count) of \(size)")
        }
      }
    }
  }
}
