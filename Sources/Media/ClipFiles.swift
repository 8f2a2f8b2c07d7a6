import Foundation

/// The names of a clip's files, in the partial folder and at last.
struct ClipFiles {
  let path: String
  let container: ClipFormat.Container
  let frameCount: Int

  /// What the encoder is told to write.
  var pattern: String { container == .png ? "%07d.png" : "clip." + container.rawValue }

  var pairs: [(partial: String, final: String)] {
    guard container == .png else { return [(pattern, path)] }
    return (1...frameCount).map { (Self.padded($0, 7) + ".png", frameCount == 1 ? path : numbered($0)) }
  }

  /// NAME.png becomes NAME-0001.png and so on.
  private func numbered(_ number: Int) -> String {
    let dot = path.lastIndex(of: ".") ?? path.endIndex
    return path[..<dot] + "-" + Self.padded(number, 4) + path[dot...]
  }

  private static func padded(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(digits - text.count, 0)) + text
  }

  /// Moves every file to its name; when one cannot be moved, those already moved are removed.
  func publish(from folder: PartialFolder) throws(MediaError) {
    var moved: [String] = []
    do {
      for pair in pairs {
        try folder.publish(pair.partial, as: pair.final)
        moved.append(pair.final)
      }
    } catch {
      for final in moved { try? FileManager.default.removeItem(atPath: final) }
      throw error
    }
  }
}
