/// What a clip is written as, decided by its name.
public struct ClipFormat: Sendable, Equatable {
  /// The kinds of file that clips are written as; raw values are file name extensions.
  public enum Container: String, Sendable, CaseIterable {
    /// H.264, 4:2:0, BT.709.
    case mp4
    /// VP9, 4:2:0, BT.709.
    case webm
    /// A palette of at most 256 colours over the whole clip; it loops.
    case gif
    /// One still, or a numbered set NAME-0001.png, NAME-0002.png and so on.
    case png
    /// Uncompressed 4:4:4, written without ffmpeg.
    case y4m
  }

  /// What the name's extension stands for.
  public let container: Container

  /// Reads the extension, upper or lower case.
  ///
  /// - Throws: `unknownFormat`, which lists the known ones.
  public init(path: String) throws(MediaError) {
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count > 1, parts.dropLast().contains(where: { !$0.isEmpty }), let last = parts.last,
      let container = Container(rawValue: last.lowercased())
    else {
      throw .unknownFormat(path: path, known: Container.allCases.map { "." + $0.rawValue })
    }
    self.container = container
  }

  /// False for .y4m alone.
  public var needsFFmpeg: Bool { container != .y4m }
}
