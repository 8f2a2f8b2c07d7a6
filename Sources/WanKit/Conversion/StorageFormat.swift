import Layers
public import Tensors

/// What a conversion stores the large matrices of a network as; small tensors keep more of their numbers.
public enum StorageFormat: String, Sendable, Hashable, Codable, CaseIterable {
  /// Floats of 32 and 16 bits: every matrix, kernel and table.
  case fp32, bf16, fp16
  /// ``ElementCoding/e4m3`` with a scale for each matrix: the linears of the blocks.
  case fp8
  /// Bytes with a scale for each row: the linears of the blocks.
  case int8
  /// GGUF's blocks: the linears of the blocks.
  case q8_0, q6_k, q5_k, q4_k, q3_k, q2_k, q5_0, q5_1, q4_0, q4_1

  /// The blocks of GGUF that it stands for; `nil` for the others.
  public var blocks: ElementCoding? {
    switch self {
    case .fp32, .bf16, .fp16, .fp8, .int8: nil
    case .q8_0: .q8_0
    case .q6_k: .q6_K
    case .q5_k: .q5_K
    case .q4_k: .q4_K
    case .q3_k: .q3_K
    case .q2_k: .q2_K
    case .q5_0: .q5_0
    case .q5_1: .q5_1
    case .q4_0: .q4_0
    case .q4_1: .q4_1
    }
  }

  /// The type of plain floats; `nil` for the others.
  var floats: DType? {
    switch self {
    case .fp32: .f32
    case .bf16: .bf16
    case .fp16: .f16
    default: nil
    }
  }

  /// The layouts whose programs read it.
  public var layouts: [StorageLayout] {
    switch self {
    case .fp32, .bf16, .fp16: StorageLayout.allCases
    case .fp8, .int8: [.comfy, .official]
    default: [.gguf]
    }
  }
}

/// Whose files a conversion writes.
public enum StorageLayout: String, Sendable, Hashable, Codable, CaseIterable {
  /// Wan-AI's names and folders, in safetensors.
  case official
  /// diffusers' names and folders.
  case diffusers
  /// ComfyUI's folders and single files.
  case comfy
  /// GGUF files as ComfyUI-GGUF has them; the autoencoder stays safetensors.
  case gguf
}

/// How one tensor is stored.
enum TensorEncoding: Sendable, Hashable {
  case floats(DType)
  case blocks(ElementCoding)
  /// ``ElementCoding/e4m3`` and one scale.
  case scaledFloats
  /// Bytes and a scale for each row.
  case scaledRows

  /// - Parameters:
  ///   - request: what the network asks for.
  ///   - stored: how the tensor is stored now.
  ///   - isGGUF: whether it goes into a GGUF file.
  init(_ request: TensorRequest, stored: ElementFormat, format: StorageFormat, isGGUF: Bool) {
    if isGGUF, request.use == .parameter || request.use == .kernel {
      self = .floats(.f32)
      return
    }
    let isLinear = [.matrix, .quantizableMatrix].contains(request.use) && request.shape.rank == 2
    if isLinear, request.name.hasPrefix("blocks."), let own = Self.own(request, format) {
      self = own
      return
    }
    // A table is a third of a text encoder; a row of it is looked up, and errors do not add up.
    if isGGUF, request.use == .table, format.blocks != nil, request.shape.last % 32 == 0, request.shape.count > 1 << 14
    {
      self = .blocks(.q8_0)
      return
    }
    self = .floats(Self.floats(request, stored: stored, format: format, isGGUF: isGGUF))
  }

  /// What the format is for; `nil` where rows are no whole blocks.
  private static func own(_ request: TensorRequest, _ format: StorageFormat) -> TensorEncoding? {
    switch format {
    case .fp32, .bf16, .fp16: return nil
    case .fp8: return .scaledFloats
    case .int8: return request.shape.last <= QuantizedRows.longestRow ? .scaledRows : nil
    default: break
    }
    guard let coding = format.blocks else { return nil }
    if request.shape.last % coding.block.elements == 0 { return .blocks(coding) }
    return request.shape.last % ElementCoding.q8_0.block.elements == 0 ? .blocks(.q8_0) : nil
  }

  private static func floats(
    _ request: TensorRequest, stored: ElementFormat, format: StorageFormat, isGGUF: Bool
  ) -> DType {
    let own = stored.dtype.flatMap { [.f32, .f16, .bf16].contains($0) ? $0 : nil }
    if format == .fp32 { return .f32 }
    if request.use == .parameter { return own ?? .f32 }
    if let floats = format.floats { return floats }
    if isGGUF { return .f16 }
    return own == .f32 && request.use == .table ? .bf16 : own ?? .bf16
  }
}
