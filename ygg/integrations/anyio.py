"""anyio over a VTun: its own streams and sockets, and listeners of them.

On anyio's asyncio backend in the event loop of the VTun; on its trio backend the VTun's is in another thread.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ygg.errors import ListenerClosed, MissingExtraError
from ygg.integrations.keepalive import probing
from ygg.integrations.routed import routed
from ygg.integrations.routed.sockets import Stream, stand
from ygg.network.base import Listener
from ygg.vtun import OverlayNetwork, VTun
from ygg.vtun.addresses import Host

try:
    import anyio
    from anyio.abc import (
        ConnectedUDPSocket,
        SocketAttribute,
        SocketStream,
        TaskGroup,
        UDPSocket,
    )
    from anyio.abc import (
        Listener as AnyioListener,
    )
    from anyio.lowlevel import checkpoint
except ImportError as error:
    raise MissingExtraError("ygg.integrations.anyio needs anyio: pip install 'ygg[anyio]'") from error


def _on_trio() -> bool:
    """Tell which backend of anyio's it is: what is no task of trio's, where trio is the guest of a loop, is asyncio."""
    return "trio" in sys.modules and bool(sys.modules["trio"].lowlevel.in_trio_task())


def _routed(vtun: VTun) -> contextlib.AbstractContextManager[None]:
    if not _on_trio():
        return routed(vtun, tasks="own", hosts="all")
    from ygg.integrations import trio

    return trio.routed(vtun, tasks="own", hosts="all")


async def connect_tcp(vtun: VTun, remote_host: Host, remote_port: int, **options: Any) -> Any:
    """Connect as `anyio.connect_tcp` does, with its options, to an address of the overlay."""
    with _routed(vtun):
        return await anyio.connect_tcp(str(remote_host), remote_port, **options)


async def create_udp_socket(vtun: VTun, *, local_host: Host | None = None, local_port: int = 0) -> UDPSocket:
    """Open a UDP socket as `anyio.create_udp_socket` does, on one address of `vtun` or on all."""
    with _routed(vtun):
        host = None if local_host is None else str(local_host)
        return await anyio.create_udp_socket(socket.AF_INET6, local_host=host, local_port=local_port)


async def create_connected_udp_socket(
    vtun: VTun, remote_host: Host, remote_port: int, *, local_host: Host | None = None, local_port: int = 0
) -> ConnectedUDPSocket:
    """Open a UDP socket as `anyio.create_connected_udp_socket` does, to an address of the overlay."""
    with _routed(vtun):
        return await anyio.create_connected_udp_socket(
            str(remote_host),
            remote_port,
            local_host=None if local_host is None else str(local_host),
            local_port=local_port,
        )


class _Accepting(Protocol):
    """What listens, on either backend."""

    @property
    def address(self) -> tuple[str, int]: ...

    async def accept(self) -> socket.socket: ...

    def close(self) -> None: ...


class _InTheLoop:
    """Listens in the event loop of the VTun: what is accepted stands for a connection there."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self._listener.address.rpartition(":")
        return host.strip("[]"), int(port)

    async def accept(self) -> socket.socket:
        try:
            transport, _ = await self._listener.accept()
        except ListenerClosed:
            raise anyio.ClosedResourceError from None
        sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        sock.setblocking(False)
        stand(sock, Stream(transport))
        return sock

    def close(self) -> None:
        self._listener.close()


class _ByDescriptor:
    """Listens by a socket with a descriptor, which trio polls."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    @property
    def address(self) -> tuple[str, int]:
        host, port, *_ = self._sock.getsockname()
        return host, port

    async def accept(self) -> socket.socket:
        import trio

        while True:
            if self._sock.fileno() < 0:
                raise anyio.ClosedResourceError
            try:
                await trio.lowlevel.wait_readable(self._sock)
            except trio.ClosedResourceError:
                raise anyio.ClosedResourceError from None
            try:
                return self._sock.accept()[0]
            except BlockingIOError:
                pass

    def close(self) -> None:
        import trio

        if self._sock.fileno() >= 0:
            trio.lowlevel.notify_closing(self._sock)
            self._sock.close()


class TCPListener(AnyioListener[SocketStream]):
    """A listener on an address of a VTun, of anyio's own streams. Made by `create_tcp_listener`."""

    def __init__(self, vtun: VTun, accepting: _Accepting) -> None:
        self._vtun, self._accepting = vtun, accepting

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """As of anyio's own: family, local address and port."""
        address = self._accepting.address
        return {
            SocketAttribute.family: lambda: socket.AF_INET6,
            SocketAttribute.local_address: lambda: address,
            SocketAttribute.local_port: lambda: address[1],
        }

    async def accept(self) -> SocketStream:
        """Return the next connection; ClosedResourceError once the listener is closed."""
        sock = await self._accepting.accept()
        with _routed(self._vtun):
            return await SocketStream.from_socket(sock)

    async def serve(self, handler: Callable[[SocketStream], Any], task_group: TaskGroup | None = None) -> None:
        """Run `handler` for each connection in a task of its own, until cancelled or closed."""
        if task_group is None:
            async with anyio.create_task_group() as own:
                await self.serve(handler, own)
        else:
            while True:
                task_group.start_soon(handler, await self.accept())

    async def aclose(self) -> None:
        """Stop listening."""
        self._accepting.close()
        await checkpoint()


async def create_tcp_listener(
    vtun: VTun, *, local_host: Host | None = None, local_port: int = 0, backlog: int = 128
) -> TCPListener:
    """Listen as `anyio.create_tcp_listener` does, on one address of `vtun` or on all; port 0 picks one."""
    if _on_trio():
        from ygg.integrations.trio import listening

        await checkpoint()
        return TCPListener(vtun, _ByDescriptor(listening(vtun, local_port, host=local_host, backlog=backlog)))
    host = "" if local_host is None else str(local_host)
    network = OverlayNetwork(vtun, **probing(vtun))
    return TCPListener(vtun, _InTheLoop(await network.listen_stream(host, local_port, backlog=backlog)))
