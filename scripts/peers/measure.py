"""Runs the parts: every measurement a process of its own, our side and theirs in turn."""

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from peers import environment, rows

SIDE = re.compile(r"(ours|theirs|compiled|openvino|ceiling)-(\w+?)(?:-(\d+)thread)?")
OURS = ("ours", "ceiling")
# Converted models of OpenVINO.
CONVERTED = environment.ROOT / ".build" / "bench-peers" / "openvino"


@dataclass
class Measuring:
    """What the user asked for, and where the commands are."""

    wan: Path
    python: Path
    threads: int
    runs: int
    repeat: int | None
    warm_up: int
    limit: int
    model: str | None
    sides: re.Pattern
    # Peers that cannot be run here.
    missing: frozenset = frozenset()

    def command(self, part, side):
        who, numbers, threads = SIDE.fullmatch(side).groups()
        arguments = rows.GEMM if who == "ceiling" else part.arguments
        repeat = 3 if who == "ceiling" else self.repeat or part.repeat
        shared = ["--threads", threads or self.threads, "--repeat", repeat, "--warm-up", self.warm_up]
        if who not in OURS:
            script = environment.FOLDER / ("openvino_peer.py" if who == "openvino" else "torch_peer.py")
            more = {"compiled": ["--compile"], "openvino": ["--folder", CONVERTED]}.get(who, [])
            told = [*arguments.split(), *part.peer_arguments.split(), "--dtype", numbers]
            return words(self.python, script, *told, *more, *shared)
        folder = ["--model", self.model] if part.name == "start" else []
        if part.name == "start" and numbers == "int8":
            # The first run makes the file, unless it is there; the median of three runs is of one that found it.
            folder += ["--int8-cache", "auto"]
        return words(self.wan, "bench", *arguments.split(), *folder, "--precision", numbers, *shared, "--json")

    def turns(self, part):
        """The sides of one round, in order."""
        sides = [s for s in part.sides if self.sides.search(s) and s.split("-")[0] not in self.missing]
        if not part.has_ceiling:
            return sides
        precisions = dict.fromkeys(side.split("-")[1] for side in sides if side.startswith("ours"))
        return [f"ceiling-{precision}" for precision in precisions] + sides

    def measure(self, part, results):
        """All rounds of a part that the file does not have yet; a side that fails is not tried again."""
        if part.name == "start":
            if not self.model:
                return print("start: needs --model", flush=True)
            read_through(self.model)
        failed = set()
        for number in range(1, min(self.runs, part.rounds) + 1):
            for side in self.turns(part):
                if side in failed or results.is_known(part.name, side, number):
                    continue
                entry = self.run(part, side, number)
                results.append(entry)
                print(line(entry), flush=True)
                if "error" in entry:
                    failed.add(side)

    def run(self, part, side, number):
        command = self.command(part, side)
        entry = dict(part=part.name, side=side, round=number, time=time.strftime("%Y-%m-%dT%H:%M:%S%z"))
        is_ours = side.startswith(OURS)
        entry["command"] = " ".join(["wan", *command[1:]] if is_ours else [Path(command[1]).name, *command[2:]])
        if is_ours:
            entry["commit"] = environment.commit()
        start = time.monotonic()
        entry.update(outcome(command, self.limit))
        entry["wall_seconds"] = round(time.monotonic() - start, 2)
        return entry


def words(*values):
    return [str(value) for value in values]


def outcome(command, limit):
    """Either the JSON object that a command prints last, or what it died of."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return dict(error=f"took more than {limit} s")
    except OSError as error:
        return dict(error=str(error))
    if done.returncode < 0:
        return dict(error=f"killed by signal {-done.returncode}")
    said = [text for text in done.stderr.splitlines() if text.strip()]
    if done.returncode:
        # Our command explains itself in the first line, a Python traceback in the last.
        named = [text for text in said if text.startswith("Error: ")] or said[-1:]
        return dict(error=(named or [f"exit status {done.returncode}"])[0][:200])
    try:
        return dict(result=json.loads(done.stdout.strip().splitlines()[-1]))
    except (IndexError, json.JSONDecodeError):
        return dict(error="printed no result")


def line(entry):
    if "error" in entry:
        return f"{entry['part']} {entry['side']}: failed: {entry['error']}"
    times = {key: value for key, value in entry["result"].items() if key.endswith("seconds") and value is not None}
    told = ", ".join(f"{key.removesuffix('seconds').strip('_')} {value:.4g} s".strip() for key, value in times.items())
    return f"{entry['part']} {entry['side']} {entry['round']}: {told}"


def read_through(folder):
    """Brings the transformer's files into the page cache."""
    for path in sorted(Path(folder).rglob("diffusion_pytorch_model*.safetensors")):
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass


def prepare_model(wan, folder):
    """A full-size checkpoint of random weights where the folder is not there yet."""
    if not os.path.exists(folder) and subprocess.run([wan, "synthesize", "ti2v-5b", folder]).returncode:
        raise environment.PeerError(f"cannot write a checkpoint to {folder}; see above")
