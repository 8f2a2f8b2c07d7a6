import CKernels
import Testing

extension KernelTests {
  @Suite("Products of bytes") struct ByteProducts {
    private static func bytes(_ count: Int, _ random: inout Random, least: Int) -> [Int8] {
      (0..<count).map { _ in Int8(least + random.below(128 - least)) }
    }

    private struct Matrix {
      let bytes: [Int8]
      let rows, stride: Int

      init(_ bytes: [Int8], _ rows: Int, _ stride: Int) {
        (self.bytes, self.rows, self.stride) = (bytes, rows, stride)
      }
    }

    private static func multiply(
      _ x: Matrix, sums: [Int32], _ w: Matrix, depth: Int, into found: inout [Int32], stride: Int
    ) {
      var scratch = [UInt8](repeating: 0xA5, count: wan_product_i8_scratch_bytes())
      unsafe found.withUnsafeMutableBufferPointer { found in
        unsafe x.bytes.withUnsafeBufferPointer { rows in
          unsafe w.bytes.withUnsafeBufferPointer { weights in
            unsafe sums.withUnsafeBufferPointer { sums in
              var product = unsafe wan_product_i8_t(
                rows: rows.baseAddress, rows_stride: x.stride, row_sums: sums.baseAddress,
                weights: weights.baseAddress, weights_stride: w.stride, next_weights: nil, codes: nil,
                factors: nil, codes_row: 0, codes_first: 0, next_codes_row: 0, dst: found.baseAddress,
                dst_stride: stride, row_count: x.rows, columns: w.rows, depth: depth)
              unsafe wan_product_i8(&product, &scratch)
            }
          }
        }
      }
    }

    @Test("sums of products are exact, with strides, and nothing else is written", arguments: [1, 5, 12, 97, 193])
    func exact(rows: Int) {
      var random = Random(seed: UInt64(rows))
      for (columns, depth) in [(1, 1), (17, 7), (33, 33), (16, 513), (257, 4), (3, 1030), (2, 0)] {
        let (ldx, ldw, ldd) = (depth + 3, depth + 1, columns + 2)
        let x = Self.bytes(rows * ldx, &random, least: -127)
        let w = Self.bytes(columns * ldw, &random, least: -128)
        let sums = (0..<rows).map { r in x[r * ldx..<r * ldx + depth].reduce(0) { $0 + Int32($1) } }
        var want = [Int32](repeating: 7, count: rows * ldd)
        for r in 0..<rows {
          for n in 0..<columns {
            want[r * ldd + n] = (0..<depth).reduce(0) { $0 + Int32(x[r * ldx + $1]) * Int32(w[n * ldw + $1]) }
          }
        }
        forEveryInstructionSet { isa in
          var found = [Int32](repeating: 7, count: rows * ldd)
          Self.multiply(
            Matrix(x, rows, ldx), sums: sums, Matrix(w, columns, ldw), depth: depth, into: &found, stride: ldd)
          #expect(found == want, "instruction set \(isa.rawValue), \(rows)x\(columns)x\(depth)")
        }
      }
    }

    @Test("the longest rows of the largest bytes do not overflow")
    func largest() {
      let depth = 131_072
      let x = [Int8](repeating: 127, count: depth), w = [Int8](repeating: -128, count: depth)
      forEveryInstructionSet { isa in
        var sum: [Int32] = [0]
        Self.multiply(
          Matrix(x, 1, depth), sums: [127 * 131_072], Matrix(w, 1, depth), depth: depth, into: &sum, stride: 1)
        #expect(sum == [-127 * 128 * 131_072], "instruction set \(isa.rawValue)")
      }
    }

    @Test("rows round to nearest even, to -127 ... 127, each with its scale", arguments: columnCounts)
    func quantized(columns: Int) {
      var random = Random(seed: UInt64(columns))
      let rows = 5
      for type in bothTypes {
        var x = Numbers(random.floats(rows * columns, 9), type)
        for c in 0..<columns { x[2 * columns + c] = c % 2 == 0 ? 0 : 1e-38 }
        x[3 * columns] = .nan
        x[4 * columns + columns - 1] = -.infinity
        forEveryInstructionSet { isa in
          var bytes = [Int8](repeating: 5, count: rows * columns)
          var scales = [Float](repeating: 5, count: rows)
          var sums = [Int32](repeating: 5, count: rows)
          unsafe wan_quantize_rows(x.bytes, type, &bytes, columns, &scales, &sums, rows, columns)
          for r in 0..<2 {
            let row = (0..<columns).map { x[r * columns + $0] }
            let most = row.reduce(0) { max($0, $1.magnitude) }
            #expect(scales[r] == most / 127, "instruction set \(isa.rawValue)")
            let want = row.map { Int8(($0 * (127 / most)).rounded(.toNearestOrEven)) }
            #expect(Array(bytes[r * columns..<(r + 1) * columns]) == want, "instruction set \(isa.rawValue)")
          }
          #expect(scales[2] == 0 && scales[3].isNaN && scales[4].isNaN)
          #expect(bytes[(2 * columns)...].allSatisfy { $0 == 0 })
          let wantedSums = (0..<rows).map { r in bytes[r * columns..<(r + 1) * columns].reduce(0) { $0 + Int32($1) } }
          #expect(sums == wantedSums, "instruction set \(isa.rawValue)")
        }
      }
    }

    @Test("scales, biases and activates rows with strides", arguments: columnCounts) func epilogue(columns: Int) {
      var random = Random(seed: UInt64(columns))
      let (rows, lds, ldd) = (3, columns + 3, columns + 5)
      let sums = (0..<rows * lds).map { _ in Int32(random.below(400_000)) - 200_000 }
      let rowScales = random.floats(rows, 1e-3), columnScales = random.floats(columns, 1e-2)
      let bias = random.floats(columns)
      for type in bothTypes {
        for activation in activations {
          var want = [Double](repeating: 7, count: rows * ldd)
          for r in 0..<rows {
            for c in 0..<columns {
              let product = Double(sums[r * lds + c]) * Double(rowScales[r]) * Double(columnScales[c])
              want[r * ldd + c] = activated(product + Double(bias[c]), activation)
            }
          }
          forEveryInstructionSet { isa in
            var dst = Numbers([Float](repeating: 7, count: rows * ldd), type)
            unsafe wan_scale_bias_activation(
              sums, lds, rowScales, columnScales, bias, &dst.bytes, type, ldd, rows, columns, activation)
            expectClose(dst, want, "\(isa.rawValue) \(rows)x\(columns)")
          }
        }
      }
    }
  }
}
