import Checkpoints
import Files
import Media
import Sampling
import Tensors
import WanModels

/// A small JSON object beside a checkpoint, read field by field with errors that name the file and the field.
struct ConfigurationFile {
  let path: String
  private let fields: JSONMembers
  private static let largest = 1 << 20
  /// Longer texts are none that a configuration names; they would be compared.
  private static let longestText = 1024

  init(path: String) throws(ModelError) {
    let file: Storage
    do throws(CheckpointError) {
      file = try openFile(path: path, expecting: .json)
    } catch {
      throw .checkpoint(error.description)
    }
    guard file.byteCount <= Self.largest else {
      throw .badConfiguration(
        file: path, reason: "\(file.byteCount) bytes are too many for a configuration; fetch the file again")
    }
    try self.init(file, path: path)
  }

  /// Reads a file's bytes wherever they lie.
  init(_ text: Storage, path: String) throws(ModelError) {
    self.path = path
    fields = try Self.fields(text, path: path)
  }

  private static func fields(_ text: Storage, path: String) throws(ModelError) -> JSONMembers {
    let value: JSONValue
    do throws(CheckpointError) {
      value = try JSONValue(parsing: text.bytes, path: path, as: CheckpointError.self)
    } catch {
      throw .badConfiguration(file: path, reason: "is not a JSON object: \(error.reason); fetch the file again")
    }
    guard case .object(let fields) = value else {
      throw .badConfiguration(file: path, reason: "is not a JSON object; fetch the file again")
    }
    return fields
  }

  /// The field's value; `nil` where it is absent or null.
  func value(_ name: String) -> JSONValue? {
    if case .null? = fields[name] { nil } else { fields[name] }
  }

  func string(_ name: String) throws(ModelError) -> String? {
    guard let value = value(name) else { return nil }
    guard case .string(let string) = value, string.utf8.count <= Self.longestText else {
      throw wrong(name, "a text of at most \(Self.longestText) bytes")
    }
    return string
  }

