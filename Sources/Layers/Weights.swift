public import Tensors

/// A cursor over a checkpoint: descends by name, demands each tensor's shape, and remembers what was asked for.
///
/// Layers read their tensors through it without throwing; what is missing or misshapen is noted, and ``finish()`` throws
/// it all at once, together with the tensors that nobody asked for. A surveying cursor reads headers only, so that a
/// whole model can be checked before the first weight is touched.
public struct Weights {
  /// Prepares the weights of the layers and runs them.
  public let backend: any Backend
  /// What layers made through this cursor compute in; ``Precision/int8`` only where they are ``quantizable``.
  public var precision: Precision { isQuantizable ? requested : requested.unquantized }
  /// Whether only headers are read; layers made through such a cursor cannot run.
  public let isSurvey: Bool
  /// The dotted name that the cursor stands at; empty at the root.
  public let path: String
  private let requested: Precision
  private let isQuantizable: Bool
  private let source: any WeightSource
  private let record: LoadRecord

  /// A cursor at the root of a checkpoint, with nothing asked for yet.
  ///
  /// Every layer made through it keeps the backend, and the precision unless it was made ``inFloat32``; with `survey`
  /// only headers are read.
  public init(_ source: any WeightSource, backend: any Backend, precision: Precision, survey: Bool = false) {
    self.backend = backend
    requested = precision
    isQuantizable = false
    isSurvey = survey
    path = ""
    self.source = source
    record = LoadRecord()
  }

  private init(
    _ other: Weights, path: String? = nil, precision: Precision? = nil, isQuantizable: Bool? = nil,
    isSurvey: Bool? = nil
  ) {
    (backend, source, record) = (other.backend, other.source, other.record)
    self.path = path ?? other.path
    requested = precision ?? other.requested
    self.isQuantizable = isQuantizable ?? other.isQuantizable
    self.isSurvey = isSurvey ?? other.isSurvey
  }

  /// The cursor one step down.
  public subscript(name: String) -> Weights { Weights(self, path: fullName(name)) }

  /// The cursor at a numbered child, as PyTorch names those of a list.
  public subscript(index: Int) -> Weights { self[String(index)] }

  /// The same place, for layers that keep float32 in every precision.
  public var inFloat32: Weights { Weights(self, precision: .f32) }

  /// The same place, for layers whose linears may multiply bytes where ``Precision/int8`` is asked for.
  public var quantizable: Weights { Weights(self, isQuantizable: true) }

  /// The same place, for layers that are only checked.
  public var surveying: Weights { Weights(self, isSurvey: true) }

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
      record.errors.append(source.noDescriptor(name))
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

  /// A matrix that the checkpoint stores as bytes, with a scale per row under the name with `_scale`; `nil`, and nothing
  /// noted, where it does not.
  ///
  /// The matrix counts as used, and as asked for under its own name, either way of storing it.
  func quantized(_ name: String, _ shape: Shape) -> QuantizedRows? {
    let (values, scales) = (fullName(name), fullName(name) + Self.scaleSuffix)
    guard source.descriptor(values) == TensorDescriptor(shape: shape, dtype: .i8), shape.rank == 2,
      shape[1] <= QuantizedRows.longestRow,
      source.descriptor(scales) == TensorDescriptor(shape: [shape[0]], dtype: .f32)
    else { return nil }
    record.used.formUnion([values, scales])
    record.asked.append(TensorRequest(name: values, shape: shape))
    guard let values = read(values), let scales = read(scales) else { return nil }
    return QuantizedRows(values: values, scales: scales)
  }

  /// What the name of a row scale adds to its matrix's.
  public static let scaleSuffix = "_scale"

  /// Notes a matrix that may be stored as bytes.
  func noteQuantizable(_ name: String, _ shape: Shape) {
    record.quantizable.append(TensorRequest(name: fullName(name), shape: shape))
  }

  /// The matrices of the linears made so far that multiply bytes in ``Precision/int8``, in order.
  public var quantizableRequests: [TensorRequest] { record.quantizable }

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
    tensor(name, stored ?? shape)?.converted(to: .f32).reshaped(shape) ?? record.zeros(shape)
  }

  /// Notes a problem that a layer found in the checkpoint's structure.
  public func note(_ error: WeightError) {
    record.errors.append(error)
  }

  /// Every tensor asked for so far, in order: what a checkpoint of this model must hold.
  public var requests: [TensorRequest] { record.asked }

  /// Throws everything that was missing, misshapen, unreadable or never asked for.
  public func finish() throws(WeightError) {
    record.joinUnread()
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
  var quantizable: [TensorRequest] = []
  var errors: [WeightError] = []

  /// Makes one error of those about types that are not read.
  func joinUnread() {
    var joined: (names: [String], types: Set<String>, total: Int, location: String) = ([], [], 0, "")
    errors.removeAll { error in
      guard case .unread(let names, let types, let total, let location) = error else { return false }
      joined = (joined.names + names, joined.types.union(types), total, location)
      return true
    }
    guard !joined.names.isEmpty else { return }
    errors.insert(
      .unread(names: joined.names, types: joined.types.sorted(), total: joined.total, location: joined.location), at: 0)
  }

  private var standIns: [Shape: Tensor] = [:]

  /// Zeros for parameters that are not read, made once for all of a shape.
  func zeros(_ shape: Shape) -> Tensor {
    if let tensor = standIns[shape] { return tensor }
    let tensor = Tensor.zeros(shape)
    standIns[shape] = tensor
    return tensor
  }
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
