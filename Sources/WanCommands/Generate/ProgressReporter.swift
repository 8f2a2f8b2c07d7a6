import Foundation
import Sampling
import Synchronization
import WanKit

/// Shows a run while it goes: a bar on a terminal, lines elsewhere, JSON events, or nothing.
final class ProgressReporter: Sendable {
  enum Style: Sendable {
    case bar, lines, json, quiet

    init(json: Bool, quiet: Bool) {
      self = json ? .json : quiet ? .quiet : Console.isTerminal ? .bar : .lines
    }
  }

  private let style: Style
  /// The length of the line drawn last, to wipe what a shorter one leaves.
  private let drawn = Mutex(0)
  /// Whether the picture of the step before stands right above the line.
  private let hasPicture = Mutex(false)

  /// Which of many clips is told of; `nil` for a clip alone.
  private let position: ClipPosition?

  init(style: Style, of position: ClipPosition? = nil) {
    (self.style, self.position) = (style, position)
  }

  /// A line for people, before there is a plan.
  func note(_ line: String) {
    switch style {
    case .json, .quiet: break
    case .bar, .lines: Console.note(line)
    }
  }

  func begin(_ plan: PlanReport) {
    switch style {
    case .json: event(plan)
    case .quiet: break
    case .bar, .lines:
      if let position { Console.note(position.line) }
      let lines = position.map { $0.isFirst ? plan.firstLines : plan.briefLines } ?? plan.lines
      for line in lines { Console.note(line) }
    }
  }

  /// Takes away what is drawn of a line, where another reporter goes on.
  func clear() { if style == .bar { draw("") } }

  /// Tells of many clips, before or behind them or between two.
  func show(_ event: some BatchEvent) {
    switch style {
    case .json: Console.event(event)
    case .quiet: break
    case .lines: Console.note(event.line)
    case .bar:
      draw("")
      Console.note(event.line)
    }
  }

  private func event(_ event: some Encodable) {
    if let position { Console.event(PositionedEvent(position: position, event: event)) } else { Console.event(event) }
  }

  func show(_ event: GenerationEvent) {
    switch style {
    case .quiet: break
    case .json: self.event(event)
    case .bar where event.isNotice:
      hasPicture.withLock { $0 = false }
      draw("")
      if let line = line(event) { Console.note(line) }
    case .lines: if let line = line(event) { Console.note(line) }
    case .bar: if let bar = bar(event) { draw((position.map { "clip \($0.number) of \($0.count)  " } ?? "") + bar) }
    }
  }

  /// Shows a picture on the terminal, above the bar and in the place of the one before.
  ///
  /// A terminal that has not taken all of what it was sent gets no more pictures.
  func show(_ drawing: TerminalDrawing) {
    guard !Console.hasLostText else { return }
    let isFirst = hasPicture.withLock { hasPicture in
      defer { hasPicture = true }
      return !hasPicture
    }
    draw("")
    Console.draw(drawing.placed(isFirst: isFirst))
    if Console.hasLostText { Console.draw(TerminalDrawing.end) }
  }

  func end(_ report: EndReport) {
    switch style {
    case .quiet: break
    case .json: event(report)
    case .lines: for line in report.lines { Console.note(line) }
    case .bar:
      draw("")
      for line in report.lines { Console.note(line) }
    }
  }

  private func line(_ event: GenerationEvent) -> String? {
    switch event {
    case .began(let stage): stage == .sampling ? nil : stage.words
    case .ended: nil
    case .step(let p):
      "step \(p.step)/\(p.steps) t \(p.timestep)\(expert(p)) "
        + (p.skipped == true ? "skipped, " : "\(Format.fixed(p.seconds, 2)) s, ")
        + "\(Format.duration(p.secondsLeft)) left"
    case .notice(let text): text
    case .frames(let done, let count): done == count ? Format.count(count, "frame") : nil
    case .tiles: nil
    }
  }

  private func bar(_ event: GenerationEvent) -> String? {
    switch event {
    case .began(let stage): stage.words.map { "\($0) ..." }
    case .ended: nil
    case .step(let p):
      "sampling \(gauge(p.step, p.steps)) \(p.step)/\(p.steps)\(expert(p))  "
        + (p.skipped == true ? "skipped  " : "\(Format.fixed(p.seconds, 2)) s/step  ")
        + "\(Format.duration(p.secondsLeft)) left"
    case .notice(let text): text
    case .frames(let done, let count): "decoding \(gauge(done, count)) \(done)/\(count) frames"
    case .tiles(let done, let count): "decoding \(gauge(done, count)) \(done)/\(count) parts"
    }
  }

  private func expert(_ progress: StepProgress) -> String {
    progress.expert == .only ? "" : "  \(progress.expert.rawValue) noise"
  }

  private func gauge(_ done: Int, _ count: Int) -> String {
    let width = 24
    let full = done * width / max(count, 1)
    return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: width - full) + "]"
  }

  /// Draws the line anew, cut to what the terminal shows of a line: a longer one would wrap, and stay.
  private func draw(_ line: String) {
    drawn.withLock { length in
      let text = line.prefix(max(Console.columns - 1, 0))
      Console.draw(
        "\r" + text + String(repeating: " ", count: max(0, length - text.count)) + (text.isEmpty ? "\r" : ""))
      length = text.count
    }
  }
}

extension GenerationEvent {
  fileprivate var isNotice: Bool { if case .notice = self { true } else { false } }
}

extension GenerationStage {
  /// What people read; `nil` for what the stage around it says already.
  fileprivate var words: String? {
    switch self {
    case .encodingText: "encoding the prompt"
    case .encodingImage: "encoding the image"
    case .sampling: "sampling"
    case .loadingTransformer: "loading the transformer"
    case .decoding: "decoding"
    case .loadingTextEncoder, .loadingImageEncoder, .loadingDecoder: nil
    }
  }
}
