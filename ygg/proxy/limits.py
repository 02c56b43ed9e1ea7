"""What strangers may take of a service, and how long they may be silent."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Keepalive:
    """Probes of idle TCP connections: a host that has gone without a word is found after idle + count × interval."""

    idle: float = 60.0
    """Seconds without a segment before the first probe; of sockets of the system whole ones, 1 at least."""
    interval: float = 15.0
    """Seconds between probes."""
    count: int = 4
    """Probes without an answer that end the connection."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one service. Sources are nodes by their keys, else hosts by their IPv4 address or IPv6 /64.

    Clients on this machine (loopback, UNIX sockets) are one program or many, and have no limit but that over all.
    """

    connections: int = 1024
    """Connections at once. When there are as many, one of the source that has most makes room for one that has less."""
    per_source: int = 128
    """Connections at once of one source."""
    connect_timeout: float = 30.0
    """Seconds to reach the far end."""
    request_timeout: float = 20.0
    """Seconds for a client to say what it wants, where it has to: SOCKS, the head of an HTTP request."""
    bind_timeout: float = 180.0
    """Seconds that a port of SOCKS' BIND waits for its connection."""
    idle: float | None = 7440.0
    """Seconds without a byte in either direction that end a connection; None: no end (RFC 5382, 5: two hours and four
    minutes at least)."""
    half_closed: float | None = 3600.0
    """The same where one side has ended its stream."""
    keepalive: Keepalive | None = field(default_factory=Keepalive)
    """Of the connections on both sides; None: the sockets' own."""
