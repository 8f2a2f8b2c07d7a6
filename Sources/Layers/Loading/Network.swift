public import Tensors

/// A model that is made of a checkpoint's weights: a transformer, a text encoder, a half of an autoencoder.
public protocol Network: Sendable {
  /// The sizes that it is made with.
  associatedtype Configuration: Sendable, Hashable

  /// Takes every tensor that it needs through the cursor, which notes what is missing.
  init(_ w: Weights, _ configuration: Configuration)

  /// The sizes by a checkpoint's names and shapes, without reading a tensor.
  static func configuration(of source: any WeightSource) throws(WeightError) -> Configuration
}

/// A network that lies in a checkpoint, checked by name and shape, and not yet loaded.
///
/// This is the one door from a file to a network: ``load(on:precision:adapters:)`` is where a cursor, the network and the
/// end of its reading meet.
public struct NetworkPart<N: Network>: Sendable {
  /// Opened and mapped; its weights are read when the network is loaded.
  public let source: any WeightSource
  /// The sizes read off the tensors.
  public let configuration: N.Configuration
  /// What the network asks of the source.
  public let demand: Demand

  /// Looks at every tensor's name, shape and type.
  ///
  /// - Parameter configuration: read off the tensors unless given.
  /// - Throws: everything that is missing, misshapen, of a type that is not read, or not the network's.
  public init(_ source: any WeightSource, configuration: N.Configuration? = nil) throws(WeightError) {
    let sizes: N.Configuration
    if let configuration { sizes = configuration } else { sizes = try N.configuration(of: source) }
    let cursor = Weights(surveying: source)
    _ = N(cursor, sizes)
    try cursor.finishWhole()
    self.init(source, sizes, demand: cursor.demand)
  }

  /// A part whose tensors have been looked at together with others'.
  public init(_ source: any WeightSource, _ configuration: N.Configuration, demand: Demand) {
    (self.source, self.configuration, self.demand) = (source, configuration, demand)
  }

  /// The same network out of a checkpoint that holds the same tensors in another form.
  public func reading(_ source: any WeightSource) -> NetworkPart {
    NetworkPart(source, configuration, demand: demand)
  }

  /// Reads the weights and makes the network.
  ///
  /// - Parameter adapters: change what its layers compute; the checkpoint's own tensors stay as they are.
  /// - Throws: what cannot be read, and what an adapter would change that the network does not have.
  public func load(
    on backend: any Backend, precision: Precision, adapters: [any Adapter] = []
  ) throws(WeightError) -> N {
    let cursor = Weights(source, backend: backend, precision: precision, adapters: adapters)
    let network = N(cursor, configuration)
    try cursor.finish()
    return network
  }
}
