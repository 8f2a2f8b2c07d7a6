import CKernels
import Testing

extension KernelTests {
  @Suite("Products") struct Products {
    @Test(
      "multiplies rows anywhere in memory by a matrix with a stride, alone and on top of what is there",
      arguments: [
        (1, 1, 1), (5, 3, 7), (6, 16, 8), (7, 17, 9), (13, 33, 31), (96, 32, 64), (97, 70, 513), (200, 12, 1030),
      ])
    func product(rows: Int, columns: Int, depth: Int) {
      var random = Random(seed: UInt64(rows * 1000 + columns))
      let (stride, offset) = (depth + 3, 2)
      let numbers = random.floats(rows * (depth + 5))
      for (rowType, type) in [(WAN_F32, WAN_F32), (WAN_F32, WAN_BF16), (WAN_BF16, WAN_BF16)] {
        let x = Numbers(numbers, rowType)
        let weights = Numbers(random.floats(columns * stride), type)
        let (left, right) = (x.values, weights.values)
        var want = [Double](repeating: 0, count: rows * columns)
        for r in 0..<rows {
          for n in 0..<columns {
            for k in 0..<depth {
              want[r * columns + n] += Double(left[r * (depth + 5) + offset + k]) * Double(right[n * stride + k])
            }
          }
        }
        forEveryInstructionSet { isa in
          guard rowType == WAN_F32 || isa == WAN_ISA_AVX512_BF16 else { return }
          let once = multiplied(x, weights, rows, columns, depth, times: 1)
          expectClose(once, want, tolerance: 4e-6, "\(isa.rawValue): \(rows)x\(depth)x\(columns)")
          let twice = multiplied(x, weights, rows, columns, depth, times: 2)
          expectClose(
            twice, want.map { 2 * $0 }, tolerance: 4e-6, "\(isa.rawValue), added: \(rows)x\(depth)x\(columns)")
        }
      }
    }

    @Test("gives the same bits however rows and columns are cut") func cuts() {
      var random = Random(seed: 3)
      let (rows, columns, depth) = (150, 64, 700)
      let x = random.floats(rows * (depth + 5))
      let matrix = random.floats(columns * (depth + 3))
      for type in bothTypes {
        let (weights, below) = (Numbers(matrix, type), Numbers(Array(x[(7 * (depth + 5))...]), type))
        forEveryInstructionSet { isa in
          guard type == WAN_F32 || isa == WAN_ISA_AVX512_BF16 else { return }
          let whole = multiplied(Numbers(x, type), weights, rows, columns, depth, times: 1).values
          let part = multiplied(below, weights, 11, 5, depth, times: 1).values
          for r in 0..<11 {
            for n in 0..<5 { #expect(part[r * 5 + n] == whole[(r + 7) * columns + n]) }
          }
        }
      }
    }

    /// x [rows, depth + 5] from its third column on, times weights [columns, depth + 3]; the sum of `times` products.
    private func multiplied(
      _ x: Numbers, _ weights: Numbers, _ rows: Int, _ columns: Int, _ depth: Int, times: Int
    ) -> Numbers {
      let (width, type) = (wan_product_columns(columns), weights.type)
      var dst = [Float](repeating: .nan, count: rows * width)
      var scratch = [UInt8](repeating: 0, count: wan_product_scratch_bytes(columns, depth))
      unsafe x.bytes.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        let size = x.type == WAN_BF16 ? 2 : 4
        let addresses = unsafe (0..<rows).map { unsafe UnsafeRawPointer?(base + $0 * (depth + 5) * size) }
        unsafe addresses.withUnsafeBufferPointer { addresses in
          unsafe weights.bytes.withUnsafeBytes { weights in
            unsafe dst.withUnsafeMutableBufferPointer { dst in
              for time in 0..<times {
                var product = unsafe wan_product_t(
                  rows: addresses.baseAddress, rows_type: x.type, row_offset: 2, row_count: rows, columns: columns,
                  depth: depth, weights: weights.baseAddress, weights_type: type, weights_stride: depth + 3,
                  next_weights: time == 0 ? weights.baseAddress : nil, codes: nil, codes_row: 0, next_codes_row: 0,
                  dst: dst.baseAddress, dst_stride: width, adds: time > 0 ? 1 : 0)
                unsafe wan_product(&product, &scratch)
              }
            }
          }
        }
      }
      return Numbers((0..<rows * columns).map { dst[$0 / columns * width + $0 % columns] }, WAN_F32)
    }
  }
}
