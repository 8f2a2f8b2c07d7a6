import Foundation
import Layers
import Tensors
import TestSupport
import Testing

struct RotaryTableTests {
  @Test("each pair turns by position / 10000^(2i/n) of its own axis", arguments: [2, 4, 6, 8, 24, 64, 128])
  func definition(headDimension d: Int) {
    let grid = TokenGrid(time: 3, height: 2, width: 5)
    let table = RotaryTable(headDimension: d, grid: grid, on: ReferenceBackend()).values
    #expect(table.shape == [30, d / 2, 2])
    let sizes = [d - 4 * (d / 6), 2 * (d / 6), 2 * (d / 6)]
    var expected: [Float] = []
    for t in 0..<grid.time {
      for y in 0..<grid.height {
        for x in 0..<grid.width {
          for (position, size) in zip([t, y, x], sizes) {
            for pair in 0..<size / 2 {
              let angle = Double(position) * pow(10_000, -2 * Double(pair) / Double(size))
              expected += [Float(cos(angle)), Float(sin(angle))]
            }
          }
        }
      }
    }
    let worst = zip(table.floats(), expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst <= 1e-7)
  }

  @Test("products of rotated vectors depend on the distance alone")
  func relative() {
    let d = 24
    let grid = TokenGrid(time: 4, height: 3, width: 3)
    let backend = ReferenceBackend()
    let vectors = Tensor.random([2, d], seed: 3).floats()
    let repeated = { (i: Int) in
      Tensor((0..<36).flatMap { _ in Array(vectors[i * d..<(i + 1) * d]) }, shape: [1, 36, 1, d])
    }
    let table = RotaryTable(headDimension: d, grid: grid, on: ReferenceBackend()).values
    let q = backend.rotary(repeated(0), table: table).floats()
    let k = backend.rotary(repeated(1), table: table).floats()
    let product = { (a: Int, b: Int) in (0..<d).reduce(Float(0)) { $0 + q[a * d + $1] * k[b * d + $1] } }
    let token = { (t: Int, y: Int, x: Int) in (t * 3 + y) * 3 + x }
    #expect(abs(product(token(0, 0, 0), token(1, 1, 1)) - product(token(2, 1, 1), token(3, 2, 2))) < 1e-4)
    #expect(abs(product(token(3, 2, 0), token(1, 0, 2)) - product(token(2, 2, 0), token(0, 0, 2))) < 1e-4)
  }
}
