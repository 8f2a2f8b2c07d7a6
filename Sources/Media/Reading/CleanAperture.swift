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
