import Files
import Layers
import Synchronization
import Tensors

/// A network's place in a model.
public enum NetworkRole: Sendable, Hashable, Codable {
  /// The text encoder, both halves of the autoencoder, and the transformer or each expert's.
  case textEncoder, imageEncoder, transformer, highNoiseTransformer, lowNoiseTransformer, decoder
}

/// Which networks lie in memory and how large they are, the one used last at the end.
struct NetworkShelf: Sendable {
  /// What a network in memory is known by: where it came from, what was in its files, and how it computes.
  struct Key: Sendable, Hashable {
    let role: NetworkRole
    let files: [String]
    let precision: Precision
    /// What changes it, with strengths.
    var adapters: [String] = []
  }

  private(set) var places: [(key: Key, byteCount: Int)] = []

  /// Puts a network on the shelf, or to its end where it is already there.
  ///
  /// - Parameter budget: bytes that the others may have; those used longest ago go first.
  /// - Returns: what had to go; `nil` where the network was there and nothing changed.
  mutating func place(_ key: Key, byteCount: Int, budget: Int) -> [Key]? {
    if let index = places.firstIndex(where: { $0.key == key }) {
      places.append(places.remove(at: index))
      return nil
    }
    let dropped = trim(to: budget)
    places.append((key, byteCount))
    return dropped
  }

  /// Takes networks off until the rest fits.
  mutating func trim(to budget: Int) -> [Key] {
    var dropped: [Key] = []
    while let first = places.first, places.reduce(0, { $0 + $1.byteCount }) > budget {
      dropped.append(first.key)
      places.removeFirst()
    }
    return dropped
  }

  /// Takes all networks of a role off.
  mutating func remove(_ role: NetworkRole) -> [Key] {
    let dropped = places.map(\.key).filter { $0.role == role }
    places.removeAll { $0.key.role == role }
    return dropped
  }
}

/// Where the networks of an engine lie while no job has them.
final class NetworkStore: Sendable {
  private let budget: Int
  private let networks: Mutex<LoadedNetworks>

  init(budget: Int) {
    self.budget = budget
    networks = Mutex(LoadedNetworks(budget: budget))
  }

  /// Hands the networks over. Nobody else keeps one: what the job lets go of is freed.
  func take() -> LoadedNetworks {
    networks.withLock { networks in
      defer { networks = LoadedNetworks(budget: budget) }
      return networks
    }
  }

  func give(_ back: LoadedNetworks) { networks.withLock { $0 = back } }

  var shelf: NetworkShelf { networks.withLock { $0.shelf } }
}

/// The networks that lie in memory: a value, so that exactly one job has them at a time.
struct LoadedNetworks: Sendable {
  private(set) var shelf = NetworkShelf()
  private var networks: [NetworkShelf.Key: (network: any Network, source: any WeightSource)] = [:]
  private let budget: Int

  init(budget: Int) {
    self.budget = budget
  }

  /// The network of a part: the one in memory, or what `load` makes, for which others go first.
  mutating func network<N: Network>(
    _ part: NetworkPart<N>, _ role: NetworkRole, _ precision: Precision, adapters: [LoRA] = [],
    load: () throws -> NetworkPart<N>.Loaded
  ) throws -> N {
    let key = part.key(role, precision, adapters)
    if let network = networks[key]?.network as? N {
      _ = shelf.place(key, byteCount: 0, budget: budget)
      return network
    }
    drop(shelf.trim(to: budget))
    let loaded = try load()
    _ = shelf.place(key, byteCount: loaded.source.byteCount(of: part.demand), budget: budget)
    networks[key] = (loaded.network, loaded.source)
    return loaded.network
  }

  /// What stays when nothing is being computed: what fits.
  mutating func settle() { drop(shelf.trim(to: budget)) }

  /// Lets go of all networks of a role.
  mutating func drop(_ role: NetworkRole) { drop(shelf.remove(role)) }

  private mutating func drop(_ keys: [NetworkShelf.Key]) {
    for key in keys { networks.removeValue(forKey: key)?.source.discardCachedPages() }
  }
}

extension NetworkPart {
  /// A network and the checkpoint that it was read from.
  typealias Loaded = (network: N, source: any WeightSource)

  /// Files are known by their stamps: one that was replaced is another network.
  func key(_ role: NetworkRole, _ precision: Precision, _ adapters: [LoRA] = []) -> NetworkShelf.Key {
    let files = source.files.map { path in
      "\(path) \(FileStatus(path: path)?.stamp ?? "")"
    }
    let changes = adapters.map { "\($0.identity) \(FileStatus(path: $0.location)?.stamp ?? "")" }
    return NetworkShelf.Key(role: role, files: files, precision: precision, adapters: changes)
  }
}

extension WeightSource {
  /// Bytes of what a network demands, as it is stored.
  func byteCount(of demand: Demand) -> Int {
    demand.requests.reduce(0) { total, request in
      let names = [request.name] + companions(of: request.name)
      return total + names.reduce(0) { $0 + (descriptor($1)?.byteCount ?? 0) }
    }
  }
}
