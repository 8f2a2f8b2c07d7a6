import Files
import Foundation

/// The measures of every frame as lines over the frames' numbers: an SVG document that any browser shows.
struct ComparisonPlot {
  private let panels: [Panel]
  private let title: String
  private let count: Int

  /// One measure.
  private struct Panel {
    let name: String
    /// Of every frame; `nil` where it is infinite.
    let values: [Double?]
    let colour: String
    let ceiling: Double?
    let digits: Int
  }

  private static let (width, panelHeight, gap) = (760.0, 190.0, 52.0)
  private static let (left, right, top, bottom) = (66.0, 20.0, 50.0, 46.0)

  init(_ report: ComparisonReport) {
    count = report.frames.count
    title = "\(report.other) against \(report.reference)"
    let all = [
      Panel(
        name: "PSNR (dB)", values: report.frames.map(\.psnr), colour: "#1f5fa8", ceiling: nil, digits: 1),
      Panel(name: "SSIM", values: report.frames.map(\.ssim), colour: "#b0461e", ceiling: 1, digits: 3),
      Panel(name: "VMAF", values: report.frames.map(\.vmaf), colour: "#2c7a3f", ceiling: 100, digits: 0),
    ]
    // PSNR of identical clips has no numbers, and is shown all the same.
    panels = all.enumerated().filter { $0.offset == 0 || $0.element.values.contains { $0 != nil } }.map(\.element)
  }

  /// Writes the document; what was there is replaced only by the whole of it.
  func write(to path: String) throws {
    let file = try OutputFile(path: path)
    try file.write(Array(svg.utf8).span)
    try file.commit()
  }

  /// The document.
  var svg: String {
    let height = Self.top + Double(panels.count) * (Self.panelHeight + Self.gap) - Self.gap + Self.bottom
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Self.text(Self.width)) \(Self.text(height))\" "
        + "width=\"\(Self.text(Self.width))\" height=\"\(Self.text(height))\" font-family=\"sans-serif\" "
        + "font-size=\"12\" fill=\"#333\">",
      "<title>\(Self.escaped(title))</title>",
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
      "<text x=\"\(Self.text(Self.left))\" y=\"24\" font-size=\"14\" font-weight=\"bold\">\(Self.escaped(title))</text>",
    ]
    for (i, panel) in panels.enumerated() {
      let top = Self.top + Double(i) * (Self.panelHeight + Self.gap)
      lines += drawing(panel, top: top, isLast: i == panels.count - 1)
    }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private func drawing(_ panel: Panel, top: Double, isLast: Bool) -> [String] {
    let scale = Scale(panel.values.compactMap { $0 }, ceiling: panel.ceiling)
    let (left, right) = (Self.left, Self.width - Self.right)
    let y = { (value: Double) in top + Self.panelHeight * (1 - scale.position(of: value)) }
    var lines = ["<text x=\"\(Self.text(left))\" y=\"\(Self.text(top - 7))\">\(panel.name)</text>"]
    for tick in scale.ticks where panel.values.contains(where: { $0 != nil }) {
      lines.append(Self.line(left, y(tick), right, y(tick), "#e2e2e2"))
      lines.append(Self.label(Format.fixed(tick, scale.digits), left - 7, y(tick) + 4, "end"))
    }
    for frame in Scale(0...Double(max(count - 1, 1))).ticks where frame == frame.rounded() && Int(frame) < count {
      lines.append(Self.line(x(Int(frame)), top + Self.panelHeight, x(Int(frame)), top + Self.panelHeight + 4, "#666"))
      lines.append(Self.label(Format.fixed(frame, 0), x(Int(frame)), top + Self.panelHeight + 17, "middle"))
    }
    lines.append(Self.line(left, top + Self.panelHeight, right, top + Self.panelHeight, "#666"))
    lines.append(Self.line(left, top, left, top + Self.panelHeight, "#666"))
    if isLast { lines.append(Self.label("frame", (left + right) / 2, top + Self.panelHeight + 35, "middle")) }
    return lines + curve(panel, y: y) + identical(panel, top: top)
  }

  /// The line, broken where a value is infinite; a dot where it is one frame long.
  private func curve(_ panel: Panel, y: (Double) -> Double) -> [String] {
    let runs = panel.values.indices.split { panel.values[$0] == nil }
    return runs.map { run in
      let points = run.map { "\(Self.text(x($0))),\(Self.text(y(panel.values[$0] ?? 0)))" }
      guard points.count > 1 else {
        let place = points[0].split(separator: ",")
        return "<circle cx=\"\(place[0])\" cy=\"\(place[1])\" r=\"2.5\" fill=\"\(panel.colour)\"/>"
      }
      return "<polyline fill=\"none\" stroke=\"\(panel.colour)\" stroke-width=\"1.6\" stroke-linejoin=\"round\" "
        + "points=\"\(points.joined(separator: " "))\"/>"
    }
  }

  /// A mark at the top for each frame that is equal, and what it means.
  private func identical(_ panel: Panel, top: Double) -> [String] {
    let frames = panel.values.indices.filter { panel.values[$0] == nil }
    guard !frames.isEmpty else { return [] }
    return frames.map {
      "<circle cx=\"\(Self.text(x($0)))\" cy=\"\(Self.text(top))\" r=\"2\" fill=\"\(panel.colour)\"/>"
    } + [Self.label("at the top: identical", Self.width - Self.right, top - 7, "end")]
  }

  private func x(_ frame: Int) -> Double {
    Self.left + (Self.width - Self.left - Self.right) * Double(frame) / Double(max(count - 1, 1))
  }

  private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) -> String {
    "<line x1=\"\(text(x1))\" y1=\"\(text(y1))\" x2=\"\(text(x2))\" y2=\"\(text(y2))\" stroke=\"\(colour)\"/>"
  }

  private static func label(_ words: String, _ x: Double, _ y: Double, _ anchor: String) -> String {
    "<text x=\"\(text(x))\" y=\"\(text(y))\" text-anchor=\"\(anchor)\">\(escaped(words))</text>"
  }

  private static func text(_ number: Double) -> String { Format.fixed(number, number == number.rounded() ? 0 : 1) }

  /// Text inside of XML, where no control characters may stand.
  static func escaped(_ text: String) -> String {
    let clean = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 ? "\u{FFFD}" : $0 }))
    return clean.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}

/// A range of values with round ticks.
private struct Scale {
  private let range: ClosedRange<Double>
  let ticks: [Double]
  /// Digits behind the point that tell the ticks apart.
  let digits: Int

  /// - Parameter ceiling: the most that a value can be.
  init(_ values: [Double], ceiling: Double?) {
    let (low, high) = (values.min() ?? 0, values.max() ?? ceiling ?? 1)
    let least = (ceiling ?? 40) / 100
    let margin = max((high - low) * 0.08, least)
    self.init(low - margin...min(high + margin, ceiling ?? .infinity))
  }

  init(_ range: ClosedRange<Double>) {
    self.range = range
    let rough = max(range.upperBound - range.lowerBound, 1e-9) / 5
    let power = pow(10, log10(rough).rounded(.down))
    let step = power * ([1, 2, 5].first { $0 * power >= rough } ?? 10)
    digits = max(0, Int(-log10(step).rounded(.down)))
    let first = Int((range.lowerBound / step).rounded(.up))
    let last = Int((range.upperBound / step + 1e-9).rounded(.down))
    ticks = (first...max(first, last)).map { Double($0) * step }
  }

  /// 0 at the bottom, 1 at the top.
  func position(of value: Double) -> Double {
    (value - range.lowerBound) / max(range.upperBound - range.lowerBound, 1e-9)
  }
}
