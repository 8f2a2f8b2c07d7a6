"""The file that measurements are kept in: one JSON object per line, written as soon as it is known."""

import json
import os
import statistics
import time


class Results:
    """Measurements by part, side and round.

    Lines are of three kinds: a `session` (machine, versions, command) that those below it belong to; a measurement with
    either `result` or `error`; and `again`, a part whose earlier measurements no longer count.
    """

    def __init__(self, path):
        self.path = path
        self.session = {}
        self.measurements = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self.take(line)

    def take(self, line):
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # a line that was cut short
            return
        if "session" in entry:
            self.session = entry["session"]
        elif "again" in entry:
            kept = {key: value for key, value in self.measurements.items() if key[0] != entry["again"]}
            self.measurements = kept
        else:
            self.measurements[entry["part"], entry["side"], entry["round"]] = entry

    def append(self, entry):
        line = json.dumps(entry)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.take(line)

    def move_aside(self):
        """Keeps an earlier run's file under another name, and begins anew."""
        if self.path.exists():
            stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self.path.stat().st_mtime))
            self.path.rename(self.path.with_name(f"{self.path.stem}-{stamp}{self.path.suffix}"))
        self.__init__(self.path)

    def is_known(self, part, side, number):
        return "result" in self.measurements.get((part, side, number), {})

    def of(self, part, side):
        """The results of one side of a part, round by round."""
        found = sorted((key[2], entry) for key, entry in self.measurements.items() if key[:2] == (part, side))
        return [entry["result"] for _, entry in found if "result" in entry]

    def error(self, part, side):
        """What the last run of a side said that never succeeded, or None."""
        if self.of(part, side):
            return None
        errors = [entry["error"] for key, entry in self.measurements.items() if key[:2] == (part, side)]
        return errors[-1] if errors else None

    def median(self, part, side, key="seconds", unit=1):
        values = [result[key] * unit for result in self.of(part, side) if result.get(key) is not None]
        return statistics.median(values) if values else None

    def commits(self):
        """Of the sources that our sides were measured with."""
        return sorted({entry["commit"] for entry in self.measurements.values() if "commit" in entry})

    def every(self, side):
        """The results of one side of all parts."""
        return [e["result"] for (_, name, _), e in self.measurements.items() if name == side and "result" in e]
