"""State as JSON, under the stock daemon's names and in its types.

Counts, nanoseconds and ports are integers: the stock client fails at a float where it expects none. Only `uptime` is a
float. `?` in comments marks what is left out where it is zero or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ygg.version import __version__

if TYPE_CHECKING:
    from ygg.multicast import MulticastStatus
    from ygg.node.state import LookupEntry, PathEntry, PeerInfo, SelfInfo, SessionEntry, TreeEntry


def self_view(info: SelfInfo) -> dict[str, Any]:
    """Return what `getSelf` answers."""
    return {
        "build_name": "ygg",
        "build_version": __version__,
        "key": info.public_key.hex(),
        "address": str(info.address),
        "routing_entries": info.routing_entries,
        "subnet": str(info.subnet),
    }


def peer_view(peer: PeerInfo) -> dict[str, Any]:
    """Return one entry of `getPeers`. Its `remote` has no query and no password."""
    members: dict[str, Any] = {
        "remote": peer.redacted,  # ?
        "up": peer.up,
        "inbound": peer.inbound,
        "address": str(peer.address) if peer.address else "",  # ?
        "key": peer.key.hex() if peer.key else "",
        "port": peer.port,
        "priority": peer.priority,
        "cost": peer.cost,
        "bytes_recvd": peer.bytes_received,  # ?
        "bytes_sent": peer.bytes_sent,  # ?
        "rate_recvd": int(peer.receive_rate),  # ?
        "rate_sent": int(peer.send_rate),  # ?
        "uptime": peer.uptime,  # ?
        "latency": round(1e9 * (peer.latency or 0)),  # ?
        "last_error_time": round(1e9 * (peer.last_error_age or 0)),  # ?
        "last_error": peer.last_error,  # ?
    }
    kept = ("up", "inbound", "key", "port", "priority", "cost")
    return {name: value for name, value in members.items() if value or name in kept}


def _order(*names: str) -> Callable[[PeerInfo], tuple[Any, ...]]:
    return lambda peer: tuple(getattr(peer, name) or b"" if name == "key" else getattr(peer, name) for name in names)


_ORDERS = {
    "uptime": _order("uptime", "key", "priority", "cost"),
    "cost": _order("cost", "key", "priority", "uptime"),
}
_USUAL = _order("inbound", "key", "priority", "cost", "uptime")


def peers_view(peers: Iterable[PeerInfo], order: str = "") -> dict[str, Any]:
    """Return what `getPeers` answers: by "uptime", by "cost", else dialed ones first."""
    return {"peers": [peer_view(peer) for peer in sorted(peers, key=_ORDERS.get(order.lower(), _USUAL))]}


def tree_view(entries: Iterable[TreeEntry]) -> dict[str, Any]:
    """Return what `getTree` answers."""
    return {
        "tree": [
            {
                "address": str(entry.address),
                "key": entry.key.hex(),
                "parent": entry.parent.hex(),
                "sequence": entry.sequence,
            }
            for entry in entries
        ]
    }


def paths_view(entries: Iterable[PathEntry]) -> dict[str, Any]:
    """Return what `getPaths` answers."""
    return {
        "paths": [
            {
                "address": str(entry.address),
                "key": entry.key.hex(),
                "path": list(entry.path),
                "sequence": entry.sequence,
            }
            for entry in entries
        ]
    }


def sessions_view(entries: Iterable[SessionEntry]) -> dict[str, Any]:
    """Return what `getSessions` answers."""
    return {
        "sessions": [
            {
                "address": str(entry.address),
                "key": entry.key.hex(),
                "bytes_recvd": entry.bytes_received,
                "bytes_sent": entry.bytes_sent,
                "uptime": entry.uptime,
            }
            for entry in entries
        ]
    }


def lookups_view(entries: Iterable[LookupEntry]) -> dict[str, Any]:
    """Return what `lookups` answers."""
    return {
        "infos": [
            {"addr": str(entry.address), "key": entry.key.hex(), "path": list(entry.path), "time": entry.time}
            for entry in entries
        ]
    }


def multicast_view(entries: Iterable[MulticastStatus]) -> dict[str, Any]:
    """Return what `getMulticastInterfaces` answers."""
    return {
        "multicast_interfaces": [
            {
                "name": entry.name,
                "address": entry.address or "-",
                "beacon": entry.beacon,
                "listen": entry.listen,
                "password": entry.password,
            }
            for entry in entries
        ]
    }
