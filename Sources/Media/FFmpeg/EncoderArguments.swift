/// ffmpeg's command line for a clip of raw RGB frames on its standard input.
///
/// The numbers of threads are fixed, because what the encoders write depends on them: the same frames give the same
/// bytes on every machine with the same ffmpeg.
struct EncoderArguments {
  let settings: ClipSettings
  /// A file in ffmpeg's own form, with the comment; only .mp4 and .webm take it from there.
  let metadataFile: String?
  /// Whether .mp4 is written so that it can be read from its start, before it is complete.
  var isStream = false

  /// - Parameter output: as ffmpeg names it, `file:` or `pipe:` first.
  func arguments(for format: ClipFormat, output: String) -> [String] {
    var list = ["-hide_banner", "-loglevel", "error", "-nostats", "-xerror", "-y", "-protocol_whitelist", "file,pipe"]
    list += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", "\(settings.width)x\(settings.height)"]
    list += ["-framerate", "\(settings.frameRate)", "-i", "pipe:0"]
    if let metadataFile, format == .mp4 || format == .webm {
      list += ["-f", "ffmetadata", "-i", "file:" + metadataFile, "-map", "0:v", "-map_metadata", "1"]
    }
    return list + codec(format) + ["-fflags", "+bitexact", "-flags:v", "+bitexact", output]
  }

  private func codec(_ format: ClipFormat) -> [String] {
    switch format {
    case .mp4:
      return ["-vf", evenSides + bt709, "-c:v", "libx264", "-preset", "medium", "-crf", "17", "-threads", "4"]
        + Self.colorTags + [
          "-movflags", isStream ? "+frag_keyframe+empty_moov+default_base_moof" : "+faststart", "-f", "mp4",
        ]
    case .webm:
      return ["-vf", bt709, "-c:v", "libvpx-vp9", "-crf", "20", "-b:v", "0", "-deadline", "good", "-cpu-used", "2"]
        + ["-row-mt", "1", "-threads", "4"] + Self.colorTags + ["-f", "webm"]
    case .gif:
      return ["-filter_complex", Self.palette, "-threads", "1", "-loop", "0", "-f", "gif"]
    case .png, .y4m:
      return ["-c:v", "png", "-pred", "mixed", "-threads", "1", "-start_number", "1", "-f", "image2"]
    }
  }

  /// H.264 halves its chroma both ways, so odd sides grow by one row or column that repeats the edge.
  private var evenSides: String {
    let (right, bottom) = (settings.width % 2, settings.height % 2)
    guard right + bottom > 0 else { return "" }
    return "pad=\(settings.width + right):\(settings.height + bottom),"
      + "fillborders=right=\(right):bottom=\(bottom):mode=smear,"
  }

  private let bt709 =
    "scale=in_range=full:out_range=limited:out_color_matrix=bt709"
    + ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact,format=yuv420p"

  private static let colorTags = [
    "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
  ]

  private static let palette =
    "split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=sierra2_4a:diff_mode=rectangle"
}
