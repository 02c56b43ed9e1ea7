"""What is done to both kinds of connection alike: those of the event loop's sockets, and those of a VTun."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import struct
from collections.abc import Hashable
from typing import Any

from ygg.identity.overlay import OVERLAY
from ygg.network.crowding import networks_of
from ygg.proxy.limits import Keepalive

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # struct linger


def reset(transport: asyncio.WriteTransport) -> None:
    """End a connection at once, and have its other side see a reset where the kind of socket has one."""
    with contextlib.suppress(OSError, ValueError):  # it has ended already
        if (options := transport.get_extra_info("options")) is not None:
            options.linger = 0.0
        elif (sock := _tcp_socket(transport)) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    transport.abort()


def keep_alive(transport: asyncio.BaseTransport, times: Keepalive | None) -> None:
    """Have an idle connection probed."""
    if times is None:
        return
    with contextlib.suppress(OSError, ValueError):  # it has ended already
        if (options := transport.get_extra_info("options")) is not None:
            options.keepalive_idle, options.keepalive_interval = times.idle, times.interval
            options.keepalive_count = times.count
            options.keepalive = True
        elif (sock := _tcp_socket(transport)) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in zip(
                ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"), (times.idle, times.interval, times.count), strict=True
            ):
                if hasattr(socket, name):
                    sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), max(1, round(value)))


def _tcp_socket(transport: asyncio.BaseTransport) -> Any:
    sock = transport.get_extra_info("socket")
    return sock if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6) else None


def pause(transport: asyncio.ReadTransport) -> None:
    """Stop reading; uvloop's transports raise where they are closing."""
    if not transport.is_closing():
        transport.pause_reading()


def resume(transport: asyncio.ReadTransport) -> None:
    """Go on reading."""
    if not transport.is_closing():
        transport.resume_reading()


def told_by(transport: asyncio.BaseTransport, name: str) -> Any:
    """Return what a transport says of itself; None where the connection has ended, for which uvloop's raise."""
    try:
        return transport.get_extra_info(name)
    except (OSError, ValueError):
        return None


def source_of(transport: asyncio.BaseTransport) -> Hashable | None:
    """Return what stands for the host at the other end; None on this machine, whose programs are not told apart.

    That is its node's public key, or its /64 where the key is not known, on the overlay; else an address or a /64.
    """
    key: bytes | None = told_by(transport, "public_key")
    if key is not None:
        return key
    return source_at(told_by(transport, "peername"))


def source_at(peer: Any) -> Hashable | None:
    """Return what stands for the host of a socket address, as `source_of()` where no key is known."""
    if not isinstance(peer, tuple):
        return None
    host = peer[0]
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address in OVERLAY:
            return int(address) >> 64
    return next(iter(networks_of(host)), None)
