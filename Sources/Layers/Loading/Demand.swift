public import Tensors

/// The tensors that a network demands of its checkpoint, in the order in which it asks for them.
public struct Demand: Sendable, Hashable {
  /// One for each tensor; a name may come twice where two layers share it.
  public let requests: [TensorRequest]

  /// Requests made by hand, for sources that no model has asked.
  public init(_ requests: [TensorRequest]) {
    self.requests = requests
  }

  /// What a network of these sizes demands, found by making one without a checkpoint.
  public init<N: Network>(of network: N.Type, _ configuration: N.Configuration) {
    let cursor = Weights(surveying: Nothing())
    _ = N(cursor, configuration)
    self = cursor.demand
  }

  /// The matrices that ``Precision/int8`` multiplies as bytes.
  public var quantizable: [TensorRequest] { requests.filter { $0.use == .quantizableMatrix } }
}

/// A tensor that a network demands.
public struct TensorRequest: Sendable, Hashable {
  /// The dotted name in the checkpoint.
  public let name: String
  /// As the file must store it, before any reshaping.
  public let shape: Shape
  /// What it is for.
  public let use: Use

  /// What a tensor is for, which decides how it may be stored and computed with.
  public enum Use: Sendable, Hashable {
    /// The matrix of a linear that multiplies bytes in ``Precision/int8``.
    case quantizableMatrix
    /// The matrix of another linear.
    case matrix
    /// The kernel of a convolution.
    case kernel
    /// Rows that are looked up.
    case table
    /// A norm, a bias, a modulation; float32 in every precision.
    case parameter

    /// Whether it is the matrix of a linear.
    public var isMatrix: Bool { self == .matrix || self == .quantizableMatrix }
  }

  /// The number of the block that it belongs to, where it belongs to one of those that a network goes through in order:
  /// N of `blocks.N.` at the start of its name.
  public var block: Int? {
    let parts = name.split(separator: ".", maxSplits: 2)
    return parts.count == 3 && parts[0] == "blocks" ? Int(parts[1]) : nil
  }

  /// A request made by hand.
  public init(name: String, shape: Shape, use: Use) {
    (self.name, self.shape, self.use) = (name, shape, use)
  }
}

/// A checkpoint that holds nothing.
private struct Nothing: WeightSource {
  let location = "nothing"
  let names: [String] = []

  func descriptor(_ name: String) -> TensorDescriptor? { nil }

  func tensor(_ name: String) throws(WeightError) -> Tensor { throw .missing(name: name, location: location) }
}
