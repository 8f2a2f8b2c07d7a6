import Tensors
import TestSupport
import Testing

@testable import CPUBackend

struct CodedMatrixTests {
  static let sets = InstructionSet.allCases.filter { $0 <= InstructionSet.detected }

  /// Codes of any bytes below a bound, with scales that are numbers where the bound is small.
  private func matrix(_ coding: ElementCoding, rows: Int, columns: Int, below bound: UInt8, seed: UInt64)
    -> EncodedMatrix
  {
    var generator = SeededGenerator(seed: seed)
    let bytes = columns / coding.block.elements * coding.block.bytes
    let codes = (0..<rows * bytes).map { _ in UInt8.random(in: 0..<bound, using: &generator) }
    return EncodedMatrix(
      shape: [rows, columns], coding: coding, codes: Tensor(bytes: codes).reshaped([rows, bytes]))
  }

  @Test("every byte of every form decodes to the same numbers as in the plain text", arguments: ElementCoding.allCases)
  func sameNumbers(coding: ElementCoding) {
    let matrix = matrix(coding, rows: 40, columns: 1024, below: 255, seed: 3)
    let expected = matrix.floats.floats()
    for set in Self.sets {
      let backend = CPUBackend(threads: 2, instructionSet: set)
      let found = backend.decoded(matrix, as: .f32).floats()
      let differences = zip(found, expected).filter { !($0.isNaN && $1.isNaN) && $0.bitPattern != $1.bitPattern }
      let count = differences.count
      #expect(count == 0, "\(coding) \(set): such as \(differences.first ?? (0, 0))")
    }
  }

  @Test(
    "a row that ends within a group is read to its end and no further", arguments: [ElementCoding.e4m3, .e5m2, .e2m1])
  func shortRows(coding: ElementCoding) {
    for columns in [2, 30, 34, 70] {
      let matrix = matrix(coding, rows: 3, columns: columns, below: 100, seed: 5)
      #expect(CPUBackend(threads: 1).decoded(matrix, as: .f32).floats() == matrix.floats.floats())
    }
  }

  @Test("factors on rows, on stretches and on all are multiplied in the same order")
  func scales() {
    for (rows, width) in [(1, 96), (9, 96), (9, 16), (9, 32), (1, 32)] {
      let plain = matrix(.e4m3, rows: 9, columns: 96, below: 120, seed: 6)
      let values = Tensor.random([rows, (96 + width - 1) / width], seed: 7)
      let scaled = EncodedMatrix(
        shape: plain.shape, coding: .e4m3, codes: plain.codes,
        scales: BlockScales(values: values, width: width, factor: 0.3))
      #expect(CodedMatrix(scaled, decoded: .f32) != nil)
      #expect(CPUBackend(threads: 2).decoded(scaled, as: .f32).floats() == scaled.floats.floats())
    }
  }

  @Test("a product of codes has the bits of a product of their numbers", arguments: ElementCoding.allCases)
  func sameProducts(coding: ElementCoding) {
    let matrix = matrix(coding, rows: 300, columns: 1280, below: 40, seed: 8)
    let (x, bias) = (Tensor.random([75, 1280], seed: 9), Tensor.random([300], seed: 10))
    for set in Self.sets {
      let backend = CPUBackend(threads: 2, instructionSet: set, idleLimit: 0, packs: false)
      for (precision, dtype) in [(Precision.f32, DType.f32), (.bf16, .bf16), (.int8, .f32)] {
        let numbers = backend.decoded(matrix, as: dtype)
        let found = backend.prepare(.encoded(matrix), bias: bias, precision: precision)
        let expected = backend.prepare(.dense(numbers), bias: bias, precision: precision)
        let a = found(x, activation: .none, output: .f32).floats()
        let b = expected(x, activation: .none, output: .f32).floats()
        let same = a == b
        #expect(same, "\(coding) \(set) \(precision)")
        let isFinite = a.allSatisfy { $0.isFinite }
        #expect(isFinite)
      }
    }
  }

  @Test("halves are multiplied where they lie, as their numbers are", arguments: sets)
  func halves(set: InstructionSet) {
    let numbers = Tensor.random([290, 700], seed: 12, dtype: .f16)
    check(.dense(numbers), against: numbers.converted(to: .f32), set)
  }

  @Test("bytes with scales are multiplied where they lie, as their numbers are", arguments: sets)
  func bytes(set: InstructionSet) {
    let rows = CPUBackend(threads: 2).quantizedRows(Tensor.random([290, 700], seed: 13))
    check(.scaledRows(rows), against: rows.floats, set)
  }

  private func check(_ stored: StoredMatrix, against dense: Tensor, _ set: InstructionSet) {
    let backend = CPUBackend(threads: 2, instructionSet: set, idleLimit: 0, packs: false)
    let x = Tensor.random([40, 700], seed: 11)
    for precision in [Precision.f32, .bf16] {
      #expect(backend.coded(stored, precision) != nil)
      let dtype: DType = precision == .f32 ? .f32 : .bf16
      let found = backend.prepare(stored, bias: nil, precision: precision)
      let expected = backend.prepare(.dense(dense.converted(to: dtype)), bias: nil, precision: precision)
      let (a, b) = (found(x, activation: .silu, output: .bf16), expected(x, activation: .silu, output: .bf16))
      let same = a.floats() == b.floats()
      #expect(same, "\(set) \(precision)")
    }
  }
}
