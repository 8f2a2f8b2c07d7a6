import CKernels
import Testing

extension KernelTests {
  @Suite("Conversion") struct Conversion {
    @Test("names an instruction set and never rises above it") func limit() {
      let best = wan_isa_detected()
      #expect(wan_isa() == best)
      wan_isa_limit(WAN_ISA_PORTABLE)
      #expect(wan_isa() == WAN_ISA_PORTABLE)
      wan_isa_limit(WAN_ISA_AVX512_BF16)
      #expect(wan_isa() == best)
    }

    @Test("widens every bit pattern") func widen() {
      let bits = (0...UInt16.max).map { $0 }
      forEveryInstructionSet { isa in
        var wide = [Float](repeating: 0, count: bits.count)
        unsafe wan_widen_bf16(bits, &wide, bits.count)
        #expect(wide.map(\.bitPattern) == bits.map { UInt32($0) << 16 }, "instruction set \(isa.rawValue)")
      }
    }

    @Test("rounds to nearest even, keeps infinities and quiets NaN") func round() {
      var random = Random(seed: 1)
      var values: [Float] = [0, -0, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
      values += [Float(bitPattern: 0x7F80_0001), Float(bitPattern: 0xFFFF_FFFF), Float(bitPattern: 0x7FFF_8000)]
      for high in [UInt32(0x3F80), 0x3F81, 0xBF80, 0xC2C3, 0x0001, 0x7F7F] {
        for low in [UInt32(0), 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF] { values.append(Float(bitPattern: high << 16 | low)) }
      }
      for _ in 0..<2000 { values.append(Float(bitPattern: UInt32(truncatingIfNeeded: random.word()))) }
      forEveryInstructionSet { isa in
        var bits = [UInt16](repeating: 0, count: values.count)
        unsafe wan_round_bf16(values, &bits, values.count)
        #expect(bits == values.map(roundedToBF16), "instruction set \(isa.rawValue)")
      }
    }

    @Test("writes no element past the count", arguments: 0..<40) func count(count: Int) {
      let values = [Float](repeating: 1.5, count: 64)
      forEveryInstructionSet { isa in
        var bits = [UInt16](repeating: 7, count: 64)
        var wide = [Float](repeating: 7, count: 64)
        unsafe wan_round_bf16(values, &bits, count)
        unsafe wan_widen_bf16(bits, &wide, count)
        #expect(bits == (0..<64).map { $0 < count ? 0x3FC0 : 7 }, "instruction set \(isa.rawValue)")
        #expect(wide == (0..<64).map { $0 < count ? 1.5 : 7 }, "instruction set \(isa.rawValue)")
      }
    }
  }
}
