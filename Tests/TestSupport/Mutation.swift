/// One to four random changes of a sound file: flipped bits, other bytes, bytes lost or doubled, now and then an end.
///
/// - Parameter telling: bytes that mean something to the reader, to be put anywhere.
public func mutated(_ sound: [UInt8], telling: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
  var bytes = sound
  for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
    let place = Int.random(in: bytes.indices, using: &random)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes[place] = .random(in: 0...255, using: &random)
    case 2: bytes[place] = telling.randomElement(using: &random) ?? 0
    case 3: bytes.remove(at: place)
    case 4: bytes.insert(bytes[Int.random(in: bytes.indices, using: &random)], at: place)
    default:
      if Int.random(in: 0..<8, using: &random) == 0 {
        bytes.removeLast(bytes.count - place)
      } else {
        bytes[place] &+= 1
      }
    }
  }
  return bytes
}
