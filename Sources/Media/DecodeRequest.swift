/// How ffmpeg is asked for one picture, and how its answer is read.
struct DecodeRequest {
  let path: String
  let header: ImageHeader?
  let pixelLimit: Int

  /// The formats that ffmpeg may guess when the signature is not one of ours: pictures and films, and none of those
  /// that make a picture of any text or that open further files.
  private static let guesses = [
    "image2", "avi", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "mpeg", "mpegts", "mpegvideo", "h264", "hevc", "ivf",
    "ogg", "flv", "asf", "apng", "ico", "yuv4mpegpipe", "dds_pipe", "dpx_pipe", "exr_pipe", "j2k_pipe", "jpegls_pipe",
    "jpegxl_pipe", "pam_pipe", "pbm_pipe", "pcx_pipe", "pfm_pipe", "pgm_pipe", "pgmyuv_pipe", "phm_pipe", "ppm_pipe",
    "psd_pipe", "sgi_pipe", "sunrast_pipe", "xbm_pipe", "xpm_pipe", "xwd_pipe", "hdr_pipe", "avif",
  ]

  var arguments: [String] {
    var list = ["-nostdin", "-hide_banner", "-loglevel", "error", "-xerror"]
    // Damage is an error, except that for ffmpeg an unknown tag of a TIFF is damage.
    if header?.format != .tiff { list += ["-err_detect", "+crccheck+explode"] }
    list += ["-protocol_whitelist", "file", "-max_pixels", "\(min(pixelLimit, Int(Int32.max)))", "-threads", "1"]
    if let format = header?.format {
      list += ["-noautorotate", "-f", format.rawValue]
    } else {
      list += ["-format_whitelist", Self.guesses.joined(separator: ",")]
    }
    list += ["-i", "file:" + path, "-map", "0:v:0", "-frames:v", "1"]
    if let chroma {
      return list + ["-pix_fmt", chroma.pixelFormat, "-f", "rawvideo", "pipe:1"]
    }
    let flags = "accurate_rnd+full_chroma_int+full_chroma_inp+bicubic+bitexact"
    list += ["-vf", "scale=flags=\(flags),format=\(isDeep ? "rgb48be" : "rgb24")"]
    return list + ["-c:v", "ppm", "-f", "image2pipe", "pipe:1"]
  }

  /// The bytes of the largest picture that is accepted, with room for its header.
  var outputLimit: Int {
    let area = min(pixelLimit, (header?.width ?? pixelLimit) * (header?.height ?? 1))
    return area * (isDeep ? 6 : 3) + 64
  }

  func image(_ output: [UInt8]) -> RGBImage? {
    if let chroma, let width = header?.width, let height = header?.height {
      return RGBImage(planes: output, width: width, height: height, chroma: chroma)
    }
    return RGBImage(pixmap: output)
  }

  func reason(_ result: ProcessResult) -> String {
    let lines = result.log.lines
    let log = lines.isEmpty ? "" : " (\(lines.joined(separator: "; ")))"
    if lines.contains(where: { $0.contains("max pixel count") }) {
      return "it has more than \(pixelLimit) pixels: scale it down first"
    }
    return "ffmpeg finds no intact picture in it" + log
  }

  private var isDeep: Bool { header?.isDeep ?? false }
  private var chroma: ChromaLayout? { header?.chroma }
}
