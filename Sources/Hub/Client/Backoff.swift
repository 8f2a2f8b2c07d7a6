import Foundation

/// Counts failures in a row, and says how long to wait after each.
struct Backoff {
  private let patience: HubSettings.Patience
  private(set) var failures = 0

  init(_ patience: HubSettings.Patience) { self.patience = patience }

  /// Something came: what follows is a first attempt again.
  mutating func reset() { failures = 0 }

  /// Counts a failure.
  ///
  /// - Parameter wish: seconds that the hub asked for.
  /// - Returns: seconds to wait; `nil` when it was the last attempt.
  mutating func pause(wish: Int?) -> Double? {
    failures += 1
    guard failures < patience.attempts else { return nil }
    let pause = min(patience.firstPause * pow(2, Double(failures - 1)), patience.longestPause)
    // Several downloads that broke off together should not come back together.
    return max(pause * Double.random(in: 0.75...1.25), Double(wish ?? 0))
  }
}

/// Seconds that a server wants to be left alone, as `Retry-After` has them: a number, or a date.
enum RetryAfter {
  static func seconds(_ header: String?, now: Date = Date()) -> Int? {
    guard let header else { return nil }
    if let seconds = Int(header.trimmingCharacters(in: .whitespaces)) { return max(seconds, 0) }
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.date(from: header).map { max(Int(min($0.timeIntervalSince(now), 1e9).rounded(.up)), 0) }
  }
}
