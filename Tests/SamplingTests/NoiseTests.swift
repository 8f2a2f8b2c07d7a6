import Foundation
import Sampling
import Tensors
import TestSupport
import Testing

@Suite("Noise")
struct NoiseTests {
  @Test("the CPU generator gives torch's numbers, bit for bit")
  func goldenRandn() throws {
    struct Misc: Decodable {
      struct Case: Decodable {
        let seed: UInt64
        let shape: [Int]
      }
      let randn: [Case]
    }
    let tensors = try Golden.tensors("parts/misc.safetensors")
    for (i, recorded) in try Golden.json("parts/misc.json", as: Misc.self).randn.enumerated() {
      let noise = NoiseSource.cpu.normal(seed: recorded.seed, shape: Shape(recorded.shape))
      let expected = try #require(tensors["randn.\(i)"])
      #expect(noise.shape == expected.shape)
      #expect(bits(noise) == bits(expected), "seed \(recorded.seed), \(recorded.shape)")
    }
  }

  @Test("several draws from one CPU generator, short and long")
  func severalDraws() throws {
    struct Case: Decodable {
      let seed: UInt64
      let counts: [Int]
    }
    let base = Golden.fixturesFolder + "/Sampling/randn"
    let tensors = try TensorFile.read(base + ".safetensors")
    for (i, recorded) in try JSONDecoder().decode([Case].self, from: Golden.data(base + ".json")).enumerated() {
      var generator = TorchCPUGenerator(seed: recorded.seed)
      for (j, count) in recorded.counts.enumerated() {
        let expected = try #require(tensors["\(i).\(j)"])
        #expect(bits(generator.normal([count])) == bits(expected), "seed \(recorded.seed), draw \(j)")
      }
    }
  }

  @Test("the CUDA generator's first numbers for seed 0")
  func knownPhilox() {
    let expected: [Float] = [
      -0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564, -0.62285122, -0.32838709,
      -1.07454231, -0.36314407, -1.67105067, 2.26550497,
    ]
    let noise = NoiseSource.cuda().normal(seed: 0, shape: [3, 4]).floats()
    #expect(relativeError(noise, expected) < 1e-7)
    #expect(zip(noise, expected).allSatisfy { abs($0 - $1) <= $1.ulp })
  }

  @Test("up to a full card, an element depends on its index alone")
  func indexAlone() {
    let short = NoiseSource.cuda().normal(seed: 7, shape: [300]).floats()
    let long = NoiseSource.cuda().normal(seed: 7, shape: [2000]).floats()
    let elsewhere = NoiseSource.cuda(multiprocessors: 16, threadsPerMultiprocessor: 1536).normal(seed: 7, shape: [300])
    #expect(short == Array(long.prefix(300)))
    #expect(short == elsewhere.floats())
  }

  @Test("past a full card, threads take strides over the draw, four numbers per call")
  func gridStride() {
    let threads = 256  // one multiprocessor of 256 threads
    func card(_ seed: UInt64) -> CUDAGenerator {
      CUDAGenerator(seed: seed, multiprocessors: 1, threadsPerMultiprocessor: 300)
    }
    var first = card(3)
    let draw = first.normal([threads * 4 + 10]).floats()
    let full = NoiseSource.cuda().normal(seed: 3, shape: [threads]).floats()
    #expect(Array(draw.prefix(threads)) == full, "the first stretch is a whole grid's first numbers")
    var second = card(3)
    _ = second.normal([1])
    let next = second.normal([10]).floats()
    #expect(Array(draw.suffix(10)) == next, "the second call of a thread is the first call of a later draw")
    #expect(Set(draw).count > draw.count - 3, "no number comes twice")
  }

  @Test("a later draw goes on where the one before stopped")
  func offsets() {
    var generator = CUDAGenerator(seed: 5, multiprocessors: 1, threadsPerMultiprocessor: 256)
    let long = NoiseSource.cuda(multiprocessors: 1, threadsPerMultiprocessor: 256).normal(seed: 5, shape: [256 * 12])
    _ = generator.normal([256 * 4 + 1])  // two calls per thread
    _ = generator.normal([0])
    #expect(Array(long.floats().suffix(256 * 4)) == generator.normal([256 * 4]).floats())
  }

  @Test("all 64 bits of a CUDA seed count, 32 of a CPU seed", arguments: [UInt64(1) << 40])
  func seeds(high: UInt64) {
    let cuda = NoiseSource.cuda()
    #expect(cuda.normal(seed: 3, shape: [4]).floats() != cuda.normal(seed: 3 + high, shape: [4]).floats())
    let cpu = NoiseSource.cpu
    #expect(cpu.normal(seed: 3, shape: [4]).floats() == cpu.normal(seed: 3 + high, shape: [4]).floats())
  }

  @Test("both sources are normal", arguments: [NoiseSource.cpu, .cuda()])
  func moments(source: NoiseSource) {
    let values = source.normal(seed: 11, shape: [20_000]).floats().map { Double($0) }
    let mean = values.reduce(0, +) / 20_000
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.04)
    #expect(source.normal(seed: 1, shape: [2, 0]).shape == [2, 0])
  }

  private func bits(_ tensor: Tensor) -> [UInt32] { tensor.floats().map(\.bitPattern) }

  @Test("draws that are told of earlier ones go on after them", arguments: [NoiseSource.cpu, .cuda()])
  func position(source: NoiseSource) {
    var (generator, draws) = (source.generator(seed: 3), NoiseDraws(source, seed: 3))
    let counts = [5, 1000, 16]
    for count in counts { #expect(draws.next([count]).floats() == generator.normal([count]).floats()) }
    #expect(draws.counts == counts)
    var other = NoiseDraws(source, seed: 3, after: counts)
    #expect(generator.normal([40]).floats() == other.next([40]).floats())
    #expect(other.counts == counts + [40])
  }
}
