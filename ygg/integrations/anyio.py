"""anyio over a VTun, on anyio's asyncio backend: its own streams and sockets, and listeners of them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

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


async def connect_tcp(vtun: VTun, remote_host: Host, remote_port: int, **options: Any) -> Any:
    """Connect as `anyio.connect_tcp` does, with its options, to an address of the overlay."""
    with routed(vtun, tasks="own", hosts="all"):
        return await anyio.connect_tcp(str(remote_host), remote_port, **options)


async def create_udp_socket(vtun: VTun, *, local_host: Host | None = None, local_port: int = 0) -> UDPSocket:
    """Open a UDP socket as `anyio.create_udp_socket` does, on one address of `vtun` or on all."""
    with routed(vtun, tasks="own", hosts="all"):
        host = None if local_host is None else str(local_host)
        return await anyio.create_udp_socket(socket.AF_INET6, local_host=host, local_port=local_port)


async def create_connected_udp_socket(
    vtun: VTun, remote_host: Host, remote_port: int, *, local_host: Host | None = None, local_port: int = 0
) -> ConnectedUDPSocket:
    """Open a UDP socket as `anyio.create_connected_udp_socket` does, to an address of the overlay."""
    with routed(vtun, tasks="own", hosts="all"):
        return await anyio.create_connected_udp_socket(
            str(remote_host),
            remote_port,
            local_host=None if local_host is None else str(local_host),
            local_port=local_port,
        )


class TCPListener(AnyioListener[SocketStream]):
    """A listener on an address of a VTun, of anyio's own streams. Made by `create_tcp_listener`."""

    def __init__(self, vtun: VTun, listener: Listener) -> None:
        self._vtun, self._listener = vtun, listener

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """As of anyio's own: family, local address and port."""
        host, _, port = self._listener.address.rpartition(":")
        address = (host.strip("[]"), int(port))
        return {
            SocketAttribute.family: lambda: socket.AF_INET6,
            SocketAttribute.local_address: lambda: address,
            SocketAttribute.local_port: lambda: address[1],
        }

    async def accept(self) -> SocketStream:
        """Return the next connection; ClosedResourceError once the listener is closed."""
        try:
            transport, _ = await self._listener.accept()
        except ListenerClosed:
            raise anyio.ClosedResourceError from None
        sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        sock.setblocking(False)
        stand(sock, Stream(transport))
        with routed(self._vtun, tasks="own"):
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
        self._listener.close()
        await checkpoint()


async def create_tcp_listener(
    vtun: VTun, *, local_host: Host | None = None, local_port: int = 0, backlog: int = 128
) -> TCPListener:
    """Listen as `anyio.create_tcp_listener` does, on one address of `vtun` or on all; port 0 picks one."""
    host = "" if local_host is None else str(local_host)
    network = OverlayNetwork(vtun, **probing(vtun))
    return TCPListener(vtun, await network.listen_stream(host, local_port, backlog=backlog))
