/// Takes frames one after the other and makes a file of them inside a partial folder.
protocol FrameEncoder: Sendable {
  /// Returns when the frame is handed on, so that the caller cannot run ahead of the encoder.
  func write(_ frame: RGBImage) async throws(MediaError)
  /// Returns when every file is complete.
  func finish() async throws(MediaError)
  /// Stops at once; nothing is waited for.
  func abandon()
  /// Returns when nothing touches the partial folder any more.
  func ended() async
}
