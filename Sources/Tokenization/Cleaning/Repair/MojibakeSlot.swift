/// One place of a rule of mojibake: the characters that may stand there.
struct MojibakeSlot: Sendable {
  private enum Test: Sendable {
    case listed, space, word, notASCIILetter, notNewline
  }

  private let classes: MojibakeClass.RawValue
  private let scalars: [UInt32]
  private let test: Test

  private init(_ classes: MojibakeClass, _ scalars: String, _ test: Test = .listed) {
    self.classes = classes.rawValue
    self.scalars = scalars.unicodeScalars.map(\.value)
    self.test = test
  }

  static func any(_ classes: MojibakeClass, or scalars: String = "") -> Self { Self(classes, scalars) }
  static func any(of scalars: String) -> Self { Self([], scalars) }
  static let space = Self([], "", .space)
  static let word = Self([], "", .word)
  static let notASCIILetter = Self([], "", .notASCIILetter)
  static let notNewline = Self([], "", .notNewline)

  func admits(_ scalar: Unicode.Scalar) -> Bool {
    switch test {
    case .listed: MojibakeClass.of(scalar).rawValue & classes != 0 || scalars.contains(scalar.value)
    case .space: scalar.isPythonSpace
    case .word: scalar.isPythonWord
    case .notASCIILetter: !scalar.isASCIILetter
    case .notNewline: scalar != "\n"
    }
  }
}
