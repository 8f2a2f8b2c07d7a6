import Foundation

/// The normalisation forms of UAX 15.
enum NormalizationForm: Sendable {
  case composed, decomposed, compatibilityComposed, compatibilityDecomposed

  fileprivate var isCompatibility: Bool { self == .compatibilityComposed || self == .compatibilityDecomposed }
}

extension String {
  /// More scalars than this in one cluster are put in order before Foundation sees them.
  private static let longestPlainCluster = 16

  /// The text in a normalisation form, in time that grows with its length alone.
  ///
  /// Foundation sorts combining marks by insertion, which takes quadratic time for long runs of them, and not all of a
  /// long run. All marks of a run lie in one cluster, so that long clusters alone need to be sorted beforehand; and those
  /// with a mark whose parts Foundation does not sort among the others.
  func normalized(_ form: NormalizationForm) -> String {
    let text = withSortedMarks(form)
    return switch form {
    case .composed: text.precomposedStringWithCanonicalMapping
    case .decomposed: text.decomposedStringWithCanonicalMapping
    case .compatibilityComposed: text.precomposedStringWithCompatibilityMapping
    case .compatibilityDecomposed: text.decomposedStringWithCompatibilityMapping
    }
  }

  private func withSortedMarks(_ form: NormalizationForm) -> String {
    guard contains(where: { Self.needsSorting($0.unicodeScalars) }) else { return self }
    var result = UnicodeScalarView()
    for cluster in self {
      let scalars = cluster.unicodeScalars
      if Self.needsSorting(scalars) {
        result.append(contentsOf: Self.sortedMarks(Self.decomposition(of: scalars, form)))
      } else {
        result.append(contentsOf: scalars)
      }
    }
    return String(result)
  }

  private static func needsSorting(_ cluster: Character.UnicodeScalarView) -> Bool {
    cluster.count > longestPlainCluster
      || cluster.contains { scalar in
        switch scalar.value {
        // Of no combining class, but made of scalars that have one.
        case 0xF73, 0xF75, 0xF81, 0xFF9E, 0xFF9F: true
        default: false
        }
      }
  }

  /// Scalar by scalar, so that no two marks are compared; some marks are made of several.
  private static func decomposition(of scalars: Character.UnicodeScalarView, _ form: NormalizationForm) -> [Unicode
    .Scalar]
  {
    scalars.flatMap { scalar in
      let text = String(scalar)
      return Array(
        (form.isCompatibility
          ? text.decomposedStringWithCompatibilityMapping : text.decomposedStringWithCanonicalMapping)
          .unicodeScalars)
    }
  }

  /// Each run of marks in the order of their combining classes, equal ones as they came.
  private static func sortedMarks(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(scalars.count)
    var marks: [(order: UInt8, position: Int, scalar: Unicode.Scalar)] = []
    func flush() {
      marks.sort { ($0.order, $0.position) < ($1.order, $1.position) }
      result += marks.map(\.scalar)
      marks.removeAll(keepingCapacity: true)
    }
    for (position, scalar) in scalars.enumerated() {
      let order = scalar.properties.canonicalCombiningClass.rawValue
      if order == 0 {
        flush()
        result.append(scalar)
      } else {
        marks.append((order, position, scalar))
      }
    }
    flush()
    return result
  }
}

extension Unicode.Scalar {
  /// What Python's `str.isspace`, `str.strip` and the pattern `\s` take for white space.
  var isPythonSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  /// What the pattern `\w` of Python takes for part of a word: letters, everything numeric, and the underscore.
  var isPythonWord: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: self == "_" || properties.numericType != nil
    }
  }

  var isASCIILetter: Bool {
    switch value {
    case 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }

  var isASCIIDigit: Bool { (0x30...0x39).contains(value) }

  var isASCIIHexDigit: Bool { isASCIIDigit || (0x41...0x46).contains(value) || (0x61...0x66).contains(value) }
}
