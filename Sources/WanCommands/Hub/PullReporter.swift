import Hub
import Synchronization

/// Shows a download: a line that is drawn again on a terminal; elsewhere only what somebody may have to know.
final class PullReporter: Sendable {
  private struct State {
    var rate = TransferRate()
    var files = (done: 0, all: 0)
    /// The length of the line drawn last, to wipe what a shorter one leaves.
    var drawn = 0
  }

  private let name: RepositoryName
  private let isQuiet: Bool
  private let hasBar: Bool
  private let state = Mutex(State())

  init(name: RepositoryName, isQuiet: Bool) {
    (self.name, self.isQuiet, hasBar) = (name, isQuiet, !isQuiet && Console.isTerminal)
  }

  func show(_ event: PullEvent) {
    state.withLock { state in
      switch event {
      case .planned(let files, let bytes, let present): begin(&state, files, bytes, present)
      case .progress(let done, let fetched, let bytes):
        if hasBar { draw(line(&state, done, fetched, bytes), &state) }
      case .finished: state.files.done += 1
      case .retrying(let file, let reason, let seconds):
        note("\(file): \(reason); again in \(Format.duration(seconds))", &state)
      case .damaged(let file): note("\(file): its bytes were damaged; it is fetched once more", &state)
      case .waiting(let file): note("\(file): another program is fetching it; waiting", &state)
      }
    }
  }

  /// Wipes the line.
  func end() {
    state.withLock { if hasBar { draw("", &$0) } }
  }

  private func begin(_ state: inout State, _ files: Int, _ bytes: Int, _ present: Int) {
    state.files.all = files
    guard hasBar else { return }
    let kept = present > 0 ? ", of which \(Format.gibibytes(present)) are here" : ""
    note("\(name): \(Format.count(files, "file")), \(Format.gibibytes(bytes))\(kept)", &state)
  }

  private func line(_ state: inout State, _ done: Int, _ fetched: Int, _ bytes: Int) -> String {
    let width = 24
    let full = bytes > 0 ? min(max(width * done / bytes, 0), width) : width
    let gauge = String(repeating: "#", count: full) + String(repeating: "-", count: width - full)
    var line = "[\(gauge)] \(Format.gibibytes(done)) of \(Format.gibibytes(bytes))"
    if let rate = state.rate.bytesPerSecond(after: fetched) {
      line += "  \(Format.fixed(rate / Double(1 << 20), 1)) MiB/s"
      if rate > 0 { line += "  \(Format.duration(Double(bytes - done) / rate)) left" }
    }
    return line
  }

  private func note(_ text: String, _ state: inout State) {
    guard !isQuiet else { return }
    if hasBar { draw("", &state) }
    Console.note(text)
  }

  /// Draws the line anew, cut to what the terminal shows of a line.
  private func draw(_ line: String, _ state: inout State) {
    let text = line.prefix(max(Console.columns - 1, 0))
    let rest = String(repeating: " ", count: max(0, state.drawn - text.count))
    Console.draw("\r" + text + rest + (text.isEmpty ? "\r" : ""))
    state.drawn = text.count
  }
}

/// Bytes per second over the last seconds.
struct TransferRate {
  private var marks: [(time: ContinuousClock.Instant, bytes: Int)] = []

  private static let window = Duration.seconds(10)

  /// - Parameter bytes: all that have come so far.
  /// - Returns: `nil` until there is something to tell it by.
  mutating func bytesPerSecond(after bytes: Int, at now: ContinuousClock.Instant = .now) -> Double? {
    marks.append((now, bytes))
    if let first = marks.firstIndex(where: { now - $0.time <= Self.window }) { marks.removeFirst(first) }
    guard let first = marks.first, now - first.time > .milliseconds(500) else { return nil }
    return Double(bytes - first.bytes) / ((now - first.time) / .seconds(1))
  }
}
