import Tensors
import TestSupport
import Testing

@testable import Layers

/// Changes of matrices and parameters, made in a test.
struct TestAdapter: Adapter {
  let location = "adapter"
  var updates: [String: LowRankUpdate] = [:]
  var differences: [String: Tensor] = [:]

  var names: [String] { (Array(updates.keys) + Array(differences.keys)).sorted() }
  func update(of name: String) throws(WeightError) -> LowRankUpdate? { updates[name] }
  func difference(of name: String) throws(WeightError) -> Tensor? { differences[name] }
}

struct AdapterTests {
  private let matrix = Tensor.random([6, 8], seed: 1)
  private let bias = Tensor.random([6], seed: 2)
  private let x = Tensor.random([4, 8], seed: 3)

  private func update(_ rank: Int, scale: Float, seed: UInt64) -> LowRankUpdate {
    LowRankUpdate(down: .random([rank, 8], seed: seed), up: .random([6, rank], seed: seed + 1), scale: scale)
  }

  /// The matrix with an update added to it.
  private func merged(_ matrix: Tensor, _ update: LowRankUpdate) -> Tensor {
    let backend = ReferenceBackend()
    let product = backend.product(update.up, backend.permuted(update.down, [1, 0]))
    return backend.add(matrix, backend.multiply(product, Tensor([update.scale], shape: [1])))
  }

  private func linear(
    _ matrix: Tensor, _ bias: Tensor, _ adapters: [any Adapter], on backend: any Backend = ReferenceBackend(),
    precision: Precision = .f32
  ) throws -> Linear {
    let w = Weights(
      MemorySource([("l.weight", matrix), ("l.bias", bias)]), backend: backend, precision: precision,
      adapters: adapters)
    let linear = Linear(w["l"].quantizable, 8, 6)
    try w.finish()
    return linear
  }

  @Test("a linear with updates is the linear of the sum, before its activation", arguments: Activation.allCases)
  func sum(activation: Activation) throws {
    let (one, two) = (update(2, scale: 0.5, seed: 4), update(3, scale: -2, seed: 6))
    let adapters = [one, two].map { TestAdapter(updates: ["l.weight": $0]) }
    let adapted = try linear(matrix, bias, adapters)(x, activation)
    let expected = try linear(merged(merged(matrix, one), two), bias, [])(x, activation)
    #expect(relativeError(adapted, expected) < 1e-5)
    #expect(relativeError(adapted, try linear(matrix, bias, [])(x, activation)) > 1e-2)
  }

  @Test("no copy of the matrix is made, whatever its precision", arguments: Precision.allCases)
  func precisions(precision: Precision) throws {
    let adapter = TestAdapter(updates: ["l.weight": update(2, scale: 1, seed: 8)])
    let adapted = try linear(matrix, bias, [adapter], precision: precision)(x, output: .f32)
    let update = try #require(adapter.updates["l.weight"])
    let expected = try linear(merged(matrix, update), bias, [])(x, output: .f32)
    #expect(relativeError(adapted, expected) < (precision == .f32 ? 1e-5 : 3e-2))
  }

  @Test("biases and norms take their differences where layers take them", arguments: [false, true])
  func differences(isRemote: Bool) throws {
    let backend: any Backend = isRemote ? RemoteBackend() : ReferenceBackend()
    let change = Tensor.random([6], seed: 9)
    let adapter = TestAdapter(differences: ["l.bias": change])
    let adapted = try backend.host(linear(matrix, bias, [adapter], on: backend)(backend.resident(x)))
    let expected = try linear(matrix, ReferenceBackend().add(bias, change), [])(x)
    #expect(relativeError(adapted, expected) < 1e-5)
    let w = Weights(
      MemorySource([("modulation", .random([1, 2, 3], seed: 10))]), backend: backend, precision: .f32,
      adapters: [TestAdapter(differences: ["modulation": Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])])])
    let modulation = try backend.host(w.parameter("modulation", [2, 3], storedAs: [1, 2, 3]))
    let stored = Tensor.random([1, 2, 3], seed: 10).floats()
    #expect(modulation.floats() == zip(stored, 1...6).map { $0 + Float($1) })
  }

  @Test("what an adapter changes and the network does not have is refused, as is a wrong shape")
  func refused() {
    let stray = TestAdapter(differences: ["other.bias": bias])
    #expect(throws: WeightError.unused(names: ["other.bias"], location: "adapter")) {
      try linear(matrix, bias, [stray])
    }
    let wide = LowRankUpdate(down: .zeros([2, 9]), up: .zeros([6, 2]), scale: 1)
    #expect(throws: WeightError.misshapen(name: "l.weight", expected: "[6, 8]", found: "[6, 9]", location: "adapter")) {
      try linear(matrix, bias, [TestAdapter(updates: ["l.weight": wide])])
    }
    let long = TestAdapter(differences: ["l.bias": .zeros([7])])
    #expect(throws: WeightError.misshapen(name: "l.bias", expected: "[6]", found: "[7]", location: "adapter")) {
      try linear(matrix, bias, [long])
    }
  }
}
