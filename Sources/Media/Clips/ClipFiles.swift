import Files

/// The names of a clip's files, in the hidden folder and at last.
struct ClipFiles {
  let path: String
  let format: ClipFormat
  let frameCount: Int

  /// Whether the clip is several files, named by numbers.
  var isSet: Bool { format == .png && frameCount > 1 }

  /// What the encoder is told to write in a folder, and the name of the first file that comes of it. In the paths of
  /// pictures a percent sign stands for their number, so that others are doubled.
  static func encoded(
    _ stem: String, _ format: ClipFormat, in folder: OutputFolder
  ) -> (pattern: String, first: String) {
    guard format == .png else {
      let name = stem + "." + format.rawValue
      return (folder.file(name), name)
    }
    // Scalar by scalar: a mark behind a percent sign would hide it among characters.
    let escaped = String(String.UnicodeScalarView(folder.path.unicodeScalars.flatMap { $0 == "%" ? [$0, $0] : [$0] }))
    return (Paths.join(escaped, stem + "%07d.png"), stem + "0000001.png")
  }

  private static let stem = "clip"

  /// What the encoder is told to write.
  func pattern(in folder: OutputFolder) -> String { Self.encoded(Self.stem, format, in: folder).pattern }

  /// Names in the hidden folder, and names beside it.
  var pairs: [(partial: String, final: String)] {
    guard format == .png else { return [(Self.stem + "." + format.rawValue, Paths.name(of: path))] }
    return (1...frameCount).map {
      (Self.stem + Self.padded($0, 7) + ".png", frameCount == 1 ? Paths.name(of: path) : numbered($0))
    }
  }

  /// The paths that the clip's files will bear.
  var finals: [String] { pairs.map { Paths.join(Paths.folder(of: path), $0.final) } }

  /// Names of pictures that an older, longer set has left, which would mix with this one: those that follow its last
  /// number without a gap.
  var extras: [String] {
    guard isSet else { return [] }
    return Array(
      sequence(first: frameCount + 1) { $0 + 1 }.lazy.map(numbered).prefix {
        FileStatus(path: Paths.join(Paths.folder(of: path), $0), followingLinks: false)?.kind == .file
      })
  }

  /// NAME.png becomes NAME-0001.png and so on.
  private func numbered(_ number: Int) -> String {
    let parts = Paths.parts(of: Paths.name(of: path))
    return parts.stem + "-" + Self.padded(number, 4) + parts.ending
  }

  private static func padded(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(digits - text.count, 0)) + text
  }
}
