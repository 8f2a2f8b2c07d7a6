import Tensors
import TestSupport
import Testing

@Suite("Shape, DType and Tensor")
struct TensorTests {
  @Test("a shape knows its count, rows and strides")
  func shape() {
    let shape: Shape = [2, 3, 4]
    #expect(shape.rank == 3)
    #expect(shape.count == 24)
    #expect(shape.last == 4)
    #expect(shape.rows == 6)
    #expect(shape.strides == [12, 4, 1])
    #expect(shape[1] == 3)
    #expect(shape.replacingLast(5) == [2, 3, 5])
    #expect("\(shape)" == "[2, 3, 4]")
  }

  @Test("a scalar has one element, an empty shape none")
  func degenerateShapes() {
    #expect(Shape([]).count == 1)
    #expect(Shape([]).last == 1)
    #expect(Shape([]).strides == [])
    #expect(Shape([3, 0, 2]).count == 0)
    #expect(Tensor.zeros([0, 4]).floats() == [])
  }

  @Test("element types have the sizes of their names")
  func elementTypes() {
    #expect(DType.allCases.map(\.byteCount) == [8, 4, 2, 2, 8, 4, 2, 1, 1, 1])
    #expect(DType.allCases.filter(\.isFloatingPoint) == [.f64, .f32, .f16, .bf16])
    #expect(DType(rawValue: "BF16") == .bf16)
    #expect(Precision.f32.activations == .f32 && Precision.bf16.activations == .bf16)
  }

  @Test("slices and entries share storage and see the right elements")
  func slices() {
    let x = Tensor([0, 1, 2, 3, 4, 5], shape: [3, 2])
    #expect(x.slice(1..<3).floats() == [2, 3, 4, 5])
    #expect(x.slice(1..<3).storage === x.storage)
    #expect(x.slice(1..<1).shape == [0, 2])
    #expect(x[2].shape == [2] && x[2].floats() == [4, 5])
    #expect(x.slice(1..<3)[1].floats() == [4, 5])
    #expect(x.reshaped([2, 3])[1].floats() == [3, 4, 5])
  }

  @Test("a tensor alone with its storage knows it")
  func uniqueness() {
    // A function of its own: where a value is copied later, the compiler may hold the copy from the start.
    func isAlone() -> Bool {
      var x = Tensor([1, 2], shape: [2])
      return x.isUniquelyReferenced()
    }
    #expect(isAlone())
    var x = Tensor([1, 2], shape: [2])
    let y = x
    let isShared = withExtendedLifetime(y) { !x.isUniquelyReferenced() }
    #expect(isShared)
  }

  @Test("every numeric type reads as float32")
  func conversions() {
    #expect(filled(.f64, [1.5, -2] as [Double]).floats() == [1.5, -2])
    #expect(filled(.i64, [1, -2] as [Int64]).floats() == [1, -2])
    #expect(filled(.i32, [7, -8] as [Int32]).floats() == [7, -8])
    #expect(filled(.i16, [7, -8] as [Int16]).floats() == [7, -8])
    #expect(filled(.i8, [7, -8] as [Int8]).floats() == [7, -8])
    #expect(filled(.u8, [7, 255] as [UInt8]).floats() == [7, 255])
    #expect(filled(.bool, [0, 1] as [UInt8]).floats() == [0, 1])
    #expect(filled(.bf16, [0x3F80, 0xC040] as [UInt16]).floats() == [1, -3])
    #expect(filled(.f16, [0x3C00, 0xC200] as [UInt16]).floats() == [1, -3])
  }

  @Test("half precision: subnormals, extremes, infinities and NaN")
  func halves() {
    #expect(Float(halfBits: 0x0001) == 0x1p-24)
    #expect(Float(halfBits: 0x83FF) == -1023 * 0x1p-24)
    #expect(Float(halfBits: 0x0400) == 0x1p-14)
    #expect(Float(halfBits: 0x7BFF) == 65504)
    #expect(Float(halfBits: 0xFC00) == -.infinity)
    #expect(Float(halfBits: 0x7E00).isNaN)
    #expect(Float(halfBits: 0x8000).sign == .minus)
  }

  @Test("bfloat16 rounds to nearest even and keeps infinities and NaN")
  func bfloat16() {
    #expect(BFloat16.round(1) == 0x3F80)
    #expect(BFloat16.round(Float(bitPattern: 0x3F80_8000)) == 0x3F80, "a tie goes to the even neighbour below")
    #expect(BFloat16.round(Float(bitPattern: 0x3F81_8000)) == 0x3F82, "a tie goes to the even neighbour above")
    #expect(BFloat16.round(Float(bitPattern: 0x3F80_8001)) == 0x3F81)
    #expect(BFloat16.round(.infinity) == 0x7F80)
    #expect(BFloat16.round(-.greatestFiniteMagnitude) == 0xFF80)
    #expect(BFloat16.widen(BFloat16.round(.nan)).isNaN)
    #expect(BFloat16.widen(BFloat16.round(Float(bitPattern: 0x7F80_0001))).isNaN)
    for bits in stride(from: UInt16(0), to: 0x7F80, by: 97) {
      #expect(BFloat16.round(BFloat16.widen(bits)) == bits)
    }
  }

  @Test("conversion to its own type changes nothing")
  func convertedToItself() {
    let x = Tensor([1, 2], shape: [2])
    #expect(x.converted(to: .f32).storage === x.storage)
    #expect(x.converted(to: .bf16).dtype == .bf16)
    #expect(x.converted(to: .bf16).converted(to: .f32).floats() == [1, 2])
  }

  @Test("a row table unrolls its runs")
  func rowTables() {
    let table = RowTable(
      Tensor([1, 2, 3, 4], shape: [2, 2]), runs: [.init(row: 1, count: 2), .init(row: 0, count: 1)])
    #expect(table.tokens == 3)
    #expect(table.rowOfToken == [1, 1, 0])
    #expect(RowTable(uniform: Tensor([5, 6], shape: [2]), tokens: 4).rowOfToken == [0, 0, 0, 0])
  }

  @Test("weight errors say file, name and shapes")
  func weightErrors() {
    let missing = WeightError.missing(name: "a.b", location: "m.safetensors")
    #expect("\(missing)" == "m.safetensors: tensor 'a.b' is missing")
    let many = WeightError.several(Array(repeating: missing, count: 14))
    #expect("\(many)".hasSuffix("and 2 more"))
  }

  private func filled<Element: BitwiseCopyable>(_ dtype: DType, _ values: [Element]) -> Tensor {
    Tensor.filled(shape: [values.count], dtype: dtype, as: Element.self) { span in
      for i in values.indices { span[i] = values[i] }
    }
  }
}
