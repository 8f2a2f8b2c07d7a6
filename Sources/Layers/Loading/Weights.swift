public import Tensors

/// A cursor over a checkpoint: descends by name, demands each tensor's shape, and remembers what was asked for.
///
/// Layers take their weights through it without throwing; what is missing or misshapen is noted, and ``finish()`` throws
/// it all at once. A surveying cursor looks at headers only and gives weights without elements (``OutlineBackend``), so
/// that a whole model can be checked before the first weight is touched; such weights also stand in for those that a
/// checkpoint does not have, until ``finish()`` says so.
public struct Weights {
  /// Prepares the weights of the layers and runs them.
  public let backend: any Backend
  /// The dotted name that the cursor stands at; empty at the root.
  public let path: String
  private let requested: Precision
  private let isQuantizable: Bool
  private let load: Load

  /// A cursor at the root of a checkpoint, with nothing asked for yet.
  ///
  /// - Parameters:
  ///   - precision: what every layer made through the cursor computes in, unless it was made ``inFloat32``.
  ///   - adapters: change what layers take; the checkpoint stays as it is.
  public init(
    _ source: any WeightSource, backend: any Backend, precision: Precision, adapters: [any Adapter] = []
  ) {
    self.init(backend, path: "", precision, isQuantizable: false, Load(source, adapters: adapters, isSurvey: false))
  }

  /// A cursor that looks at a checkpoint's headers alone.
  public init(surveying source: any WeightSource) {
    self.init(OutlineBackend(), path: "", .f32, isQuantizable: false, Load(source, adapters: [], isSurvey: true))
  }

  private init(_ backend: any Backend, path: String, _ requested: Precision, isQuantizable: Bool, _ load: Load) {
    self.backend = backend
    self.path = path
    self.requested = requested
    self.isQuantizable = isQuantizable
    self.load = load
  }

  /// What layers made through this cursor compute in; ``Precision/int8`` only where they are ``quantizable``.
  public var precision: Precision { isQuantizable ? requested : requested.unquantized }

  /// The cursor one step down.
  public subscript(name: String) -> Weights {
    Weights(backend, path: fullName(name), requested, isQuantizable: isQuantizable, load)
  }

  /// The cursor at a numbered child, as PyTorch names those of a list.
  public subscript(index: Int) -> Weights { self[String(index)] }

  /// The same place, for layers that keep float32 in every precision.
  public var inFloat32: Weights { Weights(backend, path: path, .f32, isQuantizable: false, load) }

  /// The same place, for layers whose linears may multiply bytes where ``Precision/int8`` is asked for.
  public var quantizable: Weights { Weights(backend, path: path, requested, isQuantizable: true, load) }

  private func fullName(_ name: String) -> String { path.isEmpty ? name : path + "." + name }

  /// Throws everything that was missing, misshapen or unreadable, and what an adapter would change that is not there.
  public func finish() throws(WeightError) { try load.finish() }

  /// As ``finish()``, and throws too when the checkpoint holds tensors that nobody asked for.
  public func finishWhole() throws(WeightError) { try load.finish(refusingUnused: true) }

  /// Every tensor asked for so far, in order: what a checkpoint of this model must hold.
  public var demand: Demand { load.demand }
}

// What layers ask for. A `nil` is noted, and ``Weights/finish()`` throws.

extension Weights {
  /// `weight` [outputs, inputs] and, where there is one, `bias` [outputs], with what adapters add to them.
  ///
  /// - Parameter stored: the weight's shape in the file where it is not [outputs, inputs].
  func linear(
    _ inputs: Int, _ outputs: Int, hasBias: Bool = true, storedAs stored: Shape? = nil
  ) -> any PreparedLinear {
    let name = fullName("weight")
    let shape: Shape = [outputs, inputs]
    let matrix = load.matrix(name, stored ?? shape, as: isQuantizable ? .quantizableMatrix : .matrix)
    let bias = hasBias ? vector("bias", [outputs]) : nil
    guard let matrix, !hasBias || bias != nil else { return standIn(inputs, outputs) }
    let whole = load.changed(matrix.reshaped(shape), name)
    let linear = backend.prepare(whole, bias: bias, precision: precision)
    let updates = load.updates(of: name, shape)
    return updates.isEmpty ? linear : backend.adapted(linear, by: updates, precision: precision)
  }

