/// One picture of a file, cut down to what its decoder needs, and how what comes out of the decoder is to be shown.
///
/// Profiles, comments, previews and further pictures are left out of `stream`: what is not decoded can do no harm, and
/// no version of ffmpeg can make something else of it.
struct CodedPicture: Sendable {
  var codec: PictureCodec
  var stream: [UInt8]
  /// The columns and rows of one decoded frame.
  var width: Int
  var height: Int
  var form = PixelForm.rgb8
  /// Where a picture is put together of many frames.
  var grid: TileGrid?
  /// What is done with the whole picture, in this order.
  var steps: [PictureStep] = []

  var frames: Int { grid.map { $0.rows * $0.columns } ?? 1 }
}

/// Why a picture is not read, as the end of a sentence about "it", and what to do.
struct Refusal: Error, Equatable {
  let reason: String

  static func damaged(_ place: String) -> Refusal {
    Refusal(reason: "it is damaged: \(place)")
  }

  /// - Parameter what: such as "a JPEG XL picture".
  static func unread(_ what: String) -> Refusal {
    Refusal(reason: "it is \(what), which is not read here; convert it to PNG or JPEG first")
  }
}

/// Tiles of equal size, row after row; what they have beyond the picture's right and lower edge is cut off.
struct TileGrid: Sendable, Equatable {
  var rows: Int
  var columns: Int
  var width: Int
  var height: Int
}

/// In which form ffmpeg hands over what it decoded.
enum PixelForm: Sendable, Equatable {
  /// Colours made by ffmpeg, 8 bits a channel.
  case rgb8
  /// Colours made by ffmpeg, 16 bits a channel, whose high byte is kept here.
  case rgb16
  /// The decoded planes as they are; colours are made here.
  case planes(ChromaLayout)
}

extension CodedPicture {
  /// The picture that a viewer shows of a file, found by its bytes alone.
  init(of file: [UInt8]) throws(Refusal) {
    guard let format = StillFormat(of: file) else { throw UnreadFormat.refusal(of: file) }
    switch format {
    case .png: try self.init(png: file)
    case .jpeg: try self.init(jpeg: file)
    case .webp: try self.init(webp: file)
    case .tiff: try self.init(tiff: file)
    case .gif: try self.init(gif: file)
    case .bmp: try self.init(bmp: file)
    case .qoi: try self.init(qoi: file)
    case .pixmap: try self.init(pixmap: file)
    case .heif: try self.init(heif: file)
    }
    guard width > 0, height > 0 else { throw Refusal(reason: "its header says \(width)x\(height)") }
  }

  /// The most columns and rows at any point from the decoder to the picture that is shown.
  var largest: (width: Int, height: Int) {
    var sizes = [(width, height)]
    if let grid { sizes.append((width * grid.columns, height * grid.rows)) }
    for case .inset(let inset) in steps { sizes.append((inset.width, inset.height)) }
    // A header may claim sides whose product is beyond whole numbers.
    return sizes.max { Double($0.0) * Double($0.1) < Double($1.0) * Double($1.1) } ?? (width, height)
  }
}
