import Checkpoints
import Files
import Layers
import Tensors

/// One network on its way into one file.
struct NetworkConversion: Sendable {
  let kind: NetworkKind
  /// Under its published names.
  let source: any WeightSource
  let tensors: [TensorConversion]
  /// What is merged.
  let adapters: [LoRA]
  /// Texts of the header.
  let metadata: [(key: String, value: String)]
  /// Entries behind the network's own, whole: a tokenizer, a mark.
  private(set) var extras: [(name: String, tensor: Tensor)] = []
  /// The free values of a GGUF file; `nil` for safetensors.
  private let values: [(key: String, value: GGUFWriter.Value)]?
  private let location: String

  /// What a file has around its network.
  struct Form {
    /// Whose names.
    let dialect: TensorNaming.Dialect
    /// The free values of a GGUF file; `nil` for safetensors.
    var values: [(key: String, value: GGUFWriter.Value)]?
    /// Tensors behind the network's own.
    var extras: [(name: String, tensor: Tensor)] = []
  }

  /// - Parameter demand: what the network asks of the source.
  init(
    _ kind: NetworkKind, _ source: any WeightSource, _ demand: Demand, as format: StorageFormat, in form: Form,
    adapters: [LoRA] = []
  ) {
    (self.kind, self.source, self.adapters) = (kind, source, adapters)
    location = source.location
    // A tensor that two layers share is stored once.
    var seen: Set<String> = []
    let requests = demand.requests.filter { seen.insert($0.name).inserted }
    let rename = LayoutNames(kind, form.dialect, names: requests.map(\.name))
    let tensors = requests.map { request in
      let stored = source.descriptor(request.name)?.format ?? ElementFormat(.f32)
      // A parameter that is changed keeps the change.
      let isChanged = request.use == .parameter && adapters.contains { $0.names.contains(request.name) }
      return TensorConversion(
        request: request, name: rename(request.name),
        encoding: isChanged
          ? .floats(.f32) : TensorEncoding(request, stored: stored, format: format, isGGUF: form.values != nil))
    }
    self.tensors = tensors
    extras = form.extras
    if tensors.contains(where: { $0.encoding == .scaledFloats }) {
      // ComfyUI's mark; of two elements where products are to be computed with more than eight bits.
      let shape: Shape = kind == .textEncoder ? [2] : [0]
      extras.append(("scaled_fp8", Tensor.zeros(shape, dtype: .u8)))
    }
    let metadata = Self.metadata(source, adapters)
    self.metadata = metadata
    values = form.values.map { $0 + Self.texts(metadata, beside: $0.map(\.key)) }
  }

  /// The header's texts as free values of GGUF, whose keys are small letters with a namespace.
  private static func texts(
    _ metadata: [(key: String, value: String)], beside taken: [String]
  ) -> [(key: String, value: GGUFWriter.Value)] {
    var seen = Set(taken)
    return metadata.compactMap { key, value in
      guard key != "format" else { return nil }
      let letters = key.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "_" }
      let name = key.contains(".") ? String(letters) : "general." + String(letters)
      return seen.insert(name).inserted ? (name, .string(value)) : nil
    }
  }

  /// The source's texts, less what belongs to its own types, and what was merged; the first of each key, as shards repeat
  /// them.
  private static func metadata(_ source: any WeightSource, _ adapters: [LoRA]) -> [(key: String, value: String)] {
    let merged = "merged_adapters"
    var texts = [(key: "format", value: "pt")]
    var seen: Set<String> = ["format", "_quantization_metadata"]
    for text in source.metadata where seen.insert(text.key).inserted { texts.append(text) }
    if !adapters.isEmpty {
      let names = texts.filter { $0.key == merged }.map(\.value) + adapters.map { Paths.name(of: $0.identity) }
      texts = texts.filter { $0.key != merged } + [(merged, names.joined(separator: ", "))]
    }
    return texts
  }

  private var entries: [SafetensorsWriter.Entry] {
    tensors.flatMap(\.entries)
      + extras.map { name, tensor in
        name == "scaled_fp8"
          ? .init(name: name, shape: tensor.shape, format: ElementFormat(.e4m3))
          : .init(name: name, shape: tensor.shape, dtype: tensor.dtype)
      }
  }

  /// Bytes of all elements.
  var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }

  /// How many tensors have each type.
  var formats: [String: Int] { entries.reduce(into: [:]) { $0[$1.format.name, default: 0] += 1 } }

  /// Writes the file and reads it back.
  ///
  /// - Parameter onBytes: is told how many bytes are written, now and then.
  /// - Returns: what rounding lost, of the tensors that lost something.
  func write(
    to path: String, on backend: any Backend, onBytes: (Int) -> Void
  ) throws -> [(name: String, loss: RoundingLoss)] {
    let written: Written
    if let values {
      written = try write(GGUFWriter(path: path, entries: entries, values: values), backend, onBytes)
    } else {
      written = try write(SafetensorsWriter(path: path, entries: entries, metadata: metadata), backend, onBytes)
    }
    try check(path, written.sums)
    return written.losses
  }

  private struct Written {
    var sums: [UInt64] = []
    var losses: [(name: String, loss: RoundingLoss)] = []
  }

  private func write<W: TensorFileWriter & ~Copyable>(
    _ writer: consuming W, _ backend: any Backend, _ onBytes: (Int) -> Void
  ) throws -> Written {
    var written = Written()
    for tensor in tensors {
      let rows = try TensorRows(tensor.request, in: source, adapters: adapters, backend: backend)
      var sums = tensor.entries.map { _ in Checksum() }
      let loss = try tensor.write(rows, backend, location: location) { place, bytes in
        try writer.write(bytes)
        sums[place].add(bytes)
        onBytes(bytes.count)
      }
      written.sums += sums.map(\.value)
      if loss.relative > 0 { written.losses.append((tensor.request.name, loss)) }
      rows.discardCachedPages()
    }
    for (_, tensor) in extras {
      try tensor.withBytes { (bytes: Span<UInt8>) throws in
        try writer.write(bytes)
        written.sums.append(Checksum(bytes).value)
      }
    }
    try writer.finish()
    return written
  }

  /// Every tensor is there as it was written, and the whole is the network that it was.
  private func check(_ path: String, _ sums: [UInt64]) throws {
    let file: any WeightSource = values == nil ? try SafetensorsFile(path: path) : try GGUFFile(path: path)
    for (entry, sum) in zip(entries, sums) {
      try Task.checkCancellation()
      guard file.descriptor(entry.name) == TensorDescriptor(shape: entry.shape, format: entry.format),
        try Self.checksum(file.matrix(entry.name)) == sum
      else {
        throw ModelError.checkpoint("\(path): '\(entry.name)' does not read back as it was written; is the disk sound?")
      }
    }
    let network = try CheckpointRecognition.network(kind, in: openCheckpoint(path: path))
    for tensor in tensors {
      guard network.descriptor(tensor.request.name)?.holds(tensor.request.shape) == true else {
        throw ModelError.checkpoint("\(path): '\(tensor.request.name)' cannot be found again")
      }
    }
  }

  private static func checksum(_ stored: StoredMatrix) -> UInt64 {
    defer { stored.discardCachedPages() }
    return switch stored {
    case .dense(let tensor): tensor.withBytes { Checksum($0).value }
    case .scaledRows(let rows): rows.values.withBytes { Checksum($0).value }
    case .encoded(let matrix): matrix.codes.withBytes { Checksum($0).value }
    }
  }
}
