import Layers
import Tensors
import TestSupport
import Testing

struct WeightsTests {
  private func cursor(_ source: MemorySource, survey: Bool = false) -> Weights {
    Weights(source, backend: ReferenceBackend(), precision: .f32, survey: survey)
  }

  @Test("everything wrong with a checkpoint is reported at once, each tensor by name")
  func everything() throws {
    let source = MemorySource([
      ("layer.weight", .zeros([3, 2])), ("layer.bias", .zeros([2], dtype: .i64)), ("good", .zeros([4])),
      ("left.over", .zeros([1])),
    ])
    let w = cursor(source)
    _ = w["layer"].tensor("weight", [2, 3])
    _ = w["layer"].tensor("bias", [2])
    _ = w["layers"][7].tensor("absent", [5])
    _ = w.tensor("good", [4])
    w.note(.unreadable(name: "structure", location: "memory", reason: "found by a layer"))
    let error = try #require(throws: WeightError.self) { try w.finish() }
    #expect(
      error
        == .several([
          .misshapen(name: "layer.weight", expected: ["[2, 3]"], found: "[3, 2]", location: "memory"),
          .unreadable(name: "layer.bias", location: "memory", reason: "type I64 is not a float"),
          .missing(name: "layers.7.absent", location: "memory"),
          .unreadable(name: "structure", location: "memory", reason: "found by a layer"),
          .unused(names: ["left.over"], location: "memory"),
        ]))
    for name in ["layer.weight", "layer.bias", "layers.7.absent", "structure", "left.over"] {
      #expect(error.description.contains("'\(name)'"))
    }
    #expect(source.reads == ["good"])
  }

  @Test("one problem is thrown as itself, none is not thrown")
  func single() throws {
    let w = cursor(MemorySource([("a", .zeros([1])), ("b", .zeros([1]))]))
    _ = w.tensor("a", [1])
    #expect(throws: WeightError.unused(names: ["b"], location: "memory")) { try w.finish() }
    let whole = cursor(MemorySource([("a", .zeros([1]))]))
    _ = whole.tensor("a", [1])
    #expect(throws: Never.self) { try whole.finish() }
  }

  @Test("a tensor that cannot be read is reported by finish")
  func unreadable() throws {
    let w = cursor(MemorySource(shapes: ["a": [1]]))
    #expect(w.tensor("a", [1]) == nil)
    let error = try #require(throws: WeightError.self) { try w.finish() }
    #expect(error.description.contains("'a'") && error.description.contains("no elements"))
  }

  @Test("tensors of types that are not read are not called missing, and come as one error")
  func unread() throws {
    let source = MemorySource(unread: ["a": "F8_E4M3", "b": "U16"], beside: [("c", .zeros([1]))])
    let w = cursor(source)
    for name in ["a", "b", "c"] { _ = w.tensor(name, [1]) }
    let error = try #require(throws: WeightError.self) { try w.finish() }
    #expect(error == .unread(names: ["a", "b"], types: ["F8_E4M3", "U16"], total: 3, location: "memory"))
    #expect(
      error.description == "memory: 2 of 3 tensors are stored as F8_E4M3, U16, which are not read yet: 'a', 'b'; "
        + "take a checkpoint in BF16, F16 or F32")
    #expect(
      source.noDescriptor("a").description.hasPrefix("memory: tensor 'a' is stored as F8_E4M3, which is not read"))
    #expect(source.noDescriptor("z") == .missing(name: "z", location: "memory"))
  }

  @Test("a survey checks shapes, lists requests in order and reads nothing")
  func survey() throws {
    let source = MemorySource([("x.weight", .zeros([3, 2])), ("x.bias", .zeros([3])), ("gamma", .zeros([2]))])
    let w = cursor(source, survey: true)
    _ = Linear(w["x"], 2, 3)
    _ = w.parameter("gamma", [2])
    #expect(throws: Never.self) { try w.finish() }
    #expect(
      w.requests == [
        TensorRequest(name: "x.weight", shape: [3, 2]), TensorRequest(name: "x.bias", shape: [3]),
        TensorRequest(name: "gamma", shape: [2]),
      ])
    #expect(source.reads.isEmpty)
  }

  @Test("one half can be surveyed while the other is read")
  func surveying() throws {
    let source = MemorySource([("read", .zeros([1])), ("checked", .zeros([1]))])
    let w = cursor(source)
    #expect(w.tensor("read", [1]) != nil)
    #expect(w.surveying.tensor("checked", [1]) == nil)
    #expect(throws: Never.self) { try w.finish() }
    #expect(source.reads == ["read"])
  }

  @Test("a shape that is only looked at does not count as used")
  func looking() {
    let w = cursor(MemorySource([("a.b", .zeros([7]))]))
    #expect(w["a"].shape(of: "b") == [7])
    #expect(w["a"].shape(of: "c") == nil)
    #expect(throws: WeightError.unused(names: ["a.b"], location: "memory")) { try w.finish() }
  }

  @Test("parameters come in float32 under the shape asked for", arguments: [DType.f32, .bf16])
  func parameters(dtype: DType) {
    let stored = Tensor([1, -2, 0.5], shape: [1, 3, 1]).converted(to: dtype)
    let w = cursor(MemorySource([("p", stored)]))
    let parameter = w.parameter("p", [3], storedAs: [1, 3, 1])
    #expect(parameter.dtype == .f32 && parameter.shape == [3])
    #expect(parameter.floats() == [1, -2, 0.5])
    #expect(w.parameter("absent", [2]).floats() == [0, 0])
  }

  @Test("any of several shapes will do, and the message offers them all")
  func alternatives() throws {
    let w = cursor(MemorySource([("a", .zeros([2, 1])), ("b", .zeros([3]))]))
    #expect(w.tensor("a", [2], [2, 1])?.shape == [2, 1])
    #expect(w.tensor("b", [2], [2, 1]) == nil)
    let error = try #require(throws: WeightError.self) { try w.finish() }
    #expect(error.description.contains("[3], expected [2] or [2, 1]"))
  }

  @Test("a list of thousands of wrong tensors stays readable")
  func many() throws {
    let w = cursor(MemorySource((0..<3000).map { ("extra.\($0)", .zeros([1])) }))
    for i in 0..<3000 { _ = w.tensor("wanted.\(i)", [1]) }
    let error = try #require(throws: WeightError.self) { try w.finish() }
    #expect(error.description.contains("'wanted.0'") && error.description.contains("more"))
    #expect(error.description.utf8.count < 4000)
  }
}
