"""Series out of a trace: what a connection said of itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

End = tuple[str, int]


@dataclass
class Trace:
    """The figures of one connection, a dict for each sample."""

    ends: tuple[End, End]
    samples: list[dict[str, Any]] = field(default_factory=list)

    def series(self, name: str, scale: float = 1.0) -> tuple[list[float], list[float]]:
        """Return the times (seconds since the epoch) and values of a figure, times `scale`."""
        known = [sample for sample in self.samples if sample.get(name) is not None]
        return [sample["time"] for sample in known], [sample[name] * scale for sample in known]


def read(path: Path) -> list[Trace]:
    """Return the connections of a trace in the order in which they began. ValueError for another kind of file."""
    found: dict[tuple[End, End], Trace] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            sample = json.loads(line)
            ends = (tuple(sample["local"]), tuple(sample["remote"]))
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{path}, line {number}, is no sample of a connection") from None
        found.setdefault(ends, Trace(ends)).samples.append(sample)
    return list(found.values())
