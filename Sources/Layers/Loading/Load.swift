import Tensors

/// What one load has asked for and found wanting; shared by all cursors into a checkpoint.
final class Load {
  private let source: any WeightSource
  private let adapters: [any Adapter]
  private let isSurvey: Bool
  private var requests: [TensorRequest] = []
  private var used: Set<String> = []
  private var errors: [WeightError] = []

  init(_ source: any WeightSource, adapters: [any Adapter], isSurvey: Bool) {
    (self.source, self.adapters, self.isSurvey) = (source, adapters, isSurvey)
  }

  var demand: Demand { Demand(requests) }

  /// A matrix as it is stored, of floating type or with its scales; `nil`, and noted, when it cannot be had.
  func matrix(_ name: String, _ shape: Shape, as use: TensorRequest.Use) -> StoredMatrix? {
    let companions = source.companions(of: name)
    used.formUnion(companions)
    guard found(name, shape, as: use, mustFloat: companions.isEmpty) != nil else { return nil }
    if isSurvey { return .dense(OutlineBackend.outline(shape, .f32)) }
    return read { () throws(WeightError) in try source.matrix(name) }?.cropped(to: shape)
  }

  /// A tensor of floating type, as it is stored or decoded; `nil`, and noted, when it cannot be had.
  func tensor(_ name: String, _ shape: Shape, as use: TensorRequest.Use) -> Tensor? {
    guard let descriptor = found(name, shape, as: use, mustFloat: true) else { return nil }
    if isSurvey { return OutlineBackend.outline(shape, .f32) }
    return read { () throws(WeightError) in
      descriptor.dtype == nil ? try source.matrix(name).cropped(to: shape).dense : try source.tensor(name)
    }
  }

  private func found(_ name: String, _ shape: Shape, as use: TensorRequest.Use, mustFloat: Bool) -> TensorDescriptor? {
    used.insert(name)
    requests.append(TensorRequest(name: name, shape: shape, use: use))
    guard let descriptor = source.descriptor(name), descriptor.format.isRead else {
      errors.append(source.notRead(name))
      return nil
    }
    guard descriptor.holds(shape) else {
      errors.append(
        .misshapen(
          name: name, expected: shape.description, found: descriptor.shape.description, location: source.location))
      return nil
    }
    guard descriptor.format.isFloatingPoint || !mustFloat else {
      errors.append(
        .unreadable(name: name, location: source.location, reason: "type \(descriptor.format.name) is not a float"))
      return nil
    }
    return descriptor
  }

  private func read<R>(_ body: () throws(WeightError) -> R) -> R? {
    do {
      return try body()
    } catch {
      errors.append(error)
      return nil
    }
  }

  // MARK: Adapters

  /// What adapters add to a linear's results, in the order of the adapters.
  func updates(of name: String, _ shape: Shape) -> [LowRankUpdate] {
    adapters.compactMap { adapter in
      guard let update = read({ () throws(WeightError) in try adapter.update(of: name) }).flatMap({ $0 }) else {
        return nil
      }
      guard update.shape == shape else {
        note(update.shape, of: name, in: adapter, expected: shape)
        return nil
      }
      return update
    }
  }

  /// A matrix [N, K] with what adapters add to all of it; itself where they add nothing.
  func changed(_ matrix: StoredMatrix, _ name: String) -> StoredMatrix {
    let base = { matrix.dense.converted(to: .f32) }
    let differences: [Tensor] = adapters.compactMap { adapter in
      read { () throws(WeightError) in try adapter.wholeUpdate(of: name, matrix: base) }.flatMap { $0 }
    }
    return differences.isEmpty ? matrix : .dense(differences.reduce(base()) { $0.adding($1) })
  }

  /// What adapters add to a parameter, float32 in host memory.
  func differences(of name: String, _ shape: Shape) -> [Tensor] {
    adapters.compactMap { adapter in
      guard let difference = read({ () throws(WeightError) in try adapter.difference(of: name) }).flatMap({ $0 }) else {
        return nil
      }
      guard difference.count == shape.count else {
        note(difference.shape, of: name, in: adapter, expected: shape)
        return nil
      }
      return difference.converted(to: .f32).reshaped(shape)
    }
  }

  private func note(_ found: Shape, of name: String, in adapter: any Adapter, expected: Shape) {
    errors.append(
      .misshapen(
        name: name, expected: expected.description, found: found.description, location: adapter.location))
  }

  // MARK: The end

  func finish(refusingUnused: Bool = false) throws(WeightError) {
    var errors = joined(errors)
    let unused = refusingUnused ? source.names.filter { !used.contains($0) } : []
    if !unused.isEmpty { errors.append(.unused(names: unused, location: source.location)) }
    for adapter in adapters {
      let unknown = adapter.names.filter { !used.contains($0) }
      if !unknown.isEmpty { errors.append(.unused(names: unknown, location: adapter.location)) }
    }
    if errors.count == 1 { throw errors[0] }
    if !errors.isEmpty { throw .several(errors) }
  }

  /// Makes one error of those about formats that are not read.
  private func joined(_ errors: [WeightError]) -> [WeightError] {
    var (names, types): ([String], Set<String>) = ([], [])
    var rest: [WeightError] = []
    for error in errors {
      if case .unread(let more, let of, _, _) = error {
        names += more
        types.formUnion(of)
      } else {
        rest.append(error)
      }
    }
    if names.isEmpty { return rest }
    return [.unread(names: names, types: types.sorted(), total: source.names.count, location: source.location)] + rest
  }
}
