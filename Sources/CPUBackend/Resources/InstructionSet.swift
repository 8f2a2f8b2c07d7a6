import CKernels

/// The instruction sets that the kernels have variants for, in rising order.
public enum InstructionSet: String, Sendable, Hashable, CaseIterable, Comparable {
  /// Plain C, as the compiler translates it for any processor.
  case portable
  /// AVX2 with FMA and F16C.
  case avx2
  /// AVX-512 F, DQ, BW and VL.
  case avx512
  /// AVX-512 with bfloat16 dot products.
  case avx512bf16

  /// The best set this machine has.
  public static var detected: InstructionSet { InstructionSet(wan_isa_detected()) }

  public static func < (left: InstructionSet, right: InstructionSet) -> Bool {
    left.kernels.rawValue < right.kernels.rawValue
  }

  private init(_ isa: wan_isa_t) {
    self = InstructionSet.allCases.first { $0.kernels == isa } ?? .portable
  }

  var kernels: wan_isa_t {
    switch self {
    case .portable: WAN_ISA_PORTABLE
    case .avx2: WAN_ISA_AVX2
    case .avx512: WAN_ISA_AVX512
    case .avx512bf16: WAN_ISA_AVX512_BF16
    }
  }
}
