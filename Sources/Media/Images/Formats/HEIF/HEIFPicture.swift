// HEIF (ISO 23008-12) and AVIF: the primary item is one picture coded as a frame of HEVC or AV1, or a grid of such. The
// frames are handed to ffmpeg as plain streams, so that no version's reading of the container matters, and put together
// and turned here.

extension CodedPicture {
  init(heif file: [UInt8]) throws(Refusal) {
    let container = try HEIFFile(file)
    let primary = try container.item(container.primary)
    guard container.references["prem"] == nil else { throw .unread("a HEIF picture with premultiplied transparency") }
    let isGrid = primary.kind == "grid"
    let tiles = isGrid ? container.references["dimg"]?[container.primary] ?? [] : [container.primary]
    guard let first = tiles.first else { throw .damaged("its grid has no tiles") }
    let coding = try HEIFCoding(container, first)
    let (width, height) = try container.size(first)
    self.init(codec: coding.codec, stream: [], width: width, height: height)
    if isGrid { grid = try TileGrid(container.data(of: container.primary), tiles: tiles.count, width, height) }
    var frames: [[UInt8]] = []
    var count = 0
    for tile in tiles {
      let tileCoding = tile == first ? coding : try HEIFCoding(container, tile)
      guard tileCoding.isLike(coding), try container.size(tile) == (width, height) else {
        throw .unread("a HEIF picture of unequal tiles")
      }
      if isGrid, try !container.steps(tile, width, height).isEmpty { throw .unread("a HEIF picture of turned tiles") }
      let frame = try tileCoding.frame(container.data(of: tile))
      // Files may name the same bytes any number of times.
      count += frame.count
      guard count <= 4 * file.count + 1024 * tiles.count else { throw .damaged("its tiles overlap") }
      frames.append(frame)
    }
    stream = coding.stream(of: frames)
    let told = try container.colour(of: [container.primary, first])
    let matrix = if let told { told } else { try coding.colour(container.data(of: first)) }
    let rule = coding.codec == .av1 ? ChromaLayout.Rule.blended(matrix) : .repeated(matrix)
    form = .planes(ChromaLayout(sampling: coding.sampling, rule: rule, depth: coding.depth))
    steps = try container.steps(container.primary, grid?.width ?? width, grid?.height ?? height)
  }
}

extension TileGrid {
  /// - Parameter data: the item of a grid.
  fileprivate init(_ data: [UInt8], tiles: Int, _ width: Int, _ height: Int) throws(Refusal) {
    let reader = ByteReader(bytes: data)
    guard let flags = reader.integer(at: 1, size: 1), let rows = reader.integer(at: 2, size: 1),
      let columns = reader.integer(at: 3, size: 1), case let size = flags & 1 == 1 ? 4 : 2,
      let wholeWidth = reader.integer(at: 4, size: size), let wholeHeight = reader.integer(at: 4 + size, size: size)
    else { throw .damaged("its grid ends early") }
    self.init(rows: rows + 1, columns: columns + 1, width: wholeWidth, height: wholeHeight)
    guard tiles == self.rows * self.columns else {
      throw .damaged("its grid of \(self.columns)x\(self.rows) has \(tiles) tiles")
    }
    guard (1...width * self.columns).contains(wholeWidth), (1...height * self.rows).contains(wholeHeight) else {
      throw .damaged("its tiles do not cover it")
    }
  }
}

extension HEIFFile {
  fileprivate func size(_ item: Int) throws(Refusal) -> (width: Int, height: Int) {
    for property in try self.item(item).properties where property.kind == "ispe" {
      let reader = ByteReader(bytes: property.body)
      if let width = reader.integer(at: 4, size: 4), let height = reader.integer(at: 8, size: 4) {
        guard width > 0, height > 0 else { throw Refusal(reason: "its header says \(width)x\(height)") }
        return (width, height)
      }
    }
    throw .damaged("its HEIF picture has no size")
  }

  /// The colours that the first of the items with such a property tells; nil when none does.
  fileprivate func colour(of items: [Int]) throws(Refusal) -> ColourMatrix? {
    for item in items {
      for property in try self.item(item).properties where property.kind == "colr" {
        let reader = ByteReader(bytes: property.body)
        guard reader.starts(with: "nclx"), let code = reader.integer(at: 8, size: 2),
          let range = reader.integer(at: 10, size: 1)
        else { continue }
        return try ColourMatrix(code, isFullRange: range & 0x80 != 0)
      }
    }
    return nil
  }

  /// Crops, turns and mirrors, in the item's order.
  fileprivate func steps(_ item: Int, _ width: Int, _ height: Int) throws(Refusal) -> [PictureStep] {
    var (width, height) = (width, height)
    var steps: [PictureStep] = []
    for property in try self.item(item).properties {
      let value = ByteReader(bytes: property.body).integer(at: 0, size: 1) ?? 0
      switch property.kind {
      case "clap":
        let crop = try CleanAperture(property.body).crop(width, height)
        steps.append(.crop(left: crop.left, top: crop.top, width: crop.width, height: crop.height))
        (width, height) = (crop.width, crop.height)
      case "irot":
        // Quarters against the clock.
        let turns: [ImageOrientation] = [.upright, .turnLeft, .upsideDown, .turnRight]
        steps.append(.turn(turns[value & 3]))
        if value & 1 == 1 { (width, height) = (height, width) }
      case "imir": steps.append(.turn(value & 1 == 0 ? .flipped : .mirrored))
      case "ispe", "hvcC", "av1C", "colr", "pixi", "pasp", "auxC", "rloc", "udes", "a1lx", "clli", "mdcv", "cclv": break
      default:
        guard !property.isEssential else { throw .unread("a HEIF picture that needs '\(property.kind.printable)'") }
      }
    }
    return steps
  }
}

/// HEIF's crop: a size and how far its centre lies from the picture's, as fractions.
struct CleanAperture {
  private let values: [Int]

  init(_ body: [UInt8]) throws(Refusal) {
    let reader = ByteReader(bytes: body)
    values = stride(from: 0, to: 32, by: 4).compactMap { reader.integer(at: $0, size: 4) }
      .map { Int(Int32(truncatingIfNeeded: $0)) }
    guard values.count == 8, [1, 3, 5, 7].allSatisfy({ values[$0] > 0 }) else {
      throw .damaged("its crop is not one")
    }
  }

  /// The crop in whole pixels of a picture of this size.
  func crop(_ width: Int, _ height: Int) throws(Refusal) -> (left: Int, top: Int, width: Int, height: Int) {
    let (left, cropWidth) = span(of: width, size: 0, offset: 4)
    let (top, cropHeight) = span(of: height, size: 2, offset: 6)
    guard left >= 0, top >= 0, cropWidth > 0, cropHeight > 0, left + cropWidth <= width, top + cropHeight <= height
    else { throw .damaged("its crop reaches beyond it") }
    return (left, top, cropWidth, cropHeight)
  }

  /// The begin is centre - (size - 1) / 2, and the centre offset + (whole - 1) / 2: (whole - size) / 2 + offset.
  private func span(of whole: Int, size: Int, offset: Int) -> (start: Int, count: Int) {
    let count = values[size] / values[size + 1]
    let doubled = Double(whole - count) + 2 * Double(values[offset]) / Double(values[offset + 1])
    return (Int((doubled / 2).rounded(.down)), count)
  }
}
