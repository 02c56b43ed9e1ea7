"""A stream that never ends: a source writes as fast as its transport takes it, a sink counts what arrives."""

import asyncio
import resource
import time
from typing import Any

MIB, GIB = 1 << 20, 1 << 30


def cpu() -> float:
    """Return the CPU seconds that this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Sink(asyncio.BufferedProtocol):
    """Counts the bytes of every connection it is given."""

    def __init__(self) -> None:
        self.count = 0
        self._space = bytearray(MIB)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return the same space every time: what was read is not looked at."""
        return self._space

    def buffer_updated(self, nbytes: int) -> None:
        """Count."""
        self.count += nbytes


class Source(asyncio.Protocol):
    """Writes until told to stop."""

    CHUNK = bytes(256 * 1024)

    def __init__(self) -> None:
        self._transport: Any = None
        self._paused = self._over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start writing."""
        self._transport = transport
        self._write()

    def _write(self) -> None:
        while not (self._paused or self._over):
            self._transport.write(self.CHUNK)

    def pause_writing(self) -> None:
        """Wait for room."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on."""
        self._paused = False
        self._write()

    def stop(self) -> None:
        """Drop the connection."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()


def sample(count: int) -> dict[str, float]:
    """Return a reading: bytes so far, CPU seconds so far, and when."""
    return {"count": count, "cpu": cpu(), "time": time.perf_counter()}


def rates(before: dict[str, float], after: dict[str, float], other_cpu: float = 0.0) -> tuple[float, float]:
    """Return (MiB per second, CPU seconds per GiB) between two readings; `other_cpu` is what another process used."""
    count = max(after["count"] - before["count"], 1)
    used = after["cpu"] - before["cpu"] + other_cpu
    return count / MIB / (after["time"] - before["time"]), used / (count / GIB)
