"""Parts of the engine on their own."""

import time

from ygg_c.base.checksum import checksum as internet_checksum
from ygg_c.testing.boxes import measure_box


def checksum(size: int, seconds: float) -> dict[str, float]:
    """Measure the Internet checksum over `size` bytes, the call from Python included."""
    data, count, started = bytes(range(256)) * 256, 0, time.perf_counter()
    view = memoryview(data)[:size]
    while (spent := time.perf_counter() - started) < seconds / 2:
        for _ in range(1000):
            internet_checksum(view)
        count += 1000
    return {f"checksum_{size}_gb_s": size * count / spent / 1e9}


def session(size: int, seconds: float) -> dict[str, float]:
    """Measure sealing and opening payloads of `size` bytes between two sessions."""
    count = round(100e6 * seconds / size)
    return {f"session_{size}_mb_s": size * count / measure_box(size, count) / 1e6}
