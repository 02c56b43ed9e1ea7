"""OSTun: a TUN device of the operating system. Linux only; making one needs CAP_NET_ADMIN."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import os
import socket
import struct
from ipaddress import IPv6Address, IPv6Interface
from pathlib import Path
from typing import Self

from ygg.config.defaults import MTU_CEILING, clamp_mtu
from ygg.errors import NetworkError, YggError, from_os_error
from ygg.tun.netlink import add_address, bring_up
from ygg_c.base import forks
from ygg_c.base.clock import Clock
from ygg_c.io.tunpump import TunPump

log = logging.getLogger("ygg.tun")

PREFIX = 7
"""Length of the overlay's prefix: what is routed to the device."""
QUEUE = 10000
"""Packets that the device keeps for the node; the kernel's 500 are fewer than its own connections have under way."""

_DEVICE = "/dev/net/tun"
# linux/if_tun.h
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_IFREQ = 40


class OSTun:
    """A TUN interface with a node's address, through which every program of the system reaches the overlay."""

    def __init__(self, address: IPv6Address, name: str = "auto", mtu: int = MTU_CEILING) -> None:
        """Make the interface `name` (`auto`: the next free `tunN`) with `address`/7 and an MTU of 1280 to 65535 bytes.

        Raises `NetworkError`, which says what to do: with EPERM where the rights are missing, ENOENT where the system
        has no TUN devices, EACCES where its IPv6 is switched off.
        """
        self._mtu = clamp_mtu(mtu)
        self._loop = asyncio.get_running_loop()
        try:
            self._fd = os.open(_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError as error:
            raise from_os_error(OSError(error.errno, f"{error.strerror}: this user may not open {_DEVICE}")) from error
        except OSError as error:
            raise _explained(error) from error
        try:
            self._name = _make(self._fd, "tun%d" if name == "auto" else name)
            _configure(self._name, address, self._mtu)
        except OSError as error:
            os.close(self._fd)
            raise _explained(error) from error
        forks.register(self._fd)
        self._pump = TunPump(self._fd, self._mtu, self._lost, self._wait, Clock())
        self._loop.add_reader(self._fd, self._pump.readable)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    @property
    def upper(self) -> TunPump:
        """The engine object that is attached."""
        return self._pump

    @property
    def name(self) -> str:
        """Name of the interface."""
        return self._name

    @property
    def mtu(self) -> int:
        """Bytes of the longest packet."""
        return self._mtu

    def close(self) -> None:
        """Remove the interface. Idempotent."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._pump.close()
            forks.unregister(self._fd)
            os.close(self._fd)
            self._fd = -1

    def counters(self) -> dict[str, int]:
        """Return how many packets passed, and how many were dropped, by reason."""
        return self._pump.counters()

    def _wait(self, waiting: bool) -> None:
        if waiting:
            self._loop.remove_reader(self._fd)
        else:
            self._loop.add_reader(self._fd, self._pump.readable)

    def _lost(self, error: OSError) -> None:
        log.error("The interface %s is gone: %s", self._name, error.strerror)
        self.close()


def _make(descriptor: int, name: str) -> str:
    if len(name.encode()) > 15:
        raise NetworkError(f"{name!r} is too long for an interface")
    request = struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI).ljust(_IFREQ, b"\0")
    answer = fcntl.ioctl(descriptor, _TUNSETIFF, request)
    return answer[:16].rstrip(b"\0").decode()


def _configure(name: str, address: IPv6Address, mtu: int) -> None:
    _check_ipv6(name)
    interface = socket.if_nametoindex(name)
    bring_up(interface, mtu, QUEUE)
    add_address(interface, IPv6Interface((address, PREFIX)))


def _check_ipv6(name: str) -> None:
    # The kernel refuses an address with EACCES where IPv6 is off, as if rights were missing.
    try:
        disabled = Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").read_text().strip() != "0"
    except OSError:
        return  # no /proc, or no IPv6 at all: what the kernel itself says must do
    if disabled:
        raise OSError(
            errno.EACCES,
            f"IPv6 is disabled for the interface {name} (disable_ipv6 is 1): set net.ipv6.conf.all.disable_ipv6=0 with"
            " sysctl, for a container where it is started (--sysctl net.ipv6.conf.all.disable_ipv6=0)",
        )


_ADVICE = {
    errno.EPERM: "making a TUN device needs the right CAP_NET_ADMIN",
    errno.ENOENT: f"{_DEVICE} is missing: load the module tun, or give the container the device",
    errno.EBUSY: "another program has the interface",
    errno.EINVAL: "an interface cannot have this name, or one of another kind has it",
    errno.EAFNOSUPPORT: "the kernel has no IPv6",
    errno.EOPNOTSUPP: "the kernel has no IPv6",
}


def _explained(error: OSError) -> OSError:
    if not isinstance(error, YggError) and error.errno in _ADVICE:
        error = OSError(error.errno, f"{error.strerror}: {_ADVICE[error.errno]}")
    return from_os_error(error)