  /// A whole number in `range`.
  func integer(_ name: String, in range: ClosedRange<Int>) throws(ModelError) -> Int? {
    guard let value = value(name) else { return nil }
    guard case .number(let number) = value, let exact = Int(exactly: number), range.contains(exact) else {
      throw wrong(name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return exact
  }

  /// A finite number in `range`.
  func number(_ name: String, in range: ClosedRange<Double>) throws(ModelError) -> Double? {
    try numbers(name, count: 1, in: range)?[0]
  }

  /// One number for all, or `count` of them.
  func numbers(_ name: String, count: Int, in range: ClosedRange<Double>) throws(ModelError) -> [Double]? {
    guard let value = value(name) else { return nil }
    var numbers: [Double] = []
    switch value {
    case .number(let number): numbers = Array(repeating: number, count: count)
    case .array(let values):
      for case .number(let number) in values where values.count == count { numbers.append(number) }
    default: break
    }
    guard numbers.count == count, numbers.allSatisfy(range.contains) else {
      throw wrong(
        name, "\(count == 1 ? "a number" : "\(count) numbers") from \(range.lowerBound) to \(range.upperBound)")
    }
    return numbers
  }

  /// From one number to `most` of them.
  func list(_ name: String, upTo most: Int, in range: ClosedRange<Double>) throws(ModelError) -> [Double]? {
    guard let value = value(name) else { return nil }
    guard case .array(let values) = value, (1...most).contains(values.count) else {
      throw wrong(name, "a list of 1 to \(most) numbers")
    }
    return try numbers(name, count: values.count, in: range)
  }

  /// From one row to `most` of them, of `count` numbers each.
  func rows(_ name: String, of count: Int, upTo most: Int, in range: ClosedRange<Double>) throws(ModelError)
    -> [[Double]]?
  {
    guard let value = value(name) else { return nil }
    let rows = (value.array ?? []).map { row in
      (row.array ?? []).compactMap { if case .number(let number) = $0, range.contains(number) { number } else { nil } }
    }
    guard (1...most).contains(rows.count), rows.allSatisfy({ $0.count == count }),
      value.array?.allSatisfy({ $0.array?.count == count }) == true
    else {
      throw wrong(name, "1 to \(most) rows of \(count) numbers from \(range.lowerBound) to \(range.upperBound)")
    }
    return rows
  }

  private func wrong(_ name: String, _ expected: String) -> ModelError {
    .badConfiguration(file: path, reason: "'\(name)' must be \(expected)")
  }
}

extension CheckpointError {
  /// Place and problem, without the path.
  fileprivate var reason: String {
    if case .byte(let offset) = place { "byte \(offset): \(problem)" } else { problem }
  }
}

extension TransformerConfiguration.Facts {
  /// Reads the published config.json of a transformer, or diffusers'.
  init(_ file: ConfigurationFile) throws(ModelError) {
    let names = ["num_heads", "num_attention_heads"]
    var heads: Int?
    for name in names where heads == nil { heads = try file.integer(name, in: 1...4096) }
    guard let heads else {
      throw .badConfiguration(file: file.path, reason: "'num_heads' is missing; tensors do not tell it")
    }
    var stated: [String: Int] = [:]
    for name in ["dim", "ffn_dim", "in_dim", "out_dim", "num_layers", "freq_dim", "text_dim"] {
      stated[name] = try file.integer(name, in: 1...1_000_000)
    }
    for (name, published) in [("in_channels", "in_dim"), ("out_channels", "out_dim")] where stated[published] == nil {
      stated[published] = try file.integer(name, in: 1...1_000_000)
    }
    if let width = try file.integer("attention_head_dim", in: 1...65_536) { stated["dim"] = heads * width }
    self.init(
      heads: heads, textLength: try file.integer("text_len", in: 1...65_536) ?? 512,
      epsilon: Float(try file.number("eps", in: 1e-12...1) ?? 1e-6), stated: stated)
  }
}

extension GenerationDefaults {
  /// These defaults with those of a generation_config.json over them.
  func overridden(by file: ConfigurationFile) throws(ModelError) -> GenerationDefaults {
    var result = self
    if let name = try file.string("recipe") {
      guard let recipe = Recipe.all.first(where: { $0.name == name }) else {
        throw .badConfiguration(
          file: file.path, reason: "'recipe' must be one of \(Recipe.known), not '\(name.prefix(40))'")
      }
      result = recipe.applied(to: result)
      result.own.recipe = ChosenRecipe(recipe, toldBy: file.path)
    }
    if let size = try file.numbers("size", count: 2, in: 1...32_768) {
      guard size.allSatisfy({ $0 == $0.rounded() }) else {
        throw .badConfiguration(file: file.path, reason: "'size' must be whole numbers of pixels")
      }
      (result.width, result.height) = (Int(size[0]), Int(size[1]))
    }
    result.frames = try file.integer("frames", in: 1...4_093) ?? frames
    result.framesPerSecond = try file.number("fps", in: 1...240).map { FrameRate($0) } ?? framesPerSecond
    result.own.timesteps = try file.list("timesteps", upTo: 1_000, in: 0...1_000)?.map { Float($0) }
    result.own.switchStep = try file.integer("switch", in: 0...1_000)
    result.own.boundary = try file.number("boundary", in: 0...1)
    result.steps = try file.integer("steps", in: 1...1_000) ?? result.own.timesteps?.count ?? result.steps
    result.shift = try file.number("shift", in: 1e-3...1e3) ?? result.shift
    if let scales = try file.numbers("guidance", count: 2, in: -1e3...1e3) {
      result.guidance = GuidanceScales(low: Float(scales[0]), high: Float(scales[1]))
    }
    if let name = try file.string("solver") {
      guard let kind = SolverKind(rawValue: name) else {
        let known = SolverKind.allCases.map(\.rawValue).joined(separator: ", ")
        throw .badConfiguration(file: file.path, reason: "'solver' must be one of \(known), not '\(name.prefix(40))'")
      }
      result.solver = kind
    }
    return result
  }
}
