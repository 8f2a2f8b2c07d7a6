import Media
import WanKit

/// Which of many clips is told of: in JSON its keys stand beside those of each event.
struct ClipPosition: Sendable {
  /// Counted from 1, and how many there are.
  let number, count: Int
  /// Its file.
  let name: String
  /// Whether it is the first that is made, whose plan is told whole.
  var isFirst = false

  var line: String { "clip \(number) of \(count): \(name)" }
}

/// An event of one of many clips.
struct PositionedEvent<Event: Encodable>: Encodable {
  let position: ClipPosition
  let event: Event

  private enum CodingKeys: String, CodingKey { case clip, clips }

  func encode(to encoder: any Encoder) throws {
    try event.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(position.number, forKey: .clip)
    try fields.encode(position.count, forKey: .clips)
  }
}

/// What is told in a line, and in JSON as an event.
protocol BatchEvent: Encodable {
  var line: String { get }
}

/// Many clips are about to be made.
struct BatchReport: BatchEvent {
  let event = "batch"
  let clips, finished: Int
  let folder: String

  var line: String {
    "\(Format.count(clips, "clip")) in '\(folder)'" + (finished == 0 ? "" : ", \(finished) of them finished before")
  }
}

/// A clip that was finished at an earlier start.
struct SkippedClip: BatchEvent {
  let event = "skipped"
  let clip, clips: Int
  let output: String

  init(_ clip: BatchClip, of count: Int) { (self.clip, clips, output) = (clip.number, count, clip.target.name) }

  var line: String { "clip \(clip) of \(clips): \(output) is finished" }
}

/// A clip that failed.
struct FailedClip: BatchEvent {
  let event = "failed"
  let clip, clips: Int
  let output: String
  /// Where it was asked for.
  let place: String
  let error: String

  init(_ clip: BatchClip, of count: Int, error: String) {
    (self.clip, clips, output, self.error) = (clip.number, count, clip.target.name, error)
    place = clip.entry.place
  }

  var line: String { "clip \(clip) of \(clips) failed: \(error)" }
}

/// How making many clips ended.
struct BatchEnd: BatchEvent {
  let event = "batchDone"
  let made, skipped, failed: Int
  let seconds: Double

  var line: String {
    let parts = [(skipped, "finished before"), (failed, "failed")].filter { $0.0 > 0 }.map { ", \($0.0) \($0.1)" }
    return "made \(Format.count(made, "clip")) in \(Format.duration(seconds))\(parts.joined())"
  }
}
