"""Who the clients of an admin server are, and which of them goes when there is no room for all.

A source is a process by UNIX socket, and an address by TCP (a /64 of IPv6), where all of this machine are one. Two
things are bounded over all of them: connections, and bytes of replies that have not been read. For what is too much,
the source that has the most loses: of its connections one that is idle, else one whose request is the oldest, else a
stream; of its replies the one that has waited the longest. So there is always room for a source that has little.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Hashable
from ipaddress import IPv6Address
from typing import Generic, Protocol, TypeVar

_CREDENTIALS = struct.Struct("3i")


class Member(Protocol):
    """What is read of a connection."""

    def standing(self) -> tuple[int, float]:
        """Return what orders connections: the least goes first."""


M = TypeVar("M", bound=Member)


class Source(Generic[M]):
    """The connections of one source."""

    def __init__(self, name: Hashable) -> None:
        self.name = name
        """What tells it from others."""
        self.members: dict[M, None] = {}
        """Its connections."""
        self.unread: dict[M, int] = {}
        """Bytes of the reply that each is sent, the oldest first."""
        self.encoding = asyncio.Lock()
        """Held while one of its replies is made, so that it has one at a time that no one has counted yet."""

    @property
    def unread_bytes(self) -> int:
        """Bytes of all replies that it has not read."""
        return sum(self.unread.values())


class Sources(Generic[M]):
    """All sources of a server, with at most `connections` connections and `replies` bytes of unread replies."""

    def __init__(self, connections: int, replies: int) -> None:
        self._limit, self._budget = connections, replies
        self._sources: dict[Hashable, Source[M]] = {}
        self._count = 0
        self._unread = 0

    def __len__(self) -> int:
        return self._count

    def enter(self, name: Hashable, member: M) -> tuple[Source[M], M | None]:
        """Take a connection in; return its source, and the connection that goes for it, which has left."""
        source = self._sources.get(name)
        if source is None:
            source = self._sources[name] = Source(name)
        leaving = None
        if self._count >= self._limit:
            leaving = self._to_leave(source)
        source.members[member] = None
        self._count += 1
        if leaving is not None:
            self.leave(*leaving)
        return source, leaving and leaving[1]

    def leave(self, source: Source[M], member: M) -> None:
        """Let a connection go. Idempotent."""
        if member not in source.members:
            return
        self.has_read(source, member)
        del source.members[member]
        self._count -= 1
        if not source.members:
            del self._sources[source.name]

    def sends(self, source: Source[M], member: M, size: int) -> list[M]:
        """Count a reply of `size` bytes; return the connections whose replies are too much now, and counted no more."""
        source.unread[member] = size
        self._unread += size
        leaving = []
        while self._unread > self._budget and (found := self._slowest(member)) is not None:
            leaving.append(found[1])
            self.has_read(*found)
        return leaving

    def has_read(self, source: Source[M], member: M) -> None:
        """Count the reply of a connection no more. Idempotent."""
        self._unread -= source.unread.pop(member, 0)

    def _to_leave(self, entering: Source[M]) -> tuple[Source[M], M] | None:
        most = max(len(source.members) + (source is entering) for source in self._sources.values())
        found = [
            (member.standing(), number, source, member)
            for number, source in enumerate(self._sources.values())
            if len(source.members) + (source is entering) == most
            for member in source.members
        ]
        return min(found, key=lambda one: one[:2])[2:] if found else None

    def _slowest(self, sending: M) -> tuple[Source[M], M] | None:
        others = [source for source in self._sources.values() if any(one is not sending for one in source.unread)]
        if not others:
            return None
        source = max(others, key=lambda one: one.unread_bytes)
        return source, next(one for one in source.unread if one is not sending)


def source_of(taken: socket.socket) -> Hashable:
    """Return the name of the source of a connection that was accepted."""
    if taken.family == socket.AF_UNIX:
        pid, uid, _ = credentials(taken)
        return uid, pid
    try:
        host = str(taken.getpeername()[0])
    except OSError:  # it is gone already
        return ""
    return int(IPv6Address(host.partition("%")[0])) >> 64 if taken.family == socket.AF_INET6 else host


def credentials(taken: socket.socket) -> tuple[int, int, int]:
    """Return process, user and group of a client by UNIX socket; -1 each where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return -1, -1, -1
    pid, uid, gid = _CREDENTIALS.unpack(taken.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    return pid, uid, gid
