public import Tensors

/// `torch.Generator("cpu")` and what `torch.randn` draws from it, float32.
///
/// Bit for bit what torch gives on x86 with AVX2. On other machines torch takes other roads to logarithm and sine and
/// differs from this in the last bit of some numbers.
public struct TorchCPUGenerator: NormalGenerator {
  private var twister: MersenneTwister
  /// The second number of a pair whose first was already given out; only draws of fewer than 16 use it.
  private var spare: Double?

  /// - Parameter seed: as for `manual_seed`; torch too uses the lower 32 bits alone.
  public init(seed: UInt64) {
    twister = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
  }

  public mutating func normal(_ shape: Shape) -> Tensor {
    let count = shape.count
    return Tensor(count < Self.block ? (0..<count).map { _ in single() } : filled(count), shape: shape)
  }

  /// Numbers that are made together.
  private static let block = 16

  /// Uniform numbers for the whole draw, then pairs of normal ones, block by block.
  ///
  /// What does not fill a block is replaced with the end of one more block over the last 16 places.
  private mutating func filled(_ count: Int) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    for i in values.indices { values[i] = uniform() }
    for start in stride(from: 0, through: count - Self.block, by: Self.block) {
      Self.makeNormal(&values, from: start)
    }
    if count % Self.block != 0 {
      for i in count - Self.block..<count { values[i] = uniform() }
      Self.makeNormal(&values, from: count - Self.block)
    }
    return values
  }

  /// Box-Muller over eight pairs, eight places apart.
  private static func makeNormal(_ values: inout [Float], from start: Int) {
    for i in start..<start + block / 2 {
      let radius = (-2 * CephesMath.ln(1 - values[i])).squareRoot()
      let (sine, cosine) = CephesMath.sineAndCosine(Float(2 * Double.pi) * values[i + block / 2])
      values[i] = radius * cosine
      values[i + block / 2] = radius * sine
    }
  }

  /// 24 random bits in 0..<1.
  private mutating func uniform() -> Float {
    Float(twister() & 0xFF_FFFF) * 0x1p-24
  }

  /// 53 random bits in 0..<1.
  private mutating func preciseUniform() -> Double {
    let high = UInt64(twister())
    return Double((high << 32 | UInt64(twister())) & 0x1F_FFFF_FFFF_FFFF) * 0x1p-53
  }

  /// One number by Box-Muller in float64.
  private mutating func single() -> Float {
    if let value = spare {
      spare = nil
      return Float(value)
    }
    let (turn, size) = (preciseUniform(), preciseUniform())
    let radius = (-2 * DoubleMath.lnOnePlus(-size)).squareRoot()
    let angle = 2 * Double.pi * turn
    spare = radius * DoubleMath.sine(angle)
    return Float(radius * DoubleMath.cosine(angle))
  }
}

/// MT19937 (Matsumoto and Nishimura, 1998).
struct MersenneTwister: Sendable {
  private var state: [UInt32]
  private var next = Self.size

  private static let size = 624
  private static let middle = 397

  init(seed: UInt32) {
    state = [seed]
    state.reserveCapacity(Self.size)
    for i in 1..<UInt32(Self.size) {
      let last = state[Int(i) - 1]
      state.append(1_812_433_253 &* (last ^ (last >> 30)) &+ i)
    }
  }

  mutating func callAsFunction() -> UInt32 {
    if next == Self.size { twist() }
    var y = state[next]
    next += 1
    y ^= y >> 11
    y ^= (y << 7) & 0x9D2C_5680
    y ^= (y << 15) & 0xEFC6_0000
    return y ^ (y >> 18)
  }

  private mutating func twist() {
    for i in 0..<Self.size {
      let y = (state[i] & 0x8000_0000) | (state[(i + 1) % Self.size] & 0x7FFF_FFFF)
      state[i] = state[(i + Self.middle) % Self.size] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_B0DF)
    }
    next = 0
  }
}
