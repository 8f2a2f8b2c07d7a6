import Files
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Paths are bytes") struct PathTests {
  @Test("a slash counts whatever follows it")
  func slashes() {
    #expect(Paths.name(of: "a/\u{301}b.mp4") == "\u{301}b.mp4")
    #expect(Paths.folder(of: "a/\u{301}b.mp4") == "a")
    #expect(Paths.folder(of: "b") == "." && Paths.folder(of: "/b") == "/" && Paths.folder(of: "a//b") == "a/")
    #expect(Paths.join("/", "b") == "/b" && Paths.join("a", "b") == "a/b")
  }

  @Test(
    "a name ends at its last dot",
    arguments: [
      ("a.b.png", "a.b", ".png"), (".png", ".png", ""), ("a", "a", ""), ("a.\u{301}png", "a", ".\u{301}png"),
    ])
  func endings(_ name: String, _ stem: String, _ ending: String) {
    let parts = Paths.parts(of: name)
    #expect(parts.stem == stem && parts.ending == ending)
  }

  @Test("only the own home folder stands for ~")
  func home() {
    #expect(Paths.expandingHome("~/a", home: "/h") == "/h/a" && Paths.expandingHome("~", home: "/h") == "/h")
    for path in ["~a/b", "a/~", "", "/~"] { #expect(Paths.expandingHome(path, home: "/h") == path) }
    #expect(Paths.expandingHome("~/a", home: nil) == "~/a")
  }

  @Test("a prefix keeps whole scalars")
  func prefixes() {
    #expect(Paths.prefix(of: "aé日", bytes: 3) == "aé" && Paths.prefix(of: "aé日", bytes: 5) == "aé")
    #expect(Paths.prefix(of: "日", bytes: 2).isEmpty)
  }
}

@Suite("Temporaries") struct TemporaryTests {
  @Test("names are recognised, whatever the target's length", arguments: ["a.mp4", String(repeating: "日", count: 200)])
  func names(_ target: String) {
    let name = Temporary.name(for: target)
    #expect(Temporary.isTemporary(name) && name.utf8.count <= 110)
    for other in ["." + target, ".a.partial", ".a.0123456g.partial", "a.01234567.partial", ".a.01234567.partially"] {
      #expect(!Temporary.isTemporary(other), "\(other)")
    }
  }

  @Test("the next folder beside a target removes what nobody holds, and nothing else")
  func sweeping() throws {
    let folder = try TemporaryFolder()
    let alive = try OutputFolder(beside: folder.path("b.mp4"))
    try write("frames", alive.file("clip.mp4"))
    for name in [".a.mp4.01234567.partial", ".b.mp4.89abcdef.partial"] {
      try FileManager.default.createDirectory(atPath: folder.path(name + "/inner"), withIntermediateDirectories: true)
      try write("x", folder.path(name + "/inner/file"))
    }
    try write("x", folder.path(".c.safetensors.00000000.partial"))
    try write("x", folder.path("mine.partial"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.path(".d.01234567.partial"), withDestinationPath: folder.path("mine.partial"))
    let new = try OutputFolder(beside: folder.path("a.mp4"))
    let names = [alive.path, new.path].map(Paths.name(of:)) + ["mine.partial", ".d.01234567.partial"]
    #expect(folder.contents == names.sorted())
    #expect(try Golden.data(alive.file("clip.mp4")) == Data("frames".utf8))
    let kept = alive.leave()
    try FileManager.default.moveItem(atPath: kept, toPath: folder.path(".b.mp4.89abcdef.partial"))
    alive.remove()
    Temporary.sweep(folder.path)
    #expect(try Golden.data(folder.path(".b.mp4.89abcdef.partial/clip.mp4")) == Data("frames".utf8))
    try FileManager.default.removeItem(atPath: folder.path(".b.mp4.89abcdef.partial"))
    new.remove()
    #expect(folder.contents == [".d.01234567.partial", "mine.partial"])
  }

  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  @Test("two programs that ask together get two names, and a killed one's is free again")
  func reservations() throws {
    let folder = try TemporaryFolder()
    let paths = ["clip.mp4", "clip-2.mp4", "clip-3.mp4"].map { folder.path($0) }
    try write("", folder.path(".clip.mp4.00000000.partial"))
    try write("", paths[1])
    var first = NameReservation.first(of: paths)
    let second = NameReservation.first(of: paths)
    #expect(first?.path == paths[0] && second?.path == paths[2])
    #expect(NameReservation.first(of: paths) == nil)
    first = nil
    #expect(NameReservation.first(of: paths)?.path == paths[0])
    _ = second
  }
}

@Suite("Sets of files") struct FileSetTests {
  private let folder: TemporaryFolder
  private let names = ["a-1.png", "a-2.png", "a-3.png"]

  init() throws {
    folder = try TemporaryFolder()
    for name in ["a-1.png", "a-2.png", "a-3.png", "a-4.png"] { try write("old " + name, folder.path(name)) }
  }

  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private func text(_ name: String) -> String? {
    (try? Golden.data(folder.path(name))).map { String(decoding: $0, as: UTF8.self) }
  }

