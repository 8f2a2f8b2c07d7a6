/// What a HEIF file's meta box says: its items, where they lie, what they are made of and how they are to be shown.
struct HEIFFile {
  struct Item {
    fileprivate(set) var kind = ""
    fileprivate(set) var extents: [Range<Int>] = []
    fileprivate(set) var properties: [Property] = []
  }

  struct Property {
    var kind: String
    var body: [UInt8]
    var isEssential = false
  }

  private(set) var primary = 0
  /// By kind and by the item that refers.
  private(set) var references: [String: [Int: [Int]]] = [:]
  private var items: [Int: Item] = [:]
  private let file: [UInt8]

  init(_ file: [UInt8]) throws(Refusal) {
    self.file = file
    var meta: BoxCursor?
    var all = BoxCursor(file, 0..<file.count)
    while meta == nil, let box = try all.next() { if box.kind == "meta" { meta = BoxCursor(file, box.body) } }
    guard var meta else { throw .unread("a HEIF sequence without a still") }
    _ = try meta.read(4)
    var found: [String: Range<Int>] = [:]
    while let box = try meta.next() { found[box.kind] = box.body }
    let parts = found
    func part(_ kind: String) throws(Refusal) -> BoxCursor {
      guard let place = parts[kind] else { throw .damaged("its HEIF header has no '\(kind)'") }
      return BoxCursor(file, place)
    }
    var pitm = try part("pitm")
    primary = try pitm.read(pitm.readVersion() == 0 ? 2 : 4)
    try readKinds(part("iinf"))
    try readPlaces(part("iloc"), data: parts["idat"])
    try readProperties(part("iprp"))
    if parts["iref"] != nil { try readReferences(part("iref")) }
  }

  func item(_ id: Int) throws(Refusal) -> Item {
    guard let item = items[id] else { throw .damaged("its HEIF item \(id) is missing") }
    return item
  }

  func data(of id: Int) throws(Refusal) -> [UInt8] {
    let extents = try item(id).extents
    guard extents.reduce(0, { $0 + $1.count }) <= file.count else { throw .damaged("its HEIF items overlap") }
    return extents.flatMap { file[$0] }
  }

  private mutating func readKinds(_ box: BoxCursor) throws(Refusal) {
    var box = box
    _ = try box.read(box.readVersion() == 0 ? 2 : 4)
    while var entry = try box.next() {
      guard entry.kind == "infe" else { continue }
      var cursor = BoxCursor(file, entry.body)
      let version = try cursor.readVersion()
      guard version >= 2 else { continue }
      let id = try cursor.read(version == 2 ? 2 : 4)
      _ = try cursor.read(2)
      entry.kind = try cursor.readName()
      items[id, default: Item()].kind = entry.kind
    }
  }

