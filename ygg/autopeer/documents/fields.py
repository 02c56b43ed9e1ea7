"""Members of JSON objects, checked: of the right type, in range, and in agreement with the entry's URL."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ygg.autopeer.peer import PeerRejected, PublicPeer, plain_host

_MISSING = object()


def field(holder: object, name: str, kind: type, default: object = _MISSING) -> Any:
    """Return a member of a JSON object; a missing or null one is `default`, or an error where there is none."""
    if not isinstance(holder, dict):
        raise PeerRejected("the entry is no object")
    value = holder.get(name)
    if value is None:
        if default is _MISSING:
            raise PeerRejected(f"`{name}` is missing")
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise PeerRejected(f"`{name}` is not of type {kind.__name__}")
    return value


def number(holder: dict[str, Any], name: str, *, least: float = -math.inf, most: float = math.inf) -> float | None:
    """Return a number of a JSON object, None where it has none. Raises `PeerRejected` for anything else."""
    value = holder.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PeerRejected(f"`{name}` is not a number")
    if not least <= value <= most or abs(value) > 1e18:
        raise PeerRejected(f"`{name}` is out of range")
    return float(value)


def check_parts(entry: dict[str, Any], scheme: str, peer: PublicPeer) -> None:
    """Refuse an entry whose parts contradict its URL; `scheme` is what its form calls that part."""
    parts: tuple[tuple[str, type, object, Callable[[Any], object]], ...] = (
        (scheme, str, peer.scheme, str.lower),
        ("host", str, peer.host, lambda host: plain_host(host.strip("[]"))),
        ("port", int, peer.port, int),
    )
    for name, kind, true, spelled in parts:
        if spelled(field(entry, name, kind, true)) != true:
            raise PeerRejected(f"`{name}` is not the URL's {true}")