  private func made() throws -> OutputFolder {
    let hidden = try OutputFolder(beside: folder.path("a.png"))
    for (index, name) in names.enumerated() { try write("new " + name, hidden.file("\(index)")) }
    return hidden
  }

  private var pairs: [(partial: String, final: String)] { names.enumerated().map { ("\($0)", $1) } }

  @Test("replace the whole older set")
  func replaces() throws {
    let hidden = try made()
    try FileSet(hidden, target: folder.path("a.png")).publish(pairs, removing: { ["a-4.png"] })
    hidden.remove()
    #expect(folder.contents == names && names.allSatisfy { text($0) == "new " + $0 })
  }

  @Test("leave the older set as it was when one name cannot be taken", arguments: [0, 1, 2])
  func goesBack(_ blocked: Int) throws {
    let hidden = try made()
    // A name longer than any file system takes.
    let long = String(repeating: "x", count: 300)
    let changed = pairs.enumerated().map { ($1.partial, $0 == blocked ? long : $1.final) }
    #expect(throws: OutputError.self) {
      try FileSet(hidden, target: folder.path("a.png")).publish(changed, removing: { ["a-4.png"] })
    }
    hidden.remove()
    #expect(folder.contents == names + ["a-4.png"])
    #expect((names + ["a-4.png"]).allSatisfy { text($0) == "old " + $0 })
  }

  @Test("stay where they are found whole when the program ends at once in the middle, and wait for each other")
  func ends() throws {
    let hidden = try made()
    #expect(Leftovers.isKnown(hidden.path))
    try FileSet(hidden, target: folder.path("a.png")).publish(pairs) {
      // A second Ctrl-C takes away what is known: from here on this holds the only copies.
      #expect(!Leftovers.isKnown(hidden.path))
      return ["a-4.png"]
    }
    #expect(names.allSatisfy { text($0) == "new " + $0 })
    let marker = Temporary.marker(for: "set.a.png", in: folder.path)
    let lock = EntryLock.take(marker, creating: true)
    let second = try made()
    let isDone = Mutex(false)
    let thread = Thread { [pairs, folder] in
      try? FileSet(second, target: folder.path("a.png")).publish(pairs) { [] }
      isDone.withLock { $0 = true }
    }
    thread.start()
    Thread.sleep(forTimeInterval: 0.3)
    #expect(lock != nil && !isDone.withLock { $0 })
    withExtendedLifetime(lock) {}
  }

  @Test("that are recovered overwrite nothing that has come since")
  func newer() throws {
    let hidden = folder.path(".a.png.01234567.partial")
    try FileManager.default.createDirectory(atPath: hidden + "/old", withIntermediateDirectories: true)
    try write("older", hidden + "/old/a-1.png")
    Temporary.sweep(folder.path)
    #expect(text("a-1.png") == "old a-1.png")
    #expect(text(".a.png.01234567.partial/old/a-1.png") == "older")
  }

  @Test("of another user are nobody's business", .enabled("needs root") { geteuid() == 0 })
  func planted() throws {
    let hidden = folder.path(".q.0badcafe.partial")
    try FileManager.default.createDirectory(atPath: hidden + "/placing", withIntermediateDirectories: true)
    try write("planted", hidden + "/placing/new.txt")
    #expect(unsafe chown(hidden, 65534, 65534) == 0)
    Temporary.sweep(folder.path)
    #expect(text("new.txt") == nil && text(".q.0badcafe.partial/placing/new.txt") == "planted")
  }

  @Test("go back or forward after a kill in the middle", arguments: ["old", "placing"])
  func recovers(_ state: String) throws {
    // What a killed program leaves: a hidden folder that nobody holds.
    let hidden = folder.path(".a.png.01234567.partial")
    for name in ["old", state == "old" ? "waiting" : "placing"] {
      try FileManager.default.createDirectory(atPath: hidden + "/" + name, withIntermediateDirectories: true)
    }
    if state == "old" {
      try FileManager.default.moveItem(atPath: folder.path("a-4.png"), toPath: hidden + "/old/a-4.png")
      try FileManager.default.moveItem(atPath: folder.path("a-1.png"), toPath: hidden + "/old/a-1.png")
      try write("new a-1.png", hidden + "/waiting/a-1.png")
    } else {
      for name in names + ["a-4.png"] {
        try FileManager.default.moveItem(atPath: folder.path(name), toPath: hidden + "/old/" + name)
      }
      try write("new a-1.png", folder.path("a-1.png"))
      for name in names.dropFirst() { try write("new " + name, hidden + "/placing/" + name) }
    }
    Temporary.sweep(folder.path)
    let expected = state == "old" ? (names + ["a-4.png"], "old ") : (names, "new ")
    #expect(folder.contents == expected.0)
    for name in expected.0 { #expect(text(name) == expected.1 + name) }
  }
}
