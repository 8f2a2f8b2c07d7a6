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
        let spoiledRow = backend.linear(
          matrix, backend.prepareLinear(sound, bias: nil, precision: .int8), activation: .none, output: .f32)
        let spoiledOutput = backend.linear(
          sound, backend.prepareLinear(matrix, bias: nil, precision: .int8), activation: .none, output: .f32)
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
      backend.linear(
        x, backend.prepareLinear(weight, bias: nil, precision: precision), activation: .none, output: .f32)
    }
    #expect(relativeError(results[1], results[0]) < 0.015)
  }

  @Test("takes bytes where they are", arguments: [0, 1, 300])
  func inPlace(rows: Int) {
    let backend = CPUBackend(threads: 2)
    let weight = backend.quantizedRows(Tensor.random([24, 40], seed: 5, dtype: .bf16))
    let x = Tensor.random([rows, 40], seed: 6)
    let bias = Tensor.random([24], seed: 7)
    let made = backend.linear(x, backend.prepareLinear(weight, bias: bias), activation: .gelu, output: .bf16)
    let reference = ReferenceBackend()
    let expected = reference.linear(x, reference.prepareLinear(weight, bias: bias), activation: .gelu, output: .bf16)
    #expect(relativeError(made, expected) < 1e-3)
  }
}
