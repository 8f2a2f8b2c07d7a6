/// The categories of ftfy's heuristic: kinds of characters that bytes of UTF-8 are misread as.
struct MojibakeClass: OptionSet {
  let rawValue: UInt32

  static let common = Self(rawValue: 1 << 0)
  static let c1 = Self(rawValue: 1 << 1)
  static let bad = Self(rawValue: 1 << 2)
  static let law = Self(rawValue: 1 << 3)
  static let currency = Self(rawValue: 1 << 4)
  static let opening = Self(rawValue: 1 << 5)
  static let closing = Self(rawValue: 1 << 6)
  static let numeric = Self(rawValue: 1 << 7)
  static let kaomoji = Self(rawValue: 1 << 8)
  static let upperAccented = Self(rawValue: 1 << 9)
  static let lowerAccented = Self(rawValue: 1 << 10)
  static let upperCommon = Self(rawValue: 1 << 11)
  static let lowerCommon = Self(rawValue: 1 << 12)
  static let box = Self(rawValue: 1 << 13)
  static let asciiLower = Self(rawValue: 1 << 14)
  static let asciiUpper = Self(rawValue: 1 << 15)

  static let accented: Self = [.upperAccented, .lowerAccented]
  static let asciiLetter: Self = [.asciiLower, .asciiUpper]

  /// The classes of `scalar`; most characters have none.
  static func of(_ scalar: Unicode.Scalar) -> Self {
    let value = Int(scalar.value)
    return value < table.count ? table[value] : sparse[scalar.value] ?? []
  }

  private static let listed: [UInt32: Self] = {
    typealias Data = MojibakeClassData
    let lists: [(String, Self)] = [
      (Data.common, .common), (Data.c1, .c1), (Data.bad, .bad), (Data.law, .law), (Data.currency, .currency),
      (Data.startPunctuation, .opening), (Data.endPunctuation, .closing), (Data.numeric, .numeric),
      (Data.kaomoji, .kaomoji), (Data.upperAccented, .upperAccented), (Data.lowerAccented, .lowerAccented),
      (Data.upperCommon, .upperCommon), (Data.lowerCommon, .lowerCommon), (Data.box, .box),
      ("61-7A", .asciiLower), ("41-5A", .asciiUpper),
    ]
    var result: [UInt32: Self] = [:]
    for (list, kind) in lists {
      for word in list.split(separator: " ") {
        let ends = word.split(separator: "-").compactMap { UInt32($0, radix: 16) }
        guard let first = ends.first, let last = ends.last else { continue }
        for value in first...last { result[value, default: []].insert(kind) }
      }
    }
    return result
  }()

  private static let table: [Self] = (UInt32(0)..<0x2600).map { listed[$0] ?? [] }

  private static let sparse = listed.filter { $0.key >= 0x2600 }
}
