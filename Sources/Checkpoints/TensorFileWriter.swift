/// A file of tensors that is written as a stream: safetensors or GGUF.
public protocol TensorFileWriter: ~Copyable {
  /// Writes the next bytes of the entry whose turn it is.
  mutating func write(_ bytes: Span<UInt8>) throws(CheckpointError)
  /// Gives the file its name; every entry must have been written.
  consuming func finish() throws(CheckpointError)
}

extension SafetensorsWriter: TensorFileWriter {}
extension GGUFWriter: TensorFileWriter {}
