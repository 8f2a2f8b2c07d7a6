import CKernels
import Testing

/// The instruction set in use is one for the whole process, so all these tests take turns.
@Suite("Kernels", .serialized) struct KernelTests {}

/// SplitMix64: the same numbers in every run.
struct Random {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func word() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in -1 ..< 1, times `amplitude`.
  mutating func float(_ amplitude: Float = 1) -> Float {
    (Float(word() >> 40) / 8_388_608 - 1) * amplitude
  }

  mutating func floats(_ count: Int, _ amplitude: Float = 1) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(count)
    for _ in 0..<count { result.append(float(amplitude)) }
    return result
  }

  mutating func below(_ bound: Int) -> Int { Int(word() % UInt64(bound)) }
}

/// Numbers of either type in the bytes that the kernels see.
struct Numbers {
  let type: wan_dtype_t
  var bytes: [UInt8]

  init(zeros count: Int, _ type: wan_dtype_t) {
    self.type = type
    bytes = Array(repeating: 0, count: count * (type == WAN_F32 ? 4 : 2))
  }

  init(_ values: [Float], _ type: wan_dtype_t) {
    self.init(zeros: values.count, type)
    for (i, value) in values.enumerated() { self[i] = value }
  }

  var count: Int { bytes.count / (type == WAN_F32 ? 4 : 2) }

  var values: [Float] { (0..<count).map { self[$0] } }

  subscript(i: Int) -> Float {
    get {
      if type == WAN_F32 { return Float(bitPattern: word(at: i * 4, size: 4)) }
      return Float(bitPattern: word(at: i * 2, size: 2) << 16)
    }
    set {
      if type == WAN_F32 {
        put(newValue.bitPattern, at: i * 4, size: 4)
      } else {
        put(UInt32(roundedToBF16(newValue)), at: i * 2, size: 2)
      }
    }
  }

  private func word(at offset: Int, size: Int) -> UInt32 {
    var result: UInt32 = 0
    for i in 0..<size { result |= UInt32(bytes[offset + i]) << UInt32(8 * i) }
    return result
  }

  private mutating func put(_ word: UInt32, at offset: Int, size: Int) {
    for i in 0..<size { bytes[offset + i] = UInt8(truncatingIfNeeded: word >> UInt32(8 * i)) }
  }
}

/// Rounding by the rule's own words: the nearer neighbour, at a tie the one with an even last bit.
func roundedToBF16(_ value: Float) -> UInt16 {
  let low = UInt16(truncatingIfNeeded: value.bitPattern >> 16)
  if value.isNaN { return low | 0x40 }
  switch value.bitPattern & 0xFFFF {
  case ..<0x8000: return low
  case 0x8000: return low + (low & 1)
  default: return low + 1
  }
}

/// Runs the body once under each instruction set of this machine.
func forEveryInstructionSet(_ body: (wan_isa_t) throws -> Void) rethrows {
  let best = wan_isa_detected()
  defer { wan_isa_limit(best) }
  for isa in [WAN_ISA_PORTABLE, WAN_ISA_AVX2, WAN_ISA_AVX512, WAN_ISA_AVX512_BF16] where isa.rawValue <= best.rawValue {
    wan_isa_limit(isa)
    try body(isa)
  }
}

let bothTypes = [WAN_F32, WAN_BF16]

/// Checks every number: float32 to `tolerance` of its own size and of the root mean square of all; bfloat16 to half a
/// unit in its last place more.
func expectClose(
  _ found: Numbers, _ wanted: [Double], tolerance: Double = 2e-6, _ label: @autoclosure () -> String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.count == wanted.count else {
    Issue.record("\(label()): \(found.count) numbers, not \(wanted.count)", sourceLocation: sourceLocation)
    return
  }
  let square = wanted.reduce(0) { $0 + $1 * $1 } / Double(max(wanted.count, 1))
  let relative = found.type == WAN_F32 ? tolerance : tolerance + 1.0 / 256
  for (i, want) in wanted.enumerated() {
    let error = abs(Double(found[i]) - want)
    if !(error <= relative * abs(want) + tolerance * square.squareRoot()) {
      Issue.record("\(label()): [\(i)] is \(found[i]), not \(want)", sourceLocation: sourceLocation)
      return
    }
  }
}

let rowCounts = [0, 1, 3]
let columnCounts = [1, 2, 3, 7, 8, 15, 16, 17, 31, 64, 67, 96, 131]
