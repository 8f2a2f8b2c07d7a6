"""The generated sections of Documentation/Performance.md."""

import re
import textwrap

from peers import beside, growth, rows, work
from peers.environment import ROOT

BEGIN = "<!-- Written by scripts/bench-peers from here -->"
BESIDE_BEGIN = "<!-- Written by scripts/bench-peers --rows compiled from here -->"
END = "<!-- to here. -->"
NONE = "–"
FRESH = "# Performance\n\n"


def write(results, path):
    """Puts tables and plot in place of the last ones, leaving all else in the file; says what was written.

    A section of which nothing was measured stays as it is.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else FRESH
    picture = path.parent / "images" / "growth.svg"
    has_plot = False
    if any(results.of(part.name, side) for part in rows.PARTS for side in part.sides):
        has_plot = growth.write(results, picture)
        text = replaced(text, BEGIN, section(results, "images/growth.svg" if has_plot else None))
    if beside.is_measured(results):
        text = replaced(text, BESIDE_BEGIN, beside_section(results))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return f"wrote {shown(path)}" + (f" and {shown(picture)}" if has_plot else "")


def replaced(text, begin, generated):
    """The text with what is generated between a mark and the next end, at the text's end where the mark is new."""
    if begin not in text:
        text = text.rstrip() + f"\n\n{begin}\n{END}\n"
    before, rest = text.split(begin, 1)
    return f"{before}{begin}\n{generated}\n{END}{rest.split(END, 1)[1]}"


def beside_section(results):
    blocks = [beside.surroundings(results), *beside.errors(results)]
    return "\n".join(blocks) + "\n\n" + table(beside.HEAD, list(beside.lines(results)))


def shown(path):
    path = path.resolve()
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def section(results, picture):
    blocks = [
        surroundings(results), speed(results), failures(results), scaling(results), start(results), memory(results)
    ]
    if picture:
        about = (
            "Seconds per pass of the TI2V-5B transformer against tokens; the limit is the pass's operations at the best "
            "rate that our linear reached in bf16."
        )
        blocks.append(f"## Growth\n{filled(about)}\n\n![Seconds per pass against tokens]({picture})")
    return "\n\n".join(block for block in blocks if block)


# Machine and versions


def surroundings(results):
    session = results.session
    machine = session.get("machine", {})
    peer = next((r for side in rows.THEIRS for r in results.every(side)), {})
    ours = next((r for precision in ("bf16", "f32") for r in results.every(f"ours-{precision}")), {})
    theirs = [f"{name} {peer[name]}" for name in ("torch", "diffusers", "transformers") if name in peer]
    facts = {
        "machine": [f"{machine.get('cores')} cores of {machine.get('model')}", f"family {machine.get('family')}",
                    f"{machine.get('cache')} of L3", f"{machine.get('memory_gib')} GiB", machine.get("system", NONE)],
        "instruction sets": machine.get("sets", []),
        "ours": [*results.commits(), f"Swift {session.get('swift')}", ours.get("backend", NONE)],
        "theirs": theirs or [NONE],
        "command": [f"`{session.get('command')}`"],
    }
    return "## Measured on\n" + "\n".join(f"- {name}: {', '.join(values)}" for name, values in facts.items())


# Speed


def speed(results):
    head = [
        "part", "ours, s", "PyTorch bf16, s", "PyTorch float32, s", "to bf16", "to their faster", "asked", "met",
        "share of ceiling", "runs",
    ]
    lines = [speed_line(row, results) for row in rows.ROWS]
    about = (
        "Median seconds; ratios are theirs over ours. The ceiling is our own linear of 1080x3072x14336 in the same "
        "precision, measured between the runs of each part; the share is the plain algorithm's operations per second "
        "over it. Runs: ours/theirs in bf16/theirs in float32." + linears(results)
    )
    return f"## Speed\n{filled(about)}\n\n{table(head, lines)}"


def linears(results):
    """What the linear itself reached, whoever ran it."""
    names = {"ours-bf16": "ours in bf16", "ours-f32": "ours in float32", "ours-int8": "ours in int8",
             "theirs-bf16": "theirs in bf16", "theirs-f32": "theirs in float32"}
    rates = {name: results.median("gemm", side, "gflops") for side, name in names.items()}
    told = [f"{rate:.0f} ({name})" for name, rate in rates.items() if rate]
    return f" GFLOP/s of the linear: {', '.join(told)}." if told else ""


def speed_line(row, results):
    ours = results.median(row.part, row.ours, row.key)
    theirs = {side: results.median(row.part, side, row.key) for side in row.theirs}
    known = [seconds for seconds in theirs.values() if seconds]
    share = share_of_ceiling(row, results, ours)
    ratios = {side: seconds / ours if ours and seconds else None for side, seconds in theirs.items()}
    faster = min(known) / ours if ours and known else None
    counts = [len(results.of(row.part, side)) for side in (row.ours, *rows.THEIRS) if side in (row.ours, *row.theirs)]
    return [
        row.title, number(ours), number(theirs.get("theirs-bf16")), number(theirs.get("theirs-f32")),
        ratio(ratios.get("theirs-bf16")), ratio(faster), asked(row), met(row, ratios, faster, share),
        f"{share:.0%}" if share else NONE, "/".join(map(str, counts)) if any(counts) else NONE,
    ]


