"""What has happened in a simulation, as events: the same for the same seed, to the byte."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One event."""

    time: int
    """Nanoseconds of the simulation's clock."""
    event: str
    """What: `bytes` or `packet` arrived, `added`, `joined`, `cut`, `removed`, or an event of one's own."""
    source: int
    """The number of the node that it comes from."""
    target: int
    """The number of the node that it goes to; of a node by itself, the same."""
    size: int = 0
    """Bytes that arrived."""
    digest: str = ""
    """Half of the SHA-256 digest of these, in hex."""


class Trace:
    """The events of a run, in the order in which they happened; put one into `World.trace`."""

    def __init__(self) -> None:
        self.events: list[TraceEvent] = []
        """All, oldest first."""

    def note(self, time: int, event: str, source: int, target: int, data: bytes = b"") -> None:
        """Note an event at a time in nanoseconds."""
        digest = hashlib.sha256(data).hexdigest()[:32] if data else ""
        self.events.append(TraceEvent(time, event, source, target, len(data), digest))

    def digest(self) -> str:
        """Return what two runs have in common when all of their events are equal: a SHA-256 digest in hex."""
        total = hashlib.sha256()
        for event in self.events:
            total.update(repr(event).encode())
        return total.hexdigest()

    def write(self, path: str | Path) -> None:
        """Write the events into a file, each a line of JSON."""
        with Path(path).open("w", encoding="utf-8") as file:
            for event in self.events:
                file.write(json.dumps(asdict(event)) + "\n")