  /// `count` linears whose matrices, and biases where there are some, are stored as one above the other: `weight`
  /// [count N, K, 1, 1].
  func linears(_ count: Int, _ inputs: Int, _ outputs: Int, hasBias: Bool = true) -> [any PreparedLinear] {
    let weight = load.tensor(fullName("weight"), [count * outputs, inputs, 1, 1], as: .matrix)
    let bias = hasBias ? vector("bias", [count * outputs]) : nil
    guard let weight, !hasBias || bias != nil else { return (0..<count).map { _ in standIn(inputs, outputs) } }
    return (0..<count).map { i in
      let rows = i * outputs..<(i + 1) * outputs
      return backend.prepare(
        .dense(weight.slice(rows).reshaped([outputs, inputs])), bias: bias?.slice(rows), precision: precision)
    }
  }

  /// `weight` [outputs, inputs, kernel] and, where there is one, `bias` [outputs].
  ///
  /// - Parameters:
  ///   - kernel: extents in time, rows and columns.
  ///   - stored: the weight's shape in the file where it is not [outputs, inputs, kernel].
  func convolution(
    _ inputs: Int, _ outputs: Int, kernel: [Int], storedAs stored: Shape? = nil, hasBias: Bool = true,
    geometry: ConvolutionGeometry
  ) -> any PreparedConvolution {
    let shape = Shape([outputs, inputs] + kernel)
    let weight = load.tensor(fullName("weight"), stored ?? shape, as: .kernel)
    let bias = hasBias ? vector("bias", [outputs]) : nil
    guard let weight, !hasBias || bias != nil else { return standIn(kernel: shape, geometry) }
    return backend.prepare(kernel: weight.reshaped(shape), bias: bias, geometry: geometry, precision: precision)
  }

  /// A 3x3 convolution over frames whose channels are joined, the latest frame's first, as one over time: `weight`
  /// [outputs, frames inputs, 3, 3] and `bias` [outputs].
  func joinedConvolution(
    _ inputs: Int, _ outputs: Int, frames: Int, geometry: ConvolutionGeometry
  ) -> any PreparedConvolution {
    let weight = load.tensor(fullName("weight"), [outputs, frames * inputs, 3, 3], as: .kernel)
    let bias = vector("bias", [outputs])
    guard let weight, let bias else { return standIn(kernel: [outputs, inputs, frames, 3, 3], geometry) }
    return backend.prepare(
      kernel: weight.overTime(frames: frames), bias: bias, geometry: geometry, precision: precision)
  }

  /// A small parameter in float32 where the backend computes, with what adapters add to it.
  ///
  /// - Parameter stored: its shape in the file where it is not `shape`.
  public func parameter(_ name: String, _ shape: Shape, storedAs stored: Shape? = nil) -> Tensor {
    guard let tensor = vector(name, stored ?? shape) else { return OutlineBackend.outline(shape, .f32) }
    return backend.resident(tensor).reshaped(shape)
  }

  /// A table of rows as it is stored: dense ones where the backend computes, others in host memory.
  func table(_ name: String, _ shape: Shape) -> StoredMatrix {
    switch load.matrix(fullName(name), shape, as: .table) {
    case .dense(let table): .dense(backend.resident(table))
    case .some(let table): table
    case nil: .dense(OutlineBackend.outline(shape, .f32))
    }
  }

  /// A parameter in float32 in host memory, with the differences of all adapters.
  private func vector(_ name: String, _ stored: Shape) -> Tensor? {
    guard let tensor = load.tensor(fullName(name), stored, as: .parameter)?.converted(to: .f32) else { return nil }
    return load.differences(of: fullName(name), tensor.shape).reduce(tensor) { $0.adding($1) }
  }

  private func standIn(kernel: Shape, _ geometry: ConvolutionGeometry) -> any PreparedConvolution {
    OutlineBackend().prepare(
      kernel: OutlineBackend.outline(kernel, .f32), bias: nil, geometry: geometry, precision: .f32)
  }

  private func standIn(_ inputs: Int, _ outputs: Int) -> any PreparedLinear {
    OutlineBackend().prepare(
      .dense(OutlineBackend.outline([outputs, inputs], .f32)), bias: nil, precision: .f32)
  }
}
