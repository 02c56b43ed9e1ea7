"""A network namespace that lives as long as a thread, with a TUN device whose packets we carry ourselves."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

ADDRESS = "fd00:1::2"
"""The kernel's address."""
_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_TUN_NO_PI = 0x1001
_libc = ctypes.CDLL(None, use_errno=True)


def obstacle() -> str:
    """Return why there can be no namespace with a device here, or nothing."""
    if not os.path.exists("/dev/net/tun") or not shutil.which("ip"):
        return "needs /dev/net/tun and the ip command"
    try:
        with Namespace(1280):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces or TUN devices do not work here: {error}"


class Namespace:
    """A kernel's network of its own: sockets are made in it by its one thread, and with that and them it is gone."""

    def __init__(self, mtu: int) -> None:
        self.mtu = mtu
        self._thread = ThreadPoolExecutor(1, "namespace")
        self.device = -1

    def __enter__(self) -> Namespace:
        try:
            self.do(self._set_up)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.device >= 0:
            os.close(self.device)
        self._thread.shutdown()

    def do(self, call: Callable[..., T], *arguments: object) -> T:
        """Call something in the namespace."""
        return self._thread.submit(call, *arguments).result()

    def socket(self) -> socket.socket:
        """Return a TCP socket of the kernel's."""
        made = self.do(socket.socket, socket.AF_INET6, socket.SOCK_STREAM)
        made.settimeout(30)
        return made

    def set(self, name: str, value: object) -> None:
        """Change one of the kernel's settings, such as net.ipv4.tcp_mtu_probing."""
        path = "/proc/sys/" + name.replace(".", "/")
        self.do(lambda: _write(path, str(value)))

    def _set_up(self) -> None:
        if _libc.unshare(_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        self.device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(self.device, _TUNSETIFF, struct.pack("16sH22x", b"wire", _TUN_NO_PI))
        for line in (
            "link set lo up",
            f"link set wire mtu {self.mtu} txqueuelen 10000 up",
            f"address add {ADDRESS}/64 dev wire nodad",
            "route add fd00::/16 dev wire",
        ):
            subprocess.run(["ip", *line.split()], check=True, capture_output=True)


def _write(path: str, value: str) -> None:
    # /proc/sys/net shows the settings of the namespace of whoever opens it.
    with open(path, "w") as file:
        file.write(value)
