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
  case storageType(StoredType?)
  case elementType(StoredType)
  case size

  /// `nil` for a name outside the list.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDict
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_tensor_v3"): self = .rebuildTypedTensor
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch.storage", "UntypedStorage"), ("torch.storage", "TypedStorage"): self = .storageType(nil)
    case ("torch", "Size"): self = .size
    case ("torch", _):
      if let type = Self.storages[name] {
        self = .storageType(StoredType(name: type))
      } else if let type = Self.elements[name] {
        self = .elementType(StoredType(name: type))
      } else {
        return nil
      }
    default: return nil
    }
  }

  private static let storages = [
    "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
    "BoolStorage": "BOOL",
  ]

  private static let elements = [
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL", "uint16": "U16", "uint32": "U32", "uint64": "U64",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e8m0fnu": "F8_E8M0",
    "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ",
  ]
}

/// A storage as a pickle names it: `('storage', torch.FloatStorage, '12', 'cpu', 2592)`.
struct TorchStorage: Sendable, Hashable {
  /// The entry's name under `data/`.
  let key: String
  /// `nil`: untyped, `count` is in bytes.
  let type: StoredType?
  let count: Int
}

/// A tensor as a window into a storage; offset and strides count elements.
struct TorchView: Sendable, Hashable {
  let storage: TorchStorage
  let type: StoredType
  let offset: Int
  let size: [Int]
  let stride: [Int]
}
