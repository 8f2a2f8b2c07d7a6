"""The plot of seconds per pass against tokens, drawn as SVG."""

import math
from dataclasses import dataclass

from peers import rows, work

WIDTH, HEIGHT = 760, 480
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 44, 60
INK, GRID, PALE = "#1f2933", "#e3e7eb", "#66727f"
TOKENS = list(rows.TI2V_LATENTS)


@dataclass(frozen=True)
class Curve:
    title: str
    colour: str
    points: list
    dashes: str = ""
    marker: str = "circle"


@dataclass(frozen=True)
class Scale:
    """A logarithmic axis: values from `low` to `high` lie from pixel `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self.start + share * (self.end - self.start), 1)


def write(results, path):
    """Whether there was something to draw."""
    curves = [curve for curve in all_curves(results) if curve.points]
    if not any(curve.marker for curve in curves):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(drawing(curves), encoding="utf-8")
    return True


def all_curves(results):
    def measured(side):
        seconds = [(tokens, results.median(f"ti2v-5b-{tokens}", side)) for tokens in TOKENS]
        return [point for point in seconds if point[1]]

    return [
        Curve("PyTorch, bf16", "#c2571a", measured("theirs-bf16"), marker="diamond"),
        Curve("PyTorch, float32", "#e0a030", measured("theirs-f32"), marker="square"),
        Curve("swift-wan, bf16", "#1d5fa8", measured("ours-bf16")),
        Curve("swift-wan, int8", "#3a9a6c", measured("ours-int8"), marker="triangle"),
        Curve("limit in bf16", PALE, limit(results), dashes="6 5", marker=""),
    ]


def limit(results):
    """A pass at the best rate that our linear reached in bf16."""
    sides = ("ceiling-bf16", "ours-bf16")
    rates = [result["gflops"] for side in sides for result in results.every(side) if result["part"] == "gemm"]
    if not rates:
        return []
    steps = [TOKENS[0] * (TOKENS[-1] / TOKENS[0]) ** (i / 40) for i in range(41)]
    return [(tokens, work.transformer(tokens) / (max(rates) * 1e9)) for tokens in steps]


def drawing(curves):
    seconds = [second for curve in curves for _, second in curve.points]
    x = Scale(TOKENS[0] * 0.85, TOKENS[-1] * 1.18, LEFT, WIDTH - RIGHT)
    y = Scale(min(seconds) * 0.7, max(seconds) * 1.5, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13">',
        "<title>Seconds per pass of the TI2V-5B transformer against tokens</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *axes(x, y),
        *(element for curve in curves for element in drawn(curve, x, y)),
        *legend(curves),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def axes(x, y):
    yield text(LEFT, 26, "TI2V-5B transformer, seconds per pass", size=15, weight="bold")
    for tokens in TOKENS:
        yield line(x(tokens), TOP, x(tokens), HEIGHT - BOTTOM, GRID)
        yield text(x(tokens), HEIGHT - BOTTOM + 20, f"{tokens:,}".replace(",", "\u202f"), anchor="middle")
    for second in ticks(y):
        yield line(LEFT, y(second), WIDTH - RIGHT, y(second), GRID)
        yield text(LEFT - 10, y(second) + 4.5, f"{second:,g}".replace(",", "\u202f"), anchor="end")
    yield line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, INK)
    yield line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, INK)
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "tokens", anchor="middle", colour=PALE)
    middle = (TOP + HEIGHT - BOTTOM) / 2
    yield text(20, middle, "seconds", anchor="middle", colour=PALE, rotate=True)


def ticks(scale):
    """1, 2 and 5 times the powers of ten; the powers alone where those would crowd."""
    powers = range(math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high)) + 1)
    factors = (1, 2, 5) if math.log10(scale.high / scale.low) < 3.2 else (1,)
    values = [factor * 10**power for power in powers for factor in factors]
    return [value for value in values if scale.low <= value <= scale.high]


def drawn(curve, x, y):
    points = [(x(tokens), y(seconds)) for tokens, seconds in curve.points]
    path = " ".join(f"{px},{py}" for px, py in points)
    dashes = f' stroke-dasharray="{curve.dashes}"' if curve.dashes else ""
    yield (
        f'<polyline points="{path}" fill="none" stroke="{curve.colour}" stroke-width="2.2" stroke-linejoin="round"'
        f"{dashes}/>"
    )
    for px, py in points if curve.marker else []:
        yield marker(curve, px, py)


def marker(curve, px, py):
    style = f'fill="{curve.colour}" stroke="#ffffff" stroke-width="1.2"'
    if curve.marker == "circle":
        return f'<circle cx="{px}" cy="{py}" r="4.8" {style}/>'
    corners = {
        "square": [(-4.3, -4.3), (4.3, -4.3), (4.3, 4.3), (-4.3, 4.3)],
        "diamond": [(0, -6), (6, 0), (0, 6), (-6, 0)],
        "triangle": [(0, -5.6), (5.4, 4), (-5.4, 4)],
    }[curve.marker]
    points = " ".join(f"{round(px + dx, 1)},{round(py + dy, 1)}" for dx, dy in corners)
    return f'<polygon points="{points}" {style}/>'


def legend(curves):
    """At the bottom right, below all curves."""
    left, top, height = WIDTH - RIGHT - 186, HEIGHT - BOTTOM - 22 * len(curves) - 22, 22 * len(curves) + 10
    yield f'<rect x="{left}" y="{top}" width="166" height="{height}" fill="#ffffff"/>'
    for number, curve in enumerate(curves):
        y = top + 16 + 22 * number
        start, end = left + 8, left + 40
        dashes = f' stroke-dasharray="{curve.dashes}"' if curve.dashes else ""
        yield f'<line x1="{start}" y1="{y}" x2="{end}" y2="{y}" stroke="{curve.colour}" stroke-width="2.2"{dashes}/>'
        if curve.marker:
            yield marker(curve, (start + end) / 2, y)
        yield text(end + 10, y + 4.5, curve.title)


def line(x1, y1, x2, y2, colour):
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}"/>'


def text(x, y, words, anchor="start", size=13, weight="normal", colour=INK, rotate=False):
    turned = f' transform="rotate(-90 {x} {y})"' if rotate else ""
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="{colour}"'
        f"{turned}>{words}</text>"
    )
