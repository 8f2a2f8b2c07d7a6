import Tensors

/// The names that a checkpoint's pickle may ask for. Nothing is ever called: each has its meaning here.
enum TorchGlobal: Sendable, Hashable {
  case orderedDict
  /// Storage, offset, size, stride and more, of which only these four matter.
  case rebuildTensor
  /// As ``rebuildTensor``, with the element type as its last argument, over an untyped storage.
  case rebuildTypedTensor
  case rebuildParameter
  /// The class of a storage; `nil`: untyped, counted in bytes.
  case storageType(ElementFormat?)
  case elementType(ElementFormat)
  case size

  /// `nil` for a name outside the list.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDict
    // A quantised tensor has the same first four arguments; its type is not read, whatever its scales say.
    case ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_qtensor"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_tensor_v3"): self = .rebuildTypedTensor
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch.storage", "UntypedStorage"), ("torch.storage", "TypedStorage"): self = .storageType(nil)
    case ("torch", "Size"): self = .size
    case ("torch", _):
      if let type = Self.storage(name) {
        self = .storageType(type)
      } else if let type = Self.element(name) {
        self = .elementType(type)
      } else {
        return nil
      }
    default: return nil
    }
  }

  /// What to say of a name outside the list, which may be one that makes tensors of a kind of its own.
  static func refusal(module: String, name: String) -> (problem: String, advice: String) {
    let makesTensors =
      module == "torch._utils" && name.hasPrefix("_rebuild_") || module == "torch._tensor"
      || module.hasPrefix("torchao")
    return makesTensors
      ? (
        "the pickle asks for '\(module).\(name)', a sparse or nested tensor or one of a class of its own, which is not "
          + "read; nothing was executed", "save its tensors as plain ones, as safetensors"
      )
      : (
        "the pickle asks for '\(module).\(name)', which no tensor needs; nothing was executed",
        "do not trust this file, or save its tensors alone, as safetensors"
      )
  }

  /// The type of a storage's class; one that the engine lacks goes by torch's name for its elements.
  private static func storage(_ name: String) -> ElementFormat? {
    if let type = storages[name] { return ElementFormat(safetensors: type) }
    guard name.hasSuffix("Storage"), name.utf8.allSatisfy(\.isWordByte) else { return nil }
    let element = name.dropLast("Storage".count).lowercased()
    return element.isEmpty ? nil : ElementFormat(safetensors: elements[element] ?? element)
  }

  /// The type that torch calls so; one that the engine lacks goes by torch's name.
  ///
  /// The scheme of a quantised tensor is such a name too: nothing is done with it.
  private static func element(_ name: String) -> ElementFormat? {
    if let type = elements[name] { return ElementFormat(safetensors: type) }
    let families = ["float", "bfloat", "int", "uint", "qint", "quint", "complex", "bits"]
    let isType = families.contains { family in
      name.hasPrefix(family) && name.utf8.dropFirst(family.utf8.count).first.map { 0x30...0x39 ~= $0 } == true
    }
    guard isType || schemes.contains(name), name.utf8.allSatisfy(\.isWordByte) else { return nil }
    return ElementFormat(name: name, block: nil)
  }

  private static let schemes = [
    "per_tensor_affine", "per_channel_affine", "per_tensor_symmetric", "per_channel_symmetric",
    "per_channel_affine_float_qparams",
  ]

  private static let storages = [
    "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
    "BoolStorage": "BOOL", "ComplexFloatStorage": "C64", "ComplexDoubleStorage": "C128",
  ]

  private static let elements = [
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL", "uint16": "U16", "uint32": "U32", "uint64": "U64",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e8m0fnu": "F8_E8M0",
    "complex32": "C32", "complex64": "C64", "complex128": "C128", "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
  ]
}

extension UInt8 {
  fileprivate var isWordByte: Bool {
    switch Unicode.Scalar(self) {
    case "a"..."z", "A"..."Z", "0"..."9", "_": true
    default: false
    }
  }
}

/// A storage as a pickle names it: `('storage', torch.FloatStorage, '12', 'cpu', 2592)`.
struct TorchStorage: Sendable, Hashable {
  /// The entry's name under `data/`.
  let key: String
  /// `nil`: untyped, `count` is in bytes.
  let format: ElementFormat?
  let count: Int
}

/// A tensor as a window into a storage; offset and strides count elements.
struct TorchView: Sendable, Hashable {
  let storage: TorchStorage
  let format: ElementFormat
  let offset: Int
  let size: [Int]
  let stride: [Int]
}
