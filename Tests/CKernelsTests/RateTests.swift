import CKernels
import Testing

extension KernelTests {
  @Suite("Loops of multiply-adds") struct Rates {
    private static let sets = [WAN_ISA_PORTABLE, WAN_ISA_AVX2, WAN_ISA_AVX512, WAN_ISA_AVX512_BF16]

    @Test(
      "are counted by their rounds, and take as long as that many instructions: no compiler has folded them",
      arguments: [WAN_FACTORS_F32, WAN_FACTORS_BF16, WAN_FACTORS_I8])
    func loops(factors: wan_factors_t) {
      defer { wan_isa_limit(wan_isa_detected()) }
      for set in Self.sets where set.rawValue <= wan_isa_detected().rawValue {
        wan_isa_limit(set)
        let rounds = 1 << 20
        var operations = 0.0
        let seconds = ContinuousClock().measure { operations = wan_multiply_loop(factors, rounds) } / .seconds(1)
        #expect(operations == Double(rounds) * wan_multiply_loop(factors, 1))
        // Twelve instructions a round, of which no processor begins more than four a cycle, nor six cycles a nanosecond.
        #expect(seconds > Double(12 * rounds) / 24e9, "\(set): \(operations / seconds)")
      }
    }
  }
}
