import Foundation
import Media
import WanKit

/// Pictures on a terminal that understands them.
struct TerminalPictures: Sendable {
  /// The ways in which terminals take pictures.
  enum Kind: String, Sendable, CaseIterable {
    /// kitty's graphics protocol: Ghostty and Konsole too.
    case kitty
    /// iTerm2's inline pictures: WezTerm too.
    case iterm2
    /// DEC's sixels: foot, mlterm, mintty and others.
    case sixel
  }

  let kind: Kind
  /// Rows that a picture takes.
  let rows: Int
  /// Pixels that it may have.
  let width, height: Int

  /// Pictures of a preview that are shown.
  private static let mostPictures = 6
  /// Pixels of a sheet at most: kitty and iTerm2 enlarge it themselves.
  private static let longest = 480

  /// The terminal that standard error goes to.
  ///
  /// - Parameter named: the way that it takes pictures; told by the environment unless given.
  /// - Throws: `CommandError` where it takes none, or none that is known of.
  init(named: Kind?, environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    guard Console.isTerminal else {
      throw CommandError("--preview terminal: standard error is no terminal; name a .png, .gif or .mp4 file")
    }
    guard let kind = named ?? Self.kind(in: environment) else { throw CommandError(Self.refusal(in: environment)) }
    self.init(kind, Console.terminalSize)
  }

  init(_ kind: Kind, _ terminal: TerminalSize) {
    self.kind = kind
    // Half of the terminal, and room for two lines of text.
    rows = max(1, min(24, terminal.rows / 2, terminal.rows - 2))
    (width, height) = (max(16, terminal.columns * terminal.cellWidth - 1), max(16, rows * terminal.cellHeight))
  }

  /// How the terminal of an environment takes pictures; `nil` for one that takes none that is known of.
  static func kind(in environment: [String: String]) -> Kind? {
    let (term, program) = (environment["TERM"] ?? "", environment["TERM_PROGRAM"] ?? "")
    // What runs inside of another program reaches that program, whatever it has inherited.
    if environment["TMUX"] != nil || environment["STY"] != nil || term.hasPrefix("screen") || term.hasPrefix("tmux") {
      return nil
    }
    if term.contains("kitty") || term.contains("ghostty") || program == "ghostty" || isSet("KITTY_WINDOW_ID") {
      return .kitty
    }
    if program == "iTerm.app" || environment["LC_TERMINAL"] == "iTerm2" || program == "WezTerm" { return .iterm2 }
    if let version = environment["KONSOLE_VERSION"].flatMap({ Int($0) }), version >= 220_400 { return .kitty }
    let sixels = ["foot", "mlterm", "yaft", "contour"]
    if program == "mintty" || term.contains("sixel") || sixels.contains(where: { term.hasPrefix($0) }) { return .sixel }
    return nil

    func isSet(_ name: String) -> Bool { environment[name].map { !$0.isEmpty } ?? false }
  }

  private static func refusal(in environment: [String: String]) -> String {
    let inside = environment["TMUX"] != nil ? "tmux" : environment["STY"] != nil ? "screen" : nil
    let what = inside.map { "inside of \($0), where pictures may not reach the terminal" }
    return "--preview terminal: " + (what ?? "TERM '\(environment["TERM"] ?? "")' is not known to show pictures")
      + "; say which it takes (terminal=kitty, terminal=iterm2, terminal=sixel), or name a .png, .gif or .mp4 file"
  }

  /// A few pictures of a preview, evenly spread, as the terminal takes them.
  func drawing(of preview: StepPreview) -> TerminalDrawing {
    let count = preview.pictures.count
    let shown = min(count, Self.mostPictures)
    let pictures = (0..<shown).map { preview.pictures[shown == 1 ? 0 : $0 * (count - 1) / (shown - 1)] }
    let sheet = PreviewImage.sheet(of: pictures, longest: Self.longest).fitted(width: width, height: height)
    return TerminalDrawing(text: text(sheet), rows: rows)
  }

  /// The escape sequences of a picture; the cursor's place after them is any.
  func text(_ picture: RGBImage) -> String {
    switch kind {
    case .kitty: KittyPicture.text(picture, rows: rows)
    case .iterm2: ITermPicture.text(picture, rows: rows)
    case .sixel: SixelPicture(picture).text
    }
  }
}

/// What a terminal measures.
struct TerminalSize: Sendable {
  let columns, rows: Int
  /// Pixels of a character; small where the terminal does not tell, so that pictures take fewer rows than are kept free.
  let cellWidth, cellHeight: Int

  init(columns: Int, rows: Int, cellWidth: Int = 6, cellHeight: Int = 10) {
    (self.columns, self.rows, self.cellWidth, self.cellHeight) = (columns, rows, cellWidth, cellHeight)
  }
}

/// A picture of a terminal and the rows that are kept free for it.
struct TerminalDrawing: Sendable {
  let text: String
  let rows: Int

  /// Ends a picture that was cut off; nothing otherwise.
  static let end = "\u{1B}\\"

  /// Draws it in the rows above the cursor, which stands at the beginning of a line and comes back there.
  ///
  /// - Parameter isFirst: whether the rows have to be made first, by scrolling.
  func placed(isFirst: Bool) -> String {
    let (escape, up) = ("\u{1B}", "\u{1B}[\(rows)A")
    // The cursor is kept, since each way leaves it elsewhere.
    let begin = Self.end + (isFirst ? String(repeating: "\n", count: rows) : "")
    return begin + "\r" + up + escape + "7" + text + escape + "8" + "\u{1B}[\(rows)B\r"
  }
}

/// kitty's graphics protocol: raw pixels in pieces of base 64.
enum KittyPicture {
  private static let piece = 4096
  /// One number for all of a run's pictures, so that each takes the place of the one before.
  private static let identifier = 0x57_41_4E

  static func text(_ picture: RGBImage, rows: Int) -> String {
    let data = Array(Data(picture.pixels).base64EncodedString().utf8)
    let keys = "a=T,q=2,C=1,f=24,s=\(picture.width),v=\(picture.height),r=\(rows),i=\(identifier),p=1"
    return stride(from: 0, to: data.count, by: piece).map { start in
      let end = min(start + piece, data.count)
      let more = end < data.count ? 1 : 0
      return "\u{1B}_G" + (start == 0 ? keys + "," : "") + "m=\(more);"
        + String(decoding: data[start..<end], as: UTF8.self) + "\u{1B}\\"
    }.joined()
  }
}

/// iTerm2's inline pictures: a file in base 64.
enum ITermPicture {
  static func text(_ picture: RGBImage, rows: Int) -> String {
    let file = picture.png()
    return "\u{1B}]1337;File=inline=1;size=\(file.count);height=\(rows);preserveAspectRatio=1:"
      + Data(file).base64EncodedString() + "\u{07}"
  }
}
