import Files
import Foundation

/// Netflix's measure of what people see, which ffmpeg computes where it was built with libvmaf
/// (https://github.com/Netflix/vmaf): 0...100 for each frame, by the model that the library has built in, for a clip seen
/// at 1080 lines from three times its height.
///
/// Both clips reach ffmpeg as one, side by side: whatever they were read from, and whatever their rates.
public final actor VMAFMeasure {
  private let encoder: FFmpegEncoder
  private let folder: URL
  private let width, height: Int

  /// Whether this ffmpeg can measure it.
  public static func isAvailable(in ffmpeg: FFmpeg) async throws(MediaError) -> Bool {
    let result = try await ffmpeg.collect(
      ["-nostdin", "-hide_banner", "-loglevel", "error", "-filters"], limit: 1 << 20, subject: "ffmpeg -filters",
      seconds: 60)
    return String(decoding: result.output, as: UTF8.self).split(separator: "\n").contains { line in
      line.split(separator: " ").dropFirst().first == "libvmaf"
    }
  }

  /// Starts ffmpeg.
  ///
  /// - Throws: `cannotWrite` where no temporary folder can be made; `ffmpegFailed`.
  public init(width: Int, height: Int, ffmpeg: FFmpeg) throws(MediaError) {
    (self.width, self.height) = (width, height)
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("wan-vmaf-\(UUID().uuidString)")
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false) } catch {
      throw .cannotWrite(path: folder.path, reason: error.localizedDescription)
    }
    Leftovers.add(folder.path)
    let log = folder.appendingPathComponent("log.json").path
    encoder = try FFmpegEncoder(ffmpeg, arguments: Self.arguments(width, height, log: log), path: "VMAF")
  }

  deinit {
    encoder.abandon()
    try? FileManager.default.removeItem(at: folder)
    Leftovers.forget(folder.path)
  }

  private static func arguments(_ width: Int, _ height: Int, log: String) -> [String] {
    let colours = "scale=out_color_matrix=bt709:out_range=limited:flags=bicubic+accurate_rnd,format=yuv420p"
    let parts = [0, width].map { "crop=\(width):\(height):\($0):0,\(colours)" }
    // A colon or the like in the name of the folder would end the option, in a filter, and in the graph.
    let name = log.reduce(into: "") { $0 += "\\':,;[]".contains($1) ? "\\\\\\" + String($1) : String($1) }
    let graph = [
      "split[one][other]", "[one]\(parts[0])[reference]", "[other]\(parts[1])[changed]",
      "[changed][reference]libvmaf=log_fmt=json:n_threads=2:log_path=\(name)",
    ]
    return ["-hide_banner", "-loglevel", "error", "-nostats", "-f", "rawvideo", "-pix_fmt", "rgb24"]
      + ["-video_size", "\(2 * width)x\(height)", "-framerate", "25", "-i", "pipe:0"]
      + ["-filter_complex", graph.joined(separator: ";"), "-f", "null", "-"]
  }

  /// Takes a pair of frames.
  ///
  /// - Parameters:
  ///   - reference: what the other is measured against.
  ///   - changed: of the same size.
  /// - Throws: `ffmpegFailed`, `cancelled`.
  public func take(reference: RGBImage, changed: RGBImage) async throws(MediaError) {
    try await encoder.write(RGBImage(row: [reference, changed]))
  }

  /// The values of all pairs, in order.
  ///
  /// - Throws: `ffmpegFailed`, `cancelled`.
  public func finish() async throws(MediaError) -> [Double] {
    struct Log: Decodable {
      let frames: [Frame]

      struct Frame: Decodable {
        let metrics: [String: Double]
      }
    }
    try await encoder.finish()
    let values = (try? Data(contentsOf: folder.appendingPathComponent("log.json")))
      .flatMap { try? JSONDecoder().decode(Log.self, from: $0) }
    guard let values else { throw .ffmpegFailed(path: "VMAF", status: "its report cannot be read", log: []) }
    return values.frames.compactMap { $0.metrics["vmaf"] }
  }
}

extension RGBImage {
  /// Pictures of one height beside each other.
  public init(row pictures: [RGBImage]) {
    precondition(!pictures.isEmpty, "RGBImage: a row of no pictures")
    let height = pictures[0].height
    precondition(pictures.allSatisfy { $0.height == height }, "RGBImage: a row has pictures of one height")
    var pixels: [UInt8] = []
    pixels.reserveCapacity(pictures.map(\.pixels.count).reduce(0, +))
    for y in 0..<height {
      for picture in pictures { pixels += picture.pixels[y * picture.width * 3..<(y + 1) * picture.width * 3] }
    }
    self.init(width: pictures.map(\.width).reduce(0, +), height: height, pixels: pixels)
  }

  /// How far this picture is from another of its size: black where they are equal.
  ///
  /// - Parameter gain: what differences are multiplied with.
  public func difference(from other: RGBImage, gain: Int) -> RGBImage {
    precondition((width, height) == (other.width, other.height), "RGBImage: pictures of different sizes")
    return RGBImage(
      width: width, height: height,
      pixels: zip(pixels, other.pixels).map { UInt8(min(abs(Int($0) - Int($1)) * gain, 255)) })
  }
}
