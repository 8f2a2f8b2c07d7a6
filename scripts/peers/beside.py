"""The transformer beside torch.compile and OpenVINO: ratios as they are measured, and a section of Performance.md."""

from peers import rows

NAMES = {
    "compiled-bf16": "torch.compile, bf16",
    "openvino-bf16": "OpenVINO, bf16",
    "openvino-int8": "OpenVINO, int8",
    "openvino-int8weights": "OpenVINO, int8 weights",
}
# How many times as fast ours is asked to be.
ASKED = {"ours-bf16": 1.2, "ours-int8": 1.3}
NONE = "–"
HEAD = ["tokens", "ours", "ms", "theirs", "ms", "theirs to ours", "asked", "met", "with kept context", "runs"]


def pairs():
    return [(ours, theirs) for ours, others in rows.BESIDE.items() for theirs in others]


def ratio(results, part, ours, theirs):
    """Theirs over ours, or None where one is not known."""
    seconds = [results.median(part, side) for side in (ours, theirs)]
    return seconds[1] / seconds[0] if all(seconds) else None


def ratios(part, results):
    """What a measured part tells, a line for each peer; nothing for parts of other kinds."""
    if part in rows.COMPILED_PARTS:
        for ours, theirs in pairs():
            if value := ratio(results, part.name, ours, theirs):
                yield f"{part.name}: {NAMES[theirs]} takes {value:.2f} times as long as {ours} (asked: {ASKED[ours]:g})"


def is_measured(results):
    return any(results.of(part.name, side) for part in rows.COMPILED_PARTS for side in part.sides)


def lines(results):
    """The cells of the table, row by row."""
    for part in rows.COMPILED_PARTS:
        if not part.peer_arguments:
            yield from (line(results, part.name, ours, theirs) for ours, theirs in pairs())


def line(results, part, ours, theirs):
    value, kept = (ratio(results, name, ours, theirs) for name in (part, part + "-kept"))
    counts = [len(results.of(part, side)) for side in (ours, theirs)]
    return [
        part.removeprefix("compiled-"), ours.removeprefix("ours-"), milliseconds(results.median(part, ours)),
        NAMES[theirs], milliseconds(results.median(part, theirs)), factor(value), f"{ASKED[ours]:g}",
        NONE if value is None else "yes" if value >= ASKED[ours] else "no", factor(kept), "/".join(map(str, counts)),
    ]


def surroundings(results):
    """Machine, versions and what OpenVINO says that it computed in."""
    found = {}
    for part in rows.COMPILED_PARTS:
        for side in part.sides:
            found.setdefault(side, []).extend(results.of(part.name, side))
    peers = [result for side, entries in found.items() if side in NAMES for result in entries]
    names = ("torch", "openvino", "nncf", "diffusers")
    versions = [f"{name} {next(peer[name] for peer in peers if name in peer)}"
                for name in names if any(name in peer for peer in peers)]
    machine = results.session.get("machine", {})
    threads = {result["threads"] for entries in found.values() for result in entries}
    facts = [
        f"{machine.get('cores')} cores of {machine.get('model')}, family {machine.get('family')}, "
        f"{', '.join(machine.get('sets', []))}; {' or '.join(map(str, sorted(threads)))} threads",
        f"ours: {', '.join(commits(results))}", "theirs: " + ", ".join(versions),
        f"command: `{results.session.get('command')}`",
    ]
    for side in NAMES:
        if products := next((entry["products"] for entry in found.get(side, []) if "products" in entry), None):
            told = ", ".join(f"{count} in {numbers}" for numbers, count in products.items())
            facts.append(f"linears of {NAMES[side]}, of one layer and of three together: {told}")
    return "\n".join(f"- {fact}" for fact in facts)


def commits(results):
    """Of the sources that ours was measured with."""
    names = {part.name for part in rows.COMPILED_PARTS}
    entries = [entry for (part, _, _), entry in results.measurements.items() if part in names]
    return sorted({entry["commit"] for entry in entries if "commit" in entry}) or [NONE]


def errors(results):
    """What could not be measured, and why."""
    for part in rows.COMPILED_PARTS:
        for side in part.sides:
            if error := results.error(part.name, side):
                yield f"- not measured: {side} of {part.name}: {error}"


def milliseconds(seconds):
    return NONE if seconds is None else f"{seconds * 1000:.0f}"


def factor(value):
    return NONE if value is None else f"{value:.2f}"
