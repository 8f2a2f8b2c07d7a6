import CPUBackend
import Tensors
import TestSupport
import Testing

struct QuantizedLinearTests {
  static let sets = InstructionSet.allCases.filter { $0 <= InstructionSet.detected }

  @Test("a NaN or an infinity spoils its own row, or its own output, and nothing else", arguments: sets)
  func notFinite(set: InstructionSet) {
    for backend in [CPUBackend(threads: 2, instructionSet: set), ReferenceBackend()] as [any Backend] {
      for bad in [Float.nan, .infinity, -.infinity] {
        var numbers = Tensor.random([9, 33], seed: 1).floats()
        numbers[4 * 33 + 7] = bad
        let matrix = Tensor(numbers, shape: [9, 33])
        let sound = Tensor.random([5, 33], seed: 2)
        let (soundLinear, spoiledLinear) = (
          backend.prepare(.dense(sound), bias: nil, precision: .int8),
          backend.prepare(.dense(matrix), bias: nil, precision: .int8)
        )
        let spoiledRow = soundLinear(matrix)
        let spoiledOutput = spoiledLinear(sound)
        for r in 0..<9 {
          for c in 0..<5 {
            #expect(spoiledRow[r].floats()[c].isNaN == (r == 4))
            #expect(spoiledOutput[c].floats()[r].isNaN == (r == 4))
          }
        }
      }
    }
  }

  @Test("is near the float32 product")
  func close() {
    let backend = CPUBackend(threads: 2)
    let (x, weight) = (Tensor.random([70, 600], seed: 3), Tensor.random([90, 600], seed: 4))
    let results = [Precision.f32, .int8].map { precision in
      let linear = backend.prepare(.dense(weight), bias: nil, precision: precision)
      return linear(x)
    }
    #expect(relativeError(results[1], results[0]) < 0.015)
  }

  @Test("takes bytes where they are", arguments: [0, 1, 300])
  func inPlace(rows: Int) {
    let backend = CPUBackend(threads: 2)
    let weight = backend.quantizedRows(Tensor.random([24, 40], seed: 5, dtype: .bf16))
    let x = Tensor.random([rows, 40], seed: 6)
    let bias = Tensor.random([24], seed: 7)
    let results = [backend, ReferenceBackend()].map { (backend: any Backend) in
      let linear = backend.prepare(.scaledRows(weight), bias: bias, precision: .int8)
      return linear(x, activation: .gelu, output: .bf16)
    }
    #expect(relativeError(results[0], results[1]) < 1e-3)
  }
}
