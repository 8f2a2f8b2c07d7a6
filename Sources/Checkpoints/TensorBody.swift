import Files
import Tensors

/// A file of tensors that is written as a stream: safetensors or GGUF.
public protocol TensorFileWriter: ~Copyable {
  /// Writes the next bytes of the entry whose turn it is.
  mutating func write(_ bytes: Span<UInt8>) throws(CheckpointError)
  /// Gives the file its name; every entry must have been written.
  consuming func finish() throws(CheckpointError)
}

extension SafetensorsWriter: TensorFileWriter {}
extension GGUFWriter: TensorFileWriter {}

/// The elements of a file of tensors, written one entry after the other behind the file's header.
struct TensorBody: ~Copyable {
  let entries: [SafetensorsWriter.Entry]
  private let file: OutputFile
  /// Each entry begins at a multiple of so many bytes.
  private let alignment: Int
  /// The entry that the next bytes belong to, how many of its bytes are there, and how many lie in front of it.
  private var current = 0
  private var written = 0
  private var position = 0

  /// Starts a file that will replace whatever is at `path`.
  ///
  /// - Parameter header: its front, up to the first element.
  init(
    path: String, header: [UInt8], entries: [SafetensorsWriter.Entry], alignment: Int
  ) throws(CheckpointError) {
    let file: OutputFile
    do throws(FileError) {
      file = try OutputFile(path: path)
      try file.write(header.span)
    } catch {
      throw CheckpointError(error)
    }
    (self.file, self.entries, self.alignment) = (file, entries, alignment)
    skipEmpty()
  }

  mutating func write(_ tensor: Tensor, as name: String) throws(CheckpointError) {
    guard current < entries.count, written == 0, entries[current].name == name else {
      // A tensor without elements was passed over already.
      if tensor.count == 0, entries.contains(where: { $0.name == name && $0.byteCount == 0 }) { return }
      throw misuse("'\(name)' is not the tensor whose turn it is")
    }
    guard entries[current].fits(tensor) else {
      throw misuse("'\(name)' was declared \(entries[current].shape) \(entries[current].format.name)")
    }
    try tensor.withBytes { (bytes: Span<UInt8>) throws(CheckpointError) in try write(bytes) }
  }

  mutating func write(_ bytes: Span<UInt8>) throws(CheckpointError) {
    if bytes.isEmpty { return }
    guard current < entries.count, bytes.count <= entries[current].byteCount - written else {
      throw misuse("\(bytes.count) bytes are more than its entry takes")
    }
    if written == 0 { try pad() }
    do throws(FileError) { try file.write(bytes) } catch { throw CheckpointError(error) }
    written += bytes.count
    position += bytes.count
    if written == entries[current].byteCount {
      (current, written) = (current + 1, 0)
      skipEmpty()
    }
  }

  consuming func finish() throws(CheckpointError) {
    let file = try closed()
    do throws(FileError) { try file.commit() } catch { throw CheckpointError(error) }
  }

  /// The file, complete, under its temporary name.
  consuming func closed() throws(CheckpointError) -> OutputFile {
    guard current == entries.count else { throw misuse("its elements are not all there") }
    try pad()
    do throws(FileError) { try file.finish() } catch { throw CheckpointError(error) }
    return file
  }

  /// Zeros up to the next place where an entry may begin.
  private mutating func pad() throws(CheckpointError) {
    let rest = (alignment - position % alignment) % alignment
    if rest == 0 { return }
    let zeros = [UInt8](repeating: 0, count: rest)
    do throws(FileError) { try file.write(zeros.span) } catch { throw CheckpointError(error) }
    position += rest
  }

  private mutating func skipEmpty() {
    while current < entries.count, entries[current].byteCount == 0 { current += 1 }
  }

  private func misuse(_ problem: String) -> CheckpointError {
    let place = current < entries.count ? CheckpointError.Place.key(entries[current].name) : .file
    return CheckpointError(path: file.path, at: place, problem)
  }
}
