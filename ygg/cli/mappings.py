"""Mappings of ports as yggstack's options write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ygg.cli.common import UsageError

_HOST = r"(?:\[(?P<{0}6>[^\]]+)\]|(?P<{0}>[^:\[\]]+))"
_LOCAL = re.compile(
    rf"(?:{_HOST.format('near')}?:)?(?P<port>\d+):{_HOST.format('far')}:(?P<far_port>\d+)", re.ASCII
)
_REMOTE = re.compile(rf"(?P<port>\d+)(?::(?:{_HOST.format('near')}:)?(?P<near_port>\d+))?", re.ASCII)
_SOCKS = re.compile(rf"{_HOST.format('near')}?:(?P<port>\d+)", re.ASCII)

LOCALHOST = "127.0.0.1"
"""Where local ports are open unless the mapping says otherwise: to the programs of this machine."""
SERVERS = "localhost"
"""Where the servers of this machine are unless the mapping says otherwise."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A port where something comes in, and where it leads."""

    host: str
    """Where it listens, of this machine; "" on the overlay."""
    port: int
    """The port there; 0 of this machine is a free one."""
    far_host: str
    """Where it leads."""
    far_port: int
    """The port there."""


def local(text: str) -> Mapping:
    """Return what `[laddr:]lport:[ygg6]:rport` says. Raises `UsageError`."""
    found = _LOCAL.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no mapping into the overlay; write [ADDRESS:]PORT:[OVERLAY-ADDRESS]:PORT")
    host = found["near6"] or found["near"] or LOCALHOST
    return Mapping(host, _port(found["port"], 0), found["far6"] or found["far"], _port(found["far_port"]))


def remote(text: str) -> Mapping:
    """Return what `PORT`, `yport:lport` or `yport:host:lport` says. Raises `UsageError`."""
    found = _REMOTE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no mapping from the overlay; write PORT, or PORT:[HOST:]PORT")
    host = found["near6"] or found["near"] or SERVERS
    return Mapping("", _port(found["port"]), host, _port(found["near_port"] or found["port"]))


def listening(text: str) -> tuple[str, int] | str:
    """Return host and port of `[HOST]:PORT`, or the path of a UNIX socket, which has no colon. Raises `UsageError`."""
    if ":" not in text:
        return text
    found = _SOCKS.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no place to listen at; write [HOST]:PORT, or the path of a UNIX socket")
    return found["near6"] or found["near"] or "", _port(found["port"], 0)


def name_server(text: str) -> tuple[str, int]:
    """Return host and port of a name server: `ADDRESS`, or `[ADDRESS]:PORT`. Raises `UsageError`."""
    found = re.fullmatch(r"\[?([0-9A-Fa-f:]+)\]?(?:(?<=\]):(\d+))?", text, re.ASCII)
    if found is None:
        raise UsageError(f"{text!r} is no name server; write an address of the overlay, or [ADDRESS]:PORT")
    return found[1], _port(found[2] or "53")


def _port(digits: str, least: int = 1) -> int:
    number = int(digits) if len(digits) < 6 else -1
    if not least <= number < 65536:
        raise UsageError(f"{digits[:20]} is no port: those are from 1 to 65535")
    return number