  private mutating func readPlaces(_ box: BoxCursor, data: Range<Int>?) throws(Refusal) {
    var box = box
    let version = try box.readVersion()
    let sizes = try box.read(2)
    let (offsetSize, lengthSize, baseSize) = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15)
    let indexSize = version > 0 ? sizes & 15 : 0
    for _ in 0..<(try box.read(version < 2 ? 2 : 4)) {
      let id = try box.read(version < 2 ? 2 : 4)
      let method = version > 0 ? try box.read(2) & 15 : 0
      _ = try box.read(2)
      let base = try box.read(baseSize)
      var extents: [Range<Int>] = []
      let count = try box.read(2)
      guard count <= 1 || offsetSize + lengthSize > 0 else { throw .damaged("its HEIF item \(id) repeats itself") }
      for _ in 0..<count {
        _ = try box.read(indexSize)
        let offset = try base + box.read(offsetSize)
        let length = try box.read(lengthSize)
        let whole = method == 1 ? data ?? 0..<0 : 0..<file.count
        let start = whole.lowerBound + offset
        guard method <= 1, start <= whole.upperBound else { throw .damaged("its HEIF item \(id) lies beyond its end") }
        // A length of none stands for all that follows.
        let end = lengthSize == 0 || length == 0 ? whole.upperBound : start + length
        guard end <= whole.upperBound else { throw .damaged("its HEIF item \(id) lies beyond its end") }
        extents.append(start..<end)
      }
      items[id, default: Item()].extents = extents
    }
  }

  private mutating func readProperties(_ box: BoxCursor) throws(Refusal) {
    var box = box
    var all: [Property] = []
    var uses: [Range<Int>] = []
    while let part = try box.next() {
      if part.kind == "ipma" { uses.append(part.body) }
      guard part.kind == "ipco" else { continue }
      var properties = BoxCursor(file, part.body)
      while let property = try properties.next() {
        all.append(Property(kind: property.kind, body: Array(file[property.body])))
      }
    }
    for use in uses {
      var cursor = BoxCursor(file, use)
      let (version, flags) = try cursor.readVersionAndFlags()
      for _ in 0..<(try cursor.read(4)) {
        let id = try cursor.read(version == 0 ? 2 : 4)
        for _ in 0..<(try cursor.read(1)) {
          let value = try cursor.read(flags & 1 == 1 ? 2 : 1)
          let essential = flags & 1 == 1 ? 0x8000 : 0x80
          let index = value & (essential - 1)
          guard index > 0 else { continue }
          guard index <= all.count else { throw .damaged("its HEIF property \(index) is missing") }
          var property = all[index - 1]
          property.isEssential = value & essential != 0
          items[id, default: Item()].properties.append(property)
        }
      }
    }
  }

  private mutating func readReferences(_ box: BoxCursor) throws(Refusal) {
    var box = box
    let size = try box.readVersion() == 0 ? 2 : 4
    while let entry = try box.next() {
      var cursor = BoxCursor(file, entry.body)
      let source = try cursor.read(size)
      let count = try cursor.read(2)
      var targets: [Int] = []
      for _ in 0..<count { targets.append(try cursor.read(size)) }
      references[entry.kind, default: [:]][source] = targets
    }
  }
}

/// Reads the boxes of ISO 14496-12 and the big-endian numbers in them, one after another.
struct BoxCursor {
  private let reader: ByteReader
  private var rest: Range<Int>

  init(_ file: [UInt8], _ range: Range<Int>) {
    reader = ByteReader(bytes: file)
    rest = range
  }

  /// The next box; nil at the end.
  mutating func next() throws(Refusal) -> (kind: String, body: Range<Int>)? {
    let whole = rest
    guard rest.count >= 8 else { return nil }
    var size = try read(4)
    let kind = try readName()
    if size == 1 { size = try read(8) }
    if size == 0 { size = whole.count }
    guard size >= rest.lowerBound - whole.lowerBound, size <= whole.count else {
      throw .damaged("its HEIF box '\(kind.printable)' reaches beyond its end")
    }
    let body = rest.lowerBound..<whole.lowerBound + size
    rest = body.upperBound..<whole.upperBound
    return (kind, body)
  }

  /// Zero for no bytes.
  mutating func read(_ size: Int) throws(Refusal) -> Int {
    guard size <= rest.count, let value = reader.integer(at: rest.lowerBound, size: size), value >= 0,
      value < 1 << 48
    else { throw .damaged("its HEIF header ends early") }
    rest = rest.lowerBound + size..<rest.upperBound
    return value
  }

  mutating func readName() throws(Refusal) -> String {
    guard rest.count >= 4, let name = reader.name(at: rest.lowerBound) else {
      throw .damaged("its HEIF header ends early")
    }
    rest = rest.lowerBound + 4..<rest.upperBound
    return name
  }

  mutating func readVersionAndFlags() throws(Refusal) -> (version: Int, flags: Int) {
    let value = try read(4)
    return (value >> 24, value & 0xFFFFFF)
  }

  mutating func readVersion() throws(Refusal) -> Int { try readVersionAndFlags().version }
}
