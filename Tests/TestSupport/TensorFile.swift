import Foundation
public import Tensors

/// A small safetensors reader for recorded data that is known to be well formed.
public enum TensorFile {
  public enum ReadingError: Error { case malformed(String) }

  /// Every tensor of the file at `path`, by name.
  public static func read(_ path: String) throws -> [String: Tensor] {
    let data = try Golden.data(path)
    guard data.count >= 8 else { throw ReadingError.malformed(path) }
    let headerSize = Int(unsafe data.bytes.unsafeLoadUnaligned(as: UInt64.self))
    guard headerSize <= data.count - 8 else { throw ReadingError.malformed(path) }
    let header = try JSONDecoder().decode([String: Entry].self, from: data.subdata(in: 8..<8 + headerSize))
    return try header.filter { $0.key != "__metadata__" }.mapValues { entry in
      guard let tensor = entry.tensor(in: data, from: 8 + headerSize) else { throw ReadingError.malformed(path) }
      return tensor
    }
  }

  private struct Entry: Decodable {
    let dtype: String?
    let shape: [Int]?
    let data_offsets: [Int]?

    func tensor(in data: Data, from start: Int) -> Tensor? {
      guard let dtype = dtype.flatMap(DType.init(rawValue:)), let shape = shape.map(Shape.init),
        let offsets = data_offsets, offsets.count == 2, start + offsets[1] <= data.count,
        offsets[1] - offsets[0] == shape.count * dtype.byteCount
      else { return nil }
      let first = start + offsets[0]
      return switch dtype.byteCount {
      case 1: Self.tensor(shape, dtype, as: UInt8.self, data, first)
      case 2: Self.tensor(shape, dtype, as: UInt16.self, data, first)
      case 4: Self.tensor(shape, dtype, as: UInt32.self, data, first)
      default: Self.tensor(shape, dtype, as: UInt64.self, data, first)
      }
    }

    private static func tensor<Element: FixedWidthInteger & BitwiseCopyable>(
      _ shape: Shape, _ dtype: DType, as type: Element.Type, _ data: Data, _ first: Int
    ) -> Tensor {
      let bytes = data.bytes
      let size = MemoryLayout<Element>.size
      return Tensor.filled(shape: shape, dtype: dtype, as: type) { span in
        for i in 0..<shape.count {
          // SAFETY: the caller checked that the file holds all elements, and any bits are an integer.
          span[i] = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: first + i * size, as: type)
        }
      }
    }
  }
}
