import Foundation
import Media
import Subprocess
import TestSupport
import Testing
import WanKit

@testable import WanCommands

/// What terminals are sent, read back as they read it.
struct TerminalPictureTests {
  private let picture = RGBImage(
    width: 61, height: 47,
    pixels: (0..<61 * 47).flatMap { (i: Int) -> [UInt8] in
      [UInt8(i % 61 * 4), UInt8(i / 61 * 5), UInt8((i * 7 + i / 61) % 256)]
    })

  @Test("kitty's pieces hold the pixels, the first one the sizes")
  func kitty() throws {
    let text = TerminalPictures(.kitty, TerminalSize(columns: 80, rows: 24)).text(picture)
    var data = ""
    let pieces = text.split(separator: "\u{1B}\\").map(String.init)
    #expect(pieces.count == 3)
    for (index, piece) in pieces.enumerated() {
      #expect(piece.hasPrefix("\u{1B}_G"))
      let parts = piece.dropFirst(3).split(separator: ";")
      let keys = Set(parts[0].split(separator: ","))
      #expect(keys.contains(index + 1 < pieces.count ? "m=1" : "m=0") && parts[1].utf8.count <= 4096)
      if index == 0 {
        for key in ["a=T", "f=24", "s=61", "v=47", "C=1", "q=2"] { #expect(keys.contains(Substring(key)), "\(keys)") }
      } else {
        #expect(keys.count == 1 && parts[1].utf8.count > 0)
      }
      data += parts[1]
    }
    #expect(Data(base64Encoded: data).map { [UInt8]($0) } == picture.pixels)
  }

  @Test("iTerm2's sequence holds a PNG of the pixels")
  func iterm() async throws {
    let text = TerminalPictures(.iterm2, TerminalSize(columns: 80, rows: 24)).text(picture)
    #expect(text.hasPrefix("\u{1B}]1337;File=inline=1;size=") && text.hasSuffix("\u{07}"))
    let colon = try #require(text.firstIndex(of: ":"))
    let file = try #require(Data(base64Encoded: String(text[text.index(after: colon)...].dropLast())))
    #expect(text.contains("size=\(file.count);"))
    let ffmpeg = try FFmpeg.locate(searchPath: ProcessInfo.processInfo.environment["PATH"])
    #expect(try await readImage(bytes: [UInt8](file), name: "a", ffmpeg: ffmpeg) == picture)
  }

  @Test("sixels paint each pixel once, in the colour nearest to it but for the dither")
  func sixel() throws {
    let sixel = SixelPicture(picture)
    let painted = try Sixels(sixel.text)
    #expect(painted.width == 61 && painted.height == 47 && painted.repaints == 0)
    for i in 0..<61 * 47 {
      let index = sixel.indices[i]
      let levels = [index / 36, index / 6 % 6, index % 6]
      #expect(painted.pixels[i] == levels.map { Int($0) * 20 })
      for c in 0..<3 { #expect(abs(Int(picture.pixels[3 * i + c]) - Int(levels[c]) * 51) <= 51) }
    }
    // On the whole the dither keeps the brightness.
    let mean = { (values: [Int]) in Double(values.reduce(0, +)) / Double(values.count) }
    let wanted = mean(picture.pixels.map { Int($0) })
    #expect(abs(mean(sixel.indices.flatMap { [$0 / 36, $0 / 6 % 6, $0 % 6].map { Int($0) * 51 } }) - wanted) < 3)
  }

  /// A small reader of sixels.
  private struct Sixels {
    private(set) var width = 0, height = 0, repaints = 0
    /// Red, green and blue in percent.
    private(set) var pixels: [[Int]] = []

    init(_ text: String) throws {
      let bytes = Array(text.utf8)
      #expect(text.hasPrefix("\u{1B}P") && text.hasSuffix("\u{1B}\\"))
      var place = try #require(bytes.firstIndex(of: UInt8(ascii: "q"))) + 1
      var colours: [Int: [Int]] = [:]
      var (colour, x, band) = (0, 0, 0)
      func numbers() -> [Int] {
        let end = bytes[place...].firstIndex { !(48...57).contains($0) && $0 != 59 } ?? bytes.count
        defer { place = end }
        return String(decoding: bytes[place..<end], as: UTF8.self).split(separator: ";").compactMap { Int($0) }
      }
      while place < bytes.count - 2 {
        let sign = bytes[place]
        place += 1
        switch sign {
        case UInt8(ascii: "\""):
          let size = numbers()
          (width, height) = (size[2], size[3])
          pixels = Array(repeating: [], count: width * height)
        case UInt8(ascii: "#"):
          let values = numbers()
          colour = values[0]
          if values.count == 5 { colours[colour] = Array(values[2...]) }
        case UInt8(ascii: "$"): x = 0
        case UInt8(ascii: "-"): (x, band) = (0, band + 1)
        case UInt8(ascii: "!"):
          let count = numbers()[0]
          for _ in 0..<count { paint(bytes[place] - 63) }
          place += 1
        default: paint(sign - 63)
        }
      }
      func paint(_ mask: UInt8) {
        for bit in 0..<6 where mask >> bit & 1 == 1 {
          let index = (6 * band + bit) * width + x
          if !pixels[index].isEmpty { repaints += 1 }
          pixels[index] = colours[colour] ?? []
        }
        x += 1
      }
    }
  }

  @Test("terminals are known by their environment")
  func kinds() {
    let table: [([String: String], TerminalPictures.Kind?)] = [
      (["TERM": "xterm-kitty"], .kitty), (["TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"], .kitty),
      (["TERM": "xterm-ghostty"], .kitty), (["TERM_PROGRAM": "ghostty"], .kitty),
      (["TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"], .iterm2), (["TERM_PROGRAM": "WezTerm"], .iterm2),
      (["LC_TERMINAL": "iTerm2"], .iterm2), (["TERM": "foot-extra"], .sixel), (["TERM": "mlterm"], .sixel),
      (["TERM_PROGRAM": "mintty"], .sixel), (["KONSOLE_VERSION": "230804"], .kitty),
      (["KONSOLE_VERSION": "211203"], nil), (["TERM": "xterm-256color"], nil), (["TERM": "dumb"], nil), ([:], nil),
      (["TERM": "xterm-kitty", "TMUX": "/tmp/tmux"], nil), (["TERM": "screen-256color", "KITTY_WINDOW_ID": "1"], nil),
      (["KITTY_WINDOW_ID": ""], nil),
    ]
    for (environment, kind) in table { #expect(TerminalPictures.kind(in: environment) == kind, "\(environment)") }
  }

  @Test(
    "a drawing comes back to the line that it began on, and fits the terminal", arguments: [(80, 24), (20, 6), (7, 2)])
  func placed(columns: Int, rows: Int) {
    let pictures = TerminalPictures(.sixel, TerminalSize(columns: columns, rows: rows))
    let image = RGBImage(width: 8, height: 8, pixels: Array(repeating: 100, count: 192))
    let preview = StepPreview(
      step: 1, steps: 2, pictures: Array(repeating: image, count: 21), frameRate: FrameRate(24, over: 4))
    let drawing = pictures.drawing(of: preview)
    #expect(drawing.rows < max(rows, 2) && drawing.rows >= 1)
    let first = drawing.placed(isFirst: true)
    #expect(
      first.hasPrefix("\u{1B}\\" + String(repeating: "\n", count: drawing.rows) + "\r\u{1B}[\(drawing.rows)A\u{1B}7"))
    #expect(first.hasSuffix("\u{1B}8\u{1B}[\(drawing.rows)B\r"))
    #expect(!drawing.placed(isFirst: false).contains("\n"))
    let size = drawing.text.split(separator: "\"")[1].split(separator: "#")[0].split(separator: ";").compactMap {
      Int($0)
    }
    #expect(size[2] <= max(16, columns * 6) && size[3] <= max(16, drawing.rows * 10), "\(size)")
  }
}

extension WanCommandTests {
  @Suite("Pictures on a terminal") struct PicturesOnTerminalTests {
    @Test(
      "stand above the bar, each in the place of the one before",
      .enabled("needs script of util-linux") { await hasCommand("script") }, arguments: ["kitty", "iterm2", "sixel"])
    func drawn(kind: String) async throws {
      let folder = try TemporaryFolder()
      let command =
        try BuiltCommand.path() + " generate -p a --steps 3 --frames 5 --size 32x32 -o a.y4m --preview terminal=\(kind)"
      let result = try await runCommand("script", ["-qec", command, "/dev/null"].map { Array($0.utf8) }, in: folder)
      #expect(result.status.isSuccess, "\(result.output)")
      let start = ["kitty": "\u{1B}_Ga=T", "iterm2": "\u{1B}]1337;File=", "sixel": "\u{1B}P0;1;0q"][kind] ?? ""
      #expect(result.output.components(separatedBy: start).count == 4)
      #expect(result.output.contains("preview  terminal (\(kind)), after each step"))
      for part in ["sampling [########----------------] 1/3", "3/3", "wrote a.y4m in "] {
        #expect(result.output.contains(part), "\(part)")
      }
      #expect(folder.contents == ["a.y4m"])
    }

    @Test(
      "are refused where the terminal shows none", .enabled("needs script of util-linux") { await hasCommand("script") }
    )
    func refused() async throws {
      let folder = try TemporaryFolder()
      let command = try BuiltCommand.path() + " generate -p a --steps 1 -o a.y4m --preview terminal"
      let environment = Environment.hermetic.updating(["TERM": "dumb", "TMUX": nil, "KITTY_WINDOW_ID": nil])
      let result = try await runCommand(
        "script", ["-qec", command, "/dev/null"].map { Array($0.utf8) }, in: folder, environment: environment)
      #expect(!result.status.isSuccess && result.output.contains("TERM 'dumb' is not known to show pictures"))
      #expect(folder.contents.isEmpty)
    }
  }
}
