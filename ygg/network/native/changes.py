"""Tells when the machine's network has something that it had not: an interface that runs, an address, a route.

On Linux rtnetlink tells (linux/rtnetlink.h); elsewhere, and where the system does not let us listen, nothing is told.
Routers announce again and again what has not changed, which is told once. Of a network that changes all the time it is
told now and then.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import struct
import sys
from collections.abc import Callable, Iterator

SETTLE = 0.2
"""Seconds from a change until it is told: changes come in groups."""
SPARE = 6
"""Changes that are told as they come."""
EACH = 10.0
"""Seconds in which one more may be told so."""
REMEMBERED = 4096
"""Things that are known to be there, at most."""

_NLMSGHDR = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_RTATTR = struct.Struct("=HH")  # length, type
_NEW_LINK, _DEL_LINK, _NEW_ADDRESS, _DEL_ADDRESS, _NEW_ROUTE, _DEL_ROUTE = 16, 17, 20, 21, 24, 25
_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400  # links, IPv4 addresses and routes, IPv6 addresses and routes
_IFINFOMSG = struct.Struct("=BBHiII")  # family, padding, type, interface, flags, which of them change
_IFADDRMSG = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, interface
_RTMSG = struct.Struct("=BBBBBBBBI")  # family, lengths of target and source, service, table, origin, scope, type, flags
_IFF_RUNNING = 0x40
_IFA_ADDRESS = 1
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_RTN_UNICAST = 1

Thing = tuple[object, ...]
"""An interface that runs, an address or a route: what tells it from others."""


class NetworkChanges:
    """Calls `told` some time after each change, until closed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, told: Callable[[], object],
                 kernel: socket.socket | None = None) -> None:
        """Hear `kernel`, a socket that brings rtnetlink's messages and is closed at the end; None: the system's."""
        self._loop = loop
        self._told = told
        self._known: set[Thing] = set()
        self._spent_until = -math.inf
        self._soon: asyncio.TimerHandle | None = None
        self._kernel = kernel or _listen()
        if self._kernel is not None:
            loop.add_reader(self._kernel, self._readable)

    def close(self) -> None:
        """Tell nothing more."""
        if self._soon is not None:
            self._soon.cancel()
        if self._kernel is not None:
            self._loop.remove_reader(self._kernel)
            self._kernel.close()
            self._kernel = None

    def _readable(self) -> None:
        try:
            data = self._kernel.recv(1 << 16) if self._kernel is not None else b""
        except BlockingIOError:
            return
        except OSError:  # there was more than the socket holds
            self._tell_soon()
            return
        for there, thing in things(data):
            if not there:
                self._known.discard(thing)
            elif thing not in self._known:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known.add(thing)
                self._tell_soon()

    def _tell_soon(self) -> None:
        if self._soon is None:
            now = self._loop.time()
            self._soon = self._loop.call_at(max(now + SETTLE, self._spent_until - SPARE * EACH), self._tell)
            self._spent_until = max(self._spent_until, now) + EACH

    def _tell(self) -> None:
        self._soon = None
        self._told()


def _listen() -> socket.socket | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    except OSError:
        return None
    try:
        kernel.setblocking(False)
        kernel.bind((0, _GROUPS))
    except OSError:
        kernel.close()
        return None
    return kernel


def things(data: bytes) -> Iterator[tuple[bool, Thing]]:
    """Return what netlink messages tell of: whether it is there now, and what it is."""
    at = 0
    with contextlib.suppress(struct.error):  # a message that is cut off
        while at < len(data):
            size, kind, *_ = _NLMSGHDR.unpack_from(data, at)
            body = data[at + _NLMSGHDR.size : at + size]
            if kind in (_NEW_LINK, _DEL_LINK):
                _family, _, _type, index, flags, _changed = _IFINFOMSG.unpack_from(body)
                yield kind == _NEW_LINK and bool(flags & _IFF_RUNNING), ("interface", index)
            elif kind in (_NEW_ADDRESS, _DEL_ADDRESS):
                *_, interface = _IFADDRMSG.unpack_from(body)
                yield kind == _NEW_ADDRESS, ("address", interface, _attributes(body, _IFADDRMSG.size).get(_IFA_ADDRESS))
            elif kind in (_NEW_ROUTE, _DEL_ROUTE):
                family, length, _source, _service, table, _origin, _scope, sort, _flags = _RTMSG.unpack_from(body)
                found = _attributes(body, _RTMSG.size)
                if sort == _RTN_UNICAST:
                    where = (found.get(_RTA_DST), found.get(_RTA_OIF), found.get(_RTA_GATEWAY))
                    yield kind == _NEW_ROUTE, ("route", family, table, length, *where)
            at += max(size + 3 & ~3, _NLMSGHDR.size)


def _attributes(body: bytes, at: int) -> dict[int, bytes]:
    found = {}
    while at + _RTATTR.size <= len(body):
        size, kind = _RTATTR.unpack_from(body, at)
        if size < _RTATTR.size:
            break
        found[kind] = body[at + _RTATTR.size : at + size]
        at += size + 3 & ~3
    return found
