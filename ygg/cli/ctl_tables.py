"""What yggdrasilctl shows of each command's response: its columns, words and units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ygg.apps.names import printable

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Heads, none for a table of names and values, and rows."""

UNITS = ((1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (100, "KB"))
"""From how many bytes on a unit is used; KB are, from 100 bytes on, tenths too."""

SECOND = 1_000_000_000
"""In the unit of latencies and ages of errors."""


def table_of(command: str, response: Any) -> Table | None:
    """Return the table of a response; None for a command that has none, and for what is not shaped as its responses."""
    make = _TABLES.get(command.lower())
    if make is None:
        return None
    try:
        heads, rows = make(response)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
    return heads, [[printable(cell) for cell in row] for row in rows]


def size(number: int) -> str:
    """Return bytes as the stock client writes them."""
    for least, unit in UNITS:
        if number >= least:
            return f"{number / (1024 if unit == 'KB' else least):.1f}{unit}"
    return f"{number}B"


def duration(seconds: float) -> str:
    """Return whole seconds in Go's notation, such as `1h0m5s`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest}s"


def _list(response: Any) -> Table:
    rows = [
        [entry["command"], ", ".join(f"{field}=..." for field in entry.get("fields") or ()), entry["description"]]
        for entry in response["list"]
    ]
    return ("Command", "Arguments", "Description"), rows


def _self(response: Any) -> Table:
    return (), [
        ["Build name:", response["build_name"]],
        ["Build version:", response["build_version"]],
        ["IPv6 address:", response["address"]],
        ["IPv6 subnet:", response["subnet"]],
        ["Routing table size:", str(response["routing_entries"])],
        ["Public key:", response["key"]],
    ]


def _peers(response: Any) -> Table:
    heads = (
        "URI", "State", "Dir", "IP Address", "Uptime", "RTT", "RX", "TX", "Down", "Up", "Pr", "Cost", "Last Error"
    )  # fmt: skip
    return heads, [_peer(peer) for peer in response["peers"]]


def _peer(peer: Mapping[str, Any]) -> list[str]:
    up, latency, error = peer["up"], peer.get("latency", 0), peer.get("last_error", "")
    return [
        peer.get("remote", ""),
        "Up" if up else "Down",
        "In" if peer["inbound"] else "Out",
        peer.get("address", ""),
        duration(peer.get("uptime", 0)),
        f"{latency / 1e6:.2f}ms" if up and latency else "-",
        size(peer.get("bytes_recvd", 0)),
        size(peer.get("bytes_sent", 0)),
        _rate(peer.get("rate_recvd", 0)),
        _rate(peer.get("rate_sent", 0)),
        str(peer["priority"]),
        str(peer["cost"]),
        f"{duration(peer.get('last_error_time', 0) // SECOND)} ago: {error}" if error and not up else "-",
    ]


def _rate(number: int) -> str:
    return f"{size(number)}/s" if number else "-"


def _tree(response: Any) -> Table:
    rows = [[one["key"], one["address"], one["parent"], str(one["sequence"])] for one in response["tree"]]
    return ("Public Key", "IP Address", "Parent", "Sequence"), rows


def _paths(response: Any) -> Table:
    rows = [
        [one["key"], one["address"], f"[{' '.join(map(str, one['path'] or ()))}]", str(one["sequence"])]
        for one in response["paths"]
    ]
    return ("Public Key", "IP Address", "Path", "Seq"), rows


def _sessions(response: Any) -> Table:
    rows = [
        [one["key"], one["address"], duration(one["uptime"]), size(one["bytes_recvd"]), size(one["bytes_sent"])]
        for one in response["sessions"]
    ]
    return ("Public Key", "IP Address", "Uptime", "RX", "TX"), rows


def _multicast(response: Any) -> Table:
    rows = [
        [one["name"], one["address"], *("Yes" if one[flag] else "-" for flag in ("beacon", "listen", "password"))]
        for one in response["multicast_interfaces"]
    ]
    return ("Name", "Listen Address", "Beacon", "Listen", "Password"), rows


def _tun(response: Any) -> Table:
    rows = [["TUN enabled:", "true" if response["enabled"] else "false"]]
    if response["enabled"]:
        rows += [["Interface name:", response["name"]], ["Interface MTU:", str(response["mtu"])]]
    return (), rows


def _settings(response: Any) -> Table:
    return (), [[f"{name.replace('_', ' ').capitalize()}:", _value(value)] for name, value in response.items()]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "-"
    if isinstance(value, list):
        return ", ".join(one["remote"] if isinstance(one, dict) else str(one) for one in value) or "-"
    return str(value)


def _candidates(response: Any) -> Table:
    rows = [
        [one["uri"], one["country"], {True: "Up", False: "Down"}.get(one.get("up"), "-"), _percent(one)]
        for one in response["candidates"]
    ]
    return ("URI", "Country", "State", "Uptime"), rows


def _percent(one: Mapping[str, Any]) -> str:
    return f"{one['uptime_percent']:.1f}%" if "uptime_percent" in one else "-"


def _transport(response: Any) -> Table:
    rows = [[pattern, _network(value)] for pattern, value in response["network_mapping_configs"].items()]
    return ("Hosts", "Network"), [*rows, ["all others", _network(response["default_network_config"])]]


def _network(value: Any) -> str:
    return str(value["ProxyURL"]) if isinstance(value, dict) else "refused" if value is None else str(value)


_TABLES: dict[str, Callable[[Any], Table]] = {
    "list": _list,
    "getself": _self,
    "getpeers": _peers,
    "gettree": _tree,
    "getpaths": _paths,
    "getsessions": _sessions,
    "getmulticastinterfaces": _multicast,
    "gettun": _tun,
    "getautopeer": _settings,
    "setautopeer": _settings,
    "getautopeercandidates": _candidates,
    "getjumper": _settings,
    "setjumper": _settings,
    "gettransport": _transport,
    "settransport": _transport,
}
