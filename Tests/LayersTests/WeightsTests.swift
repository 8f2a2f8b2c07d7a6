import Tensors
import TestSupport
import Testing

@testable import Layers

struct WeightsTests {
  private func cursor(_ source: MemorySource) -> Weights {
    Weights(source, backend: ReferenceBackend(), precision: .f32)
  }

  @Test("everything wrong with a checkpoint is reported at once, each tensor by name")
  func everything() throws {
    let source = MemorySource([
      ("layer.weight", .zeros([3, 2])), ("layer.bias", .zeros([2], dtype: .i64)), ("good", .zeros([4])),
      ("left.over", .zeros([1])),
    ])
    let w = cursor(source)
    _ = Linear(w["layer"], 3, 2)
    _ = w["layers"][7].parameter("absent", [5])
    _ = w.parameter("good", [4])
    let error = try #require(throws: WeightError.self) { try w.finishWhole() }
    #expect(
      error
        == .several([
          .misshapen(name: "layer.weight", expected: "[2, 3]", found: "[3, 2]", location: "memory"),
          .unreadable(name: "layer.bias", location: "memory", reason: "type I64 is not a float"),
          .missing(name: "layers.7.absent", location: "memory"),
          .unused(names: ["left.over"], location: "memory"),
        ]))
    for name in ["layer.weight", "layer.bias", "layers.7.absent", "left.over"] {
      #expect(error.description.contains("'\(name)'"))
    }
    #expect(source.reads == ["good"])
  }

  @Test("one problem is thrown as itself, none is not thrown, and a part may leave tensors to others")
  func single() throws {
    let w = cursor(MemorySource([("a", .zeros([1])), ("b", .zeros([1]))]))
    _ = w.parameter("a", [1])
    #expect(throws: Never.self) { try w.finish() }
    #expect(throws: WeightError.unused(names: ["b"], location: "memory")) { try w.finishWhole() }
    _ = w.parameter("b", [1])
    #expect(throws: Never.self) { try w.finishWhole() }
  }

  @Test("a tensor that cannot be read is reported by finish")
  func unreadable() throws {
    let w = cursor(MemorySource(shapes: ["a": [1]]))
    _ = w.parameter("a", [1])
    let error = try #require(throws: WeightError.self) { try w.finish() }
    #expect(error.description.contains("'a'") && error.description.contains("no elements"))
  }

  @Test("tensors of types that are not read are not called missing, and come as one error")
  func unread() throws {
    let source = MemorySource(unread: ["a": "F8_E8M0", "b": "U16"], beside: [("c", .zeros([1]))])
    let w = cursor(source)
    for name in ["a", "b", "c"] { _ = w.parameter(name, [1]) }
    let error = try #require(throws: WeightError.self) { try w.finish() }
    #expect(error == .unread(names: ["a", "b"], types: ["F8_E8M0", "U16"], total: 3, location: "memory"))
    #expect(
      error.description == "memory: 2 of 3 tensors are stored as F8_E8M0, U16, which are not read yet: 'a', 'b'; "
        + "take a checkpoint in BF16, F16 or F32")
    #expect(
      source.notRead("a").description.hasPrefix("memory: tensor 'a' is stored as F8_E8M0, which is not read"))
    #expect(source.notRead("z") == .missing(name: "z", location: "memory"))
  }

  @Test("a survey checks shapes, lists what is demanded in order, reads nothing, and gives layers without elements")
  func survey() throws {
    let source = MemorySource([("x.weight", .zeros([3, 2])), ("x.bias", .zeros([3])), ("gamma", .zeros([2]))])
    let w = Weights(surveying: source)
    let linear = Linear(w["x"].quantizable, 2, 3)
    let gamma = w.parameter("gamma", [2])
    #expect(throws: Never.self) { try w.finishWhole() }
    #expect(
      w.demand.requests == [
        TensorRequest(name: "x.weight", shape: [3, 2], use: .quantizableMatrix),
        TensorRequest(name: "x.bias", shape: [3], use: .parameter),
        TensorRequest(name: "gamma", shape: [2], use: .parameter),
      ])
    #expect(w.demand.quantizable.map(\.name) == ["x.weight"])
    #expect(source.reads.isEmpty)
    #expect(!gamma.isHost && gamma.shape == [2])
    #expect(linear(OutlineBackend.outline([5, 2], .f32)).shape == [5, 3])
  }

  @Test("parameters come in float32 under the shape asked for", arguments: [DType.f32, .bf16])
  func parameters(dtype: DType) {
    let stored = Tensor([1, -2, 0.5], shape: [1, 3, 1]).converted(to: dtype)
    let w = cursor(MemorySource([("p", stored)]))
    let parameter = w.parameter("p", [3], storedAs: [1, 3, 1])
    #expect(parameter.dtype == .f32 && parameter.shape == [3])
    #expect(parameter.floats() == [1, -2, 0.5])
    #expect(w.parameter("absent", [2]).shape == [2])
  }

  @Test("a matrix of bytes is taken with its scales, which count as used", arguments: Precision.allCases)
  func scaledRows(precision: Precision) throws {
    let matrix = Tensor.random([5, 7], seed: 1)
    let rows = QuantizedRows(rounding: matrix)
    let source = MemorySource([("weight", rows.values), ("weight_scale", rows.scales)])
    let w = Weights(source, backend: ReferenceBackend(), precision: precision)
    let linear = Linear(w.quantizable, 7, 5, bias: false)
    try w.finishWhole()
    let x = Tensor.random([3, 7], seed: 2)
    let prepared = ReferenceBackend().prepare(.scaledRows(rows), bias: nil, precision: precision)
    let expected = prepared(x, activation: .none, output: .f32)
    #expect(linear(x, output: .f32).floats() == expected.floats())
  }

  @Test("bytes without scales are no matrix")
  func bytes() {
    let w = cursor(MemorySource([("weight", .zeros([2, 3], dtype: .i8))]))
    _ = Linear(w, 3, 2, bias: false)
    #expect(throws: WeightError.unreadable(name: "weight", location: "memory", reason: "type I8 is not a float")) {
      try w.finish()
    }
  }

  @Test("a list of thousands of wrong tensors stays readable")
  func many() throws {
    let w = cursor(MemorySource((0..<3000).map { ("extra.\($0)", .zeros([1])) }))
    for i in 0..<3000 { _ = w.parameter("wanted.\(i)", [1]) }
    let error = try #require(throws: WeightError.self) { try w.finishWhole() }
    #expect(error.description.contains("'wanted.0'") && error.description.contains("more"))
    #expect(error.description.utf8.count < 4000)
  }
}