def asked(row):
    return f"{row.target:g}" + (f", {row.share:.0%}" if row.share else "")


def met(row, ratios, faster, share):
    """Held against what the row names first, bf16 where it has it, and then against their faster one."""
    named = ratios[row.theirs[0]]
    if named is None:
        return NONE
    if named < row.target or (row.share and (share or 0) < row.share):
        return "no"
    return "yes" if faster >= row.target else "against bf16"


def share_of_ceiling(row, results, seconds):
    found = results.of(row.part, row.ours)
    rate = ceiling(results, row.part, row.ours.split("-")[1])
    peers = [result for side in rows.THEIRS for result in results.of(row.part, side)]
    operations = work.of_result(found[0], row.key, peers) if found else None
    return operations / seconds / rate if operations and seconds and rate else None


def ceiling(results, part, precision):
    """Our linear's rate between the runs of a part; of the linear itself where there is none."""
    return results.median(part, f"ceiling-{precision}", "gflops", 1e9) or results.median(
        "gemm", f"ours-{precision}", "gflops", 1e9)


def failures(results):
    found = {}
    for part in rows.PARTS:
        for side in part.sides:
            if error := results.error(part.name, side):
                found.setdefault((side, error), []).append(part.name)
    lines = [f"- {side} of {', '.join(parts)}: {escaped(error)}" for (side, error), parts in found.items()]
    return "Could not be measured:\n" + "\n".join(lines) if lines else ""


def scaling(results):
    two, one = (results.median("threads", side) for side in ("ours-bf16", "ours-bf16-1thread"))
    if not (one and two):
        return ""
    threads = results.of("threads", "ours-bf16")[0]["threads"]
    line = ["TI2V-5B transformer, 1080 tokens", number(one), number(two), ratio(one / two), "1.8"]
    return "## Threads\n" + table(["part", "1 thread, s", f"{threads} threads, s", "ratio", "asked"], [line])


def start(results):
    lines = []
    for side in ("ours-bf16", "ours-int8"):
        keys = ("seconds", "load_seconds", "pass_seconds")
        values = [results.median("start", side, key) for key in keys]
        if values[0]:
            weights = results.of("start", side)[0]["weights_gib"]
            lines.append([side.split("-")[1], weights, *map(number, values), "3"])
    head = ["precision", "weights, GiB", "to the first pass, s", "of it loading and packing, s", "first pass, s", "asked"]
    title = "## Start\nFrom launch to the first transformer pass of a full-size checkpoint in the page cache.\n\n"
    return title + table(head, lines) if lines else ""


def memory(results):
    sides = ["ours-bf16", "ours-f32", "ours-int8", *rows.THEIRS]
    lines = []
    for part in rows.PARTS:
        peaks = [peak(results, part.name, side) for side in sides]
        if any(peaks) and part.name not in ("memory", "threads"):
            lines.append([f"`{part.arguments}`", *(f"{value:.2f}" if value else NONE for value in peaks)])
    if not lines:
        return ""
    head = ["part", *(side.replace("theirs", "PyTorch").replace("-", " ") for side in sides)]
    title = "## Memory\nPeak resident GiB of each process; those of the transformer hold the layers that are named.\n\n"
    return title + table(head, lines) + whole_depth(results) + whole_size(results)


def whole_depth(results):
    found = results.of("memory", "ours-bf16")
    if not found:
        return ""
    peaks, weights = found[0]["peak_rss_gib"], found[0]["weights_gib"]
    return "\n\n" + filled(
        f"The whole TI2V-5B transformer at {found[0]['tokens']} tokens: {peaks:.2f} GiB, of which weights {weights:.2f} "
        f"GiB, so {peaks - weights:.2f} GiB beside them (asked: at most 0.5)."
    )


def whole_size(results):
    value = peak(results, "memory-vae", "ours-bf16")
    return f"\n\nDecoding 704x1280 in bf16, VAE 2.2: {value:.2f} GiB (asked: at most 4)." if value else ""


def peak(results, part, side):
    return max((result["peak_rss_gib"] for result in results.of(part, side)), default=None)


# Text


def table(head, lines):
    cells = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in cells)


def filled(text):
    return textwrap.fill(text, 120)


def number(value):
    """Three digits that count."""
    if value is None:
        return NONE
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def ratio(value):
    return NONE if value is None else f"{value:.2f}"


def escaped(text):
    return re.sub(r"([|<>*_`])", r"\\\1", text)
