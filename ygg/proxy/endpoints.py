"""Where a service listens, and where it leads: a TCP port or UNIX socket of the system, or the overlay."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl as ssl_module
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from ygg.errors import ConnectionReset, OperationNotSupported, from_os_error
from ygg.names import Names, named
from ygg.network.native.sockets import bind_path, check_path, new_socket
from ygg.proxy.datagram_endpoints import DatagramEndpoint, OverlayUdpEndpoint, UdpEndpoint
from ygg.url import host_port

if TYPE_CHECKING:
    from ygg.vtun import VTun
    from ygg.vtun.addresses import Host

BACKLOG = 1024
"""Connections that wait to be accepted."""

Factory = Callable[[], asyncio.BaseProtocol]
"""Makes the protocol of a connection."""


class Listening(Protocol):
    """Something that listens."""

    @property
    def addresses(self) -> list[str]:
        """Where: `host:port`, or paths."""

    def close(self) -> None:
        """Accept no more."""


class Endpoint(ABC):
    """A place to listen at, or to connect to."""

    @abstractmethod
    async def listen(self, factory: Factory) -> Listening:
        """Accept connections from now on, each with a protocol of `factory`. Raises an OSError."""

    @abstractmethod
    async def connect(self, factory: Factory) -> asyncio.Transport:
        """Return a connection with a protocol of `factory`. Raises an OSError."""

    def beside(self, host: str) -> DatagramEndpoint:
        """Return a free UDP port at the address that a connection has come to. Raises `OperationNotSupported`."""
        raise OperationNotSupported(f"{self} has no datagrams")


class _Servers:
    """An asyncio server, and what is removed with it."""

    def __init__(self, server: Any, path: str | None = None) -> None:
        self._server = server
        names = [sock.getsockname() for sock in server.sockets]
        self.addresses = [host_port(*name[:2]) if isinstance(name, tuple) else str(name) for name in names]
        self._path = path
        self._inode = None if path is None else os.stat(path).st_ino

    def close(self) -> None:
        self._server.close()
        if self._path is not None:
            with contextlib.suppress(OSError):
                if os.stat(self._path).st_ino == self._inode:
                    os.unlink(self._path)


class TcpEndpoint(Endpoint):
    """A TCP port of the system: an address or a name, which is resolved when it is used."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        """Where; an empty host is every address, and port 0 a free one, to listen at."""

    def __repr__(self) -> str:
        return f"tcp({self.host!r}, {self.port})"

    async def listen(self, factory: Factory) -> Listening:
        loop = asyncio.get_running_loop()
        try:
            return _Servers(await loop.create_server(factory, self.host or None, self.port, backlog=BACKLOG))
        except OSError as error:
            raise from_os_error(error) from None

    async def connect(self, factory: Factory) -> asyncio.Transport:
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(factory, self.host, self.port)
        except OSError as error:
            raise from_os_error(error) from None
        except ValueError:  # uvloop's, for a connection that was reset at once
            raise ConnectionReset from None
        return transport

    def beside(self, host: str) -> DatagramEndpoint:
        return UdpEndpoint(host, 0)


class UnixEndpoint(Endpoint):
    """A UNIX socket. All who may write to the path may connect; `mode` is set before the first connection."""

    def __init__(self, path: str, mode: int = 0o600) -> None:
        self.path, self.mode = path, mode
        """Where, and what is allowed to whom when a service listens there."""

    def __repr__(self) -> str:
        return f"unix({self.path!r})"

    async def listen(self, factory: Factory) -> Listening:
        check_path(self.path)
        sock = new_socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            bind_path(sock, self.path)
            os.chmod(self.path, self.mode)  # before listen(): until then all are refused
            server = await asyncio.get_running_loop().create_unix_server(factory, sock=sock, backlog=BACKLOG)
        except BaseException as error:
            sock.close()
            raise (from_os_error(error) if isinstance(error, OSError) else error) from None
        return _Servers(server, self.path)

    async def connect(self, factory: Factory) -> asyncio.Transport:
        check_path(self.path)
        try:
            transport, _ = await asyncio.get_running_loop().create_unix_connection(factory, self.path)
        except OSError as error:
            raise from_os_error(error) from None
        return transport


class OverlayEndpoint(Endpoint):
    """A TCP port of the overlay, by a VTun, which stays its owner's to close.

    With `names` a port to connect to may be one of a host by its name, which is resolved each time.
    """

    def __init__(
        self,
        vtun: VTun,
        host: Host | None = None,
        port: int = 0,
        *,
        ssl: ssl_module.SSLContext | None = None,
        names: Names | None = None,
    ) -> None:
        self._names = names
        self.vtun, self.host, self.port, self.ssl = vtun, host, port, ssl
        """The network; where, None to listen at all addresses of the VTun, port 0 at a free one; TLS, if any."""

    def __repr__(self) -> str:
        return f"overlay({self.host!r}, {self.port})"

    async def listen(self, factory: Factory) -> Listening:
        return _Servers(
            await self.vtun.create_server(factory, self.host, self.port, backlog=BACKLOG, ssl=self.ssl)
        )

    async def connect(self, factory: Factory) -> asyncio.Transport:
        host = await named(self._names, self.host)
        transport, _ = await self.vtun.create_connection(factory, host, self.port, ssl=self.ssl)
        return transport

    def beside(self, host: str) -> DatagramEndpoint:
        return OverlayUdpEndpoint(self.vtun, host, 0)


def tcp(host: str, port: int) -> TcpEndpoint:
    """Return the endpoint of a TCP port of the system."""
    return TcpEndpoint(host, port)


def unix(path: str, mode: int = 0o600) -> UnixEndpoint:
    """Return the endpoint of a UNIX socket."""
    return UnixEndpoint(path, mode)


def overlay(
    vtun: VTun,
    host: Host | None = None,
    port: int = 0,
    *,
    ssl: ssl_module.SSLContext | None = None,
    names: Names | None = None,
) -> OverlayEndpoint:
    """Return the endpoint of a TCP port of the overlay; `host` is an address, a public key, or with `names` a name."""
    return OverlayEndpoint(vtun, host, port, ssl=ssl, names=names)
