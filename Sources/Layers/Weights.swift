public import Tensors

/// A cursor over a checkpoint: descends by name, demands each tensor's shape, and remembers what was asked for.
///
/// Layers read their tensors through it without throwing; what is missing or misshapen is noted, and ``finish()`` throws
/// it all at once, together with the tensors that nobody asked for. A surveying cursor reads headers only, so that a
/// whole model can be checked before the first weight is touched.
public struct Weights {
  /// Prepares the weights of the layers and runs them.
  public let backend: any Backend
  /// What layers made through this cursor compute in.
  public let precision: Precision
  /// Whether only headers are read; layers made through such a cursor cannot run.
  public let isSurvey: Bool
  /// The dotted name that the cursor stands at; empty at the root.
  public let path: String
  private let source: any WeightSource
  private let record: LoadRecord

  /// A cursor at the root of a checkpoint, with nothing asked for yet.
  ///
  /// Every layer made through it keeps the backend, and the precision unless it was made ``inFloat32``; with `survey`
  /// only headers are read.
  public init(_ source: any WeightSource, backend: any Backend, precision: Precision, survey: Bool = false) {
    self.init(
      source: source, record: LoadRecord(), backend: backend, precision: precision, isSurvey: survey, path: "")
  }

  private init(
    source: any WeightSource, record: LoadRecord, backend: any Backend, precision: Precision, isSurvey: Bool,
    path: String
  ) {
    self.backend = backend
    self.precision = precision
    self.isSurvey = isSurvey
    self.path = path
    self.source = source
    self.record = record
  }

  /// The cursor one step down.
  public subscript(name: String) -> Weights { at(name, precision) }

  /// The cursor at a numbered child, as PyTorch names those of a list.
  public subscript(index: Int) -> Weights { at(String(index), precision) }

  /// The same place, for layers that keep float32 in every precision.
  public var inFloat32: Weights {
    Weights(source: source, record: record, backend: backend, precision: .f32, isSurvey: isSurvey, path: path)
  }

  /// The same place, for layers that are only checked.
  public var surveying: Weights {
    Weights(source: source, record: record, backend: backend, precision: precision, isSurvey: true, path: path)
  }

  private func at(_ name: String, _ precision: Precision) -> Weights {
    Weights(
      source: source, record: record, backend: backend, precision: precision, isSurvey: isSurvey,
      path: fullName(name))
  }

  /// The stored shape, or `nil` where there is no such tensor; asking this is not using it.
  public func shape(of name: String) -> Shape? {
    source.descriptor(fullName(name))?.shape
  }

  /// The dotted name of a tensor below the cursor.
  public func fullName(_ name: String) -> String {
    path.isEmpty ? name : path + "." + name
  }

  /// A tensor of one of the given shapes, in its stored type; `nil`, and noted, when it cannot be had.
  ///
  /// A surveying cursor gives `nil` for a good tensor too.
  public func tensor(_ name: String, _ shapes: Shape...) -> Tensor? {
    let name = fullName(name)
    record.used.insert(name)
    if let expected = shapes.first { record.asked.append(TensorRequest(name: name, shape: expected)) }
    guard let descriptor = source.descriptor(name) else {
      record.errors.append(.missing(name: name, location: source.location))
      return nil
    }
    guard shapes.contains(descriptor.shape) else {
      record.errors.append(
        .misshapen(
          name: name, expected: shapes.map(\.description), found: descriptor.shape.description,
          location: source.location))
      return nil
    }
    guard descriptor.dtype.isFloatingPoint else {
      record.errors.append(
        .unreadable(name: name, location: source.location, reason: "type \(descriptor.dtype.rawValue) is not a float"))
      return nil
    }
    return isSurvey ? nil : read(name)
  }

  private func read(_ name: String) -> Tensor? {
    do {
      return try source.tensor(name)
    } catch {
      record.errors.append(error)
      return nil
    }
  }

  /// A small parameter in float32, viewed as the first of its allowed shapes; zeros where it cannot be had.
  public func parameter(_ name: String, _ shape: Shape, storedAs stored: Shape? = nil) -> Tensor {
    tensor(name, stored ?? shape)?.converted(to: .f32).reshaped(shape) ?? .zeros(shape)
  }

  /// Notes a problem that a layer found in the checkpoint's structure.
  public func note(_ error: WeightError) {
    record.errors.append(error)
  }

  /// Every tensor asked for so far, in order: what a checkpoint of this model must hold.
  public var requests: [TensorRequest] { record.asked }

  /// Throws everything that was missing, misshapen, unreadable or never asked for.
  public func finish() throws(WeightError) {
    let unused = source.names.filter { !record.used.contains($0) }
    if !unused.isEmpty { record.errors.append(.unused(names: unused, location: source.location)) }
    if record.errors.count == 1 { throw record.errors[0] }
    if !record.errors.isEmpty { throw .several(record.errors) }
  }
}

/// A tensor that a model demands.
public struct TensorRequest: Sendable, Hashable {
  /// The dotted name in the checkpoint.
  public let name: String
  /// As the file must store it, before any reshaping.
  public let shape: Shape

  /// A request made by hand, for sources that no model has asked.
  public init(name: String, shape: Shape) {
    self.name = name
    self.shape = shape
  }
}

/// What one load has asked for and found wanting; shared by all cursors into a checkpoint.
private final class LoadRecord {
  var used: Set<String> = []
  var asked: [TensorRequest] = []
  var errors: [WeightError] = []
}

/// Stands for weights that a survey did not read.
final class UnreadWeights: LinearWeights, ConvolutionWeights {
  let inputs: Int
  let outputs: Int

  init(inputs: Int, outputs: Int) {
    self.inputs = inputs
    self.outputs = outputs
  }
}
