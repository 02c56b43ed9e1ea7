"""Reading a list of public peers."""

import json
import time

from ygg.autopeer import parse_document


def document(count: int, seconds: float) -> dict[str, float]:
    """Measure reading a crawler's document of `count` peers."""
    now, key = time.time(), "0123456789abcdef" * 4
    measured = {"up": True, "key": key, "imported": now, "updated": now, "last_seen": now, "proto_minor": 5,
                "response_ms": 42}
    peers = {f"tls://host{number}.example:443?key={key}": measured for number in range(count)}
    data, started = json.dumps({"germany.md": peers}).encode(), time.perf_counter()
    times: list[float] = []
    while not times or time.perf_counter() - started < seconds:
        begun = time.perf_counter()
        assert len(parse_document(data, now=now).peers) == count
        times.append(time.perf_counter() - begun)
    return {f"peer_document_{count}_ms": 1000 * min(times)}
