"""A socket for beacons on one interface.

The protocol speaks of one socket on `[::]:9001` for all interfaces. One for each, bound to the group on that interface,
looks the same from outside and is better here: the kernel itself drops what was not sent to the group, and a flood on
one interface cannot push out what arrives on another.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys

from ygg.multicast.beacon import GROUP, GROUP_PORT, SIZE
from ygg.network.native.inherited import keep_from_children

RECEIVE_BUFFER = 32 << 10
"""Bytes the kernel may hold back for us; after a flood no more than that is stale."""

_PKTINFO = struct.Struct("@16sI")


class GroupSocket:
    """Sends and receives beacons on the interface of one index. Raises `OSError` where the system refuses."""

    def __init__(self, index: int) -> None:
        self._index = index
        self._joined = False
        self._socket = keep_from_children(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if sys.platform == "darwin":
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            self._socket.bind((GROUP, GROUP_PORT, 0, index))
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def join(self) -> None:
        """Ask the network for what is sent to the group; asking again is harmless."""
        if not self._joined:
            request = socket.inet_pton(socket.AF_INET6, GROUP) + struct.pack("@I", self._index)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
            self._joined = True

    def send(self, data: bytes, source: ipaddress.IPv6Address) -> None:
        """Send a beacon from `source`, the address its listener is bound to."""
        about = [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _PKTINFO.pack(source.packed, self._index))]
        self._socket.sendmsg([data], about, 0, (GROUP, GROUP_PORT, 0, self._index))

    def receive(self) -> tuple[bytes, ipaddress.IPv6Address] | None:
        """Return the next datagram, cut to a beacon's size, and its sender; None when nothing waits."""
        while True:
            try:
                data, sender = self._socket.recvfrom(SIZE)
            except (BlockingIOError, InterruptedError):
                return None
            address = ipaddress.IPv6Address(sender[0].partition("%")[0])
            if address.is_link_local:
                return data, address

    def close(self) -> None:
        """Release the socket."""
        self._socket.close()
