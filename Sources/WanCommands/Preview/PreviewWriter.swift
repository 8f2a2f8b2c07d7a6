import Files
import Foundation
import Media
import Synchronization
import WanKit

/// Writes previews to a file beside a run that does not wait for it.
///
/// While one is being written others are left out, but for the last step's, which follows. The file is replaced whole.
/// What fails costs one notice until it works again.
final class PreviewWriter: Sendable {
  private struct State {
    var task: Task<Void, Never>?
    var last: StepPreview?
    var hasFailed = false
  }

  private let place: PreviewPlace
  private let ffmpeg: FFmpeg?
  private let patience: Duration
  private let onNotice: @Sendable (String) -> Void
  private let state = Mutex(State())

  /// - Parameter patience: how long ``finish()`` waits at most.
  init(
    _ place: PreviewPlace, ffmpeg: FFmpeg?, patience: Duration = .seconds(60),
    onNotice: @escaping @Sendable (String) -> Void
  ) {
    (self.place, self.ffmpeg, self.patience, self.onNotice) = (place, ffmpeg, patience, onNotice)
  }

  /// Writes a preview, or leaves it out.
  func offer(_ preview: StepPreview) {
    state.withLock { state in
      if state.task == nil {
        state.task = Task(priority: .utility) { await self.write(preview) }
      } else if preview.isLast {
        state.last = preview
      }
    }
  }

  /// Waits until the last preview is written, though not for ever: the clip is there.
  func finish() async {
    let alarm = Task {
      try await Task.sleep(for: patience)
      onNotice("the last preview is not written: it took more than \(patience.inSeconds) seconds")
      await cancel()
    }
    defer { alarm.cancel() }
    while let task = state.withLock({ $0.task }) { await task.value }
  }

  /// Stops what is being written; the file stays as it is.
  func cancel() async {
    let task = state.withLock { state in
      state.last = nil
      return state.task
    }
    task?.cancel()
    await task?.value
  }

  private func write(_ preview: StepPreview) async {
    do {
      try await PreviewImage(preview, place.format).write(to: place, ffmpeg: ffmpeg)
      state.withLock { $0.hasFailed = false }
    } catch {
      tell(error)
    }
    state.withLock { state in
      let next = state.last
      state.last = nil
      state.task = next.map { preview in Task(priority: .utility) { await self.write(preview) } }
    }
  }

  private func tell(_ error: any Error) {
    let isNew = state.withLock { state in
      defer { state.hasFailed = true }
      return !state.hasFailed
    }
    if case MediaError.cancelled = error { return }
    if isNew { onNotice("the run goes on, but its preview '\(place.target.given)' is not written: \(error)") }
  }
}

/// A preview as the pictures of a file.
struct PreviewImage {
  let frames: [RGBImage]
  let rate: FrameRate

  /// Pixels along the longer side of a sheet's pictures and of a whole sheet, at most.
  private static let (largestPicture, largestSheet) = (256, 1280)

  /// A sheet of all pictures, or the pictures one by one.
  init(_ preview: StepPreview, _ format: PreviewPlace.Format) {
    rate = preview.frameRate
    frames =
      format == .png
      ? [Self.sheet(of: preview.pictures, longest: Self.largestSheet)]
      : preview.pictures.map { $0.enlarged(longer: Self.side(of: $0)) }
  }

  /// Pictures side by side, as large as a sheet allows.
  static func sheet(of pictures: [RGBImage], longest: Int) -> RGBImage {
    let columns = pictures[0].sheetColumns(count: pictures.count)
    let rows = (pictures.count + columns - 1) / columns
    let (width, height) = (pictures[0].width, pictures[0].height)
    let room = min(
      (longest - 4 * columns) * max(width, height) / (columns * width),
      (longest - 4 * rows) * max(width, height) / (rows * height))
    let side = max(max(width, height), min(Self.largestPicture, room))
    return .sheet(of: pictures.map { $0.enlarged(longer: side) }, columns: columns, gap: 4)
  }

  /// Eight pixels for each of a small picture's, from 256 to 512 in all.
  private static func side(of picture: RGBImage) -> Int {
    let longer = max(picture.width, picture.height)
    return max(longer, min(max(8 * longer, 256), 512))
  }

  /// Replaces the file.
  func write(to place: PreviewPlace, ffmpeg: FFmpeg?) async throws {
    guard place.needsFFmpeg else {
      let file = try OutputFile(path: place.target.path)
      try file.write(frames[0].png().span)
      try file.commit()
      return
    }
    let settings = try ClipSettings(
      width: frames[0].width, height: frames[0].height, frameRate: rate, frameCount: frames.count)
    let writer = try await ClipWriter(path: place.target.path, settings: settings, ffmpeg: ffmpeg)
    for frame in frames { try await writer.write(frame) }
    try await writer.finish()
  }
}

extension RGBImage {
  /// The picture smoothly enlarged to a longer side of so many pixels, both sides even.
  func enlarged(longer side: Int) -> RGBImage {
    let longest = max(width, height)
    guard side > longest else { return self }
    func scaled(_ length: Int) -> Int { max(2, (length * side + longest) / (2 * longest) * 2) }
    return lanczosResized(width: scaled(width), height: scaled(height))
  }

  /// The picture, made smaller where it is larger than that.
  func fitted(width most: Int, height mostRows: Int) -> RGBImage {
    guard width > most || height > mostRows else { return self }
    let scale = min(Double(most) / Double(width), Double(mostRows) / Double(height))
    return lanczosResized(width: max(1, Int(Double(width) * scale)), height: max(1, Int(Double(height) * scale)))
  }
}
