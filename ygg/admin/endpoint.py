"""Where an admin socket is: the value of AdminListen, and what clients try without one."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, unquote

from ygg.config import defaults
from ygg.errors import AddressInUse, URLError
from ygg.url import host_port

MODE = 0o660
"""Of a UNIX socket's file: its owner and its group may ask."""

OFF = ("", "none")
"""Values of AdminListen that mean no admin socket."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A UNIX socket, or a host and port."""

    path: str = ""
    """Of a UNIX socket; one that begins with `@` is abstract. Empty for TCP."""
    host: str = ""
    """Of TCP."""
    port: int = 0
    """Of TCP."""
    token: str = field(default="", repr=False)
    """What clients show that may ask; empty: all may."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the endpoint of `unix:///path`, `unix://@name`, `tcp://host:port` or `host:port`. Raises `URLError`.

        `?token=…` at its end names the token. It is no part of the stock daemon's form.
        """
        place, _, query = text.partition("?")
        token = "".join(parse_qs(query).get("token", [])[:1])
        scheme, separator, rest = place.partition("://")
        if scheme.lower() == "unix" and separator:
            if not rest.strip("/"):
                raise URLError("the admin socket has no path")
            return cls(path=unquote(rest), token=token)
        if separator and scheme.lower() != "tcp":
            raise URLError(f"an admin socket is unix:// or tcp://, not {scheme[:16]!r}")
        host, colon, port = (rest if separator else place).rpartition(":")
        if not colon or not port.isdecimal() or len(port) > 5 or int(port) > 65535:
            raise URLError("an admin socket's address is host:port")
        return cls(host=host.removeprefix("[").removesuffix("]"), port=int(port), token=token)

    def __str__(self) -> str:
        return f"unix://{self.path}" if self.path else f"tcp://{host_port(self.host, self.port)}"

    @property
    def abstract(self) -> bool:
        """Whether it is a UNIX socket without a file."""
        return self.path.startswith("@")

    @property
    def socket_address(self) -> str:
        """The path as the system takes it."""
        return "\0" + self.path[1:] if self.abstract else self.path

    def bind(self) -> socket.socket:
        """Return a UNIX socket that is bound there, its file with mode 0660; a stale file is removed before.

        Raises `AddressInUse` where a process listens, and `OSError`.
        """
        if not self.abstract:
            self._remove_stale()
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.setblocking(False)
            made.bind(self.socket_address)
            if not self.abstract:
                # Before listen(): until then connections are refused.
                os.chmod(self.path, MODE)
        except OSError as error:
            made.close()
            if error.errno == errno.EADDRINUSE:
                raise AddressInUse(f"another process listens at {self}") from None
            raise
        return made

    def remove(self) -> None:
        """Remove the file of the socket."""
        if self.path and not self.abstract:
            with contextlib.suppress(OSError):
                os.unlink(self.path)

    def _remove_stale(self) -> None:
        try:
            kind = os.stat(self.path).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(kind):
            raise AddressInUse(f"{self.path} is there, and is no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(self.path)
            except ConnectionRefusedError:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.path)
                return
            except FileNotFoundError:
                return
            except BlockingIOError:
                pass  # its queue is full: there is a process behind it
        raise AddressInUse(f"another process listens at {self}")


def default_endpoints() -> list[Endpoint]:
    """Return where clients look, in this order: the packaged daemon's place, the default one, TCP."""
    paths = ("/var/run/yggdrasil/yggdrasil.sock", "/var/run/yggdrasil.sock")
    found = [Endpoint(path=path) for path in paths if Path(path).is_socket()]
    return [*found, Endpoint(host="localhost", port=9001)]


def listen_endpoint(admin_listen: str | None) -> Endpoint | None:
    """Return the endpoint that a configuration names, the platform's where it is None; None for no socket."""
    text = defaults.admin_listen() if admin_listen is None else admin_listen
    return None if text in OFF else Endpoint.parse(text)
