"""The operating system's network."""

import asyncio
import socket
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import TypeVar

from ygg.errors import NoSuitableAddress, from_os_error
from ygg.network.addresses import common_family, unspecified
from ygg.network.base import Admit, Listener, Network, Watch, dial_addresses, is_suitable
from ygg.network.native.changes import NetworkChanges
from ygg.network.native.congestion import use_congestion
from ygg.network.native.connections import connect
from ygg.network.native.datagram import ConvertedErrors
from ygg.network.native.interface import choose_source
from ygg.network.native.listener import NativeListener, UnixListener
from ygg.network.native.resolver import resolve
from ygg.network.native.sockets import (
    bind_path,
    check_path,
    datagram_socket,
    dialing_socket,
    listening_socket,
    new_socket,
    wildcard,
)
from ygg.network.native.suspends import Suspends

D = TypeVar("D", bound=asyncio.DatagramProtocol)


class NativeNetwork(Network):
    """TCP, UDP and UNIX sockets of the operating system.

    Dials skip the addresses no peer can have: unspecified, multicast, and the overlay's own 200::/7. TCP keepalive
    probes are off: links have their own.

    `source_interface` is the interface dialed from where a dial names none. `source_addresses` are addresses of this
    machine to dial from, the first that has the destination's family and scope; where none has, the system chooses.
    With an interface too, only those that are its own count. `congestion` names the congestion control of its TCP
    connections (Linux), such as `bbr`.
    """

    def __init__(
        self,
        *,
        source_interface: str | None = None,
        source_addresses: Iterable[str] = (),
        address_filter: Callable[[str], bool] = is_suitable,
        congestion: str = "",
    ) -> None:
        super().__init__()
        self._congestion = congestion
        self._interface = source_interface
        self._hints = [ip_address(address) for address in source_addresses]
        self._filter = address_filter

    def watch(self, told: Callable[[], object]) -> Watch:
        return _MachineWatch(told)

    async def _resolve(self, host: str) -> list[str]:
        addresses = await resolve(host)
        if suitable := [address for address in addresses if self._filter(address)]:
            return suitable
        raise NoSuitableAddress

    async def _connect_stream(
        self, host: str, port: int, source_interface: str | None, timeout: float
    ) -> asyncio.Transport:

        async def attempt(address: str) -> asyncio.Transport:
            sock, sockaddr = dialing_socket(address, port, source_interface or self._interface, self._hints)
            self._prepare(sock)
            return await connect(sock, sockaddr, timeout)

        return await dial_addresses(self, host, timeout, attempt)

    def _prepare(self, sock: socket.socket) -> None:
        if not self._congestion:
            return
        try:
            use_congestion(sock, self._congestion)
        except OSError:
            sock.close()
            raise

    async def _listen_stream(
        self, host: str, port: int, source_interface: str | None, backlog: int, admit: Admit
    ) -> Listener:
        address = (await resolve(host))[0] if host else wildcard()
        try:
            sock = listening_socket(address, port, source_interface, backlog)
            self._prepare(sock)
            listener = NativeListener(sock, admit)
        except OSError as error:
            raise from_os_error(error) from None
        return listener

    async def _create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], D],
        local_addr: tuple[str, int] | None,
        remote_addr: tuple[str, int] | None,
        source_interface: str | None,
        admit: Admit,
    ) -> tuple[asyncio.DatagramTransport, D]:
        remotes = await self.resolve(remote_addr[0]) if remote_addr else []
        locals_ = await resolve(local_addr[0]) if local_addr and local_addr[0] else []
        source, target = common_family(locals_, remotes)
        # As for streams, the network's own interface is for dialing.
        interface = source_interface or (self._interface if remote_addr else None)
        try:
            if local_addr is None and target is not None:
                source = choose_source(interface, self._hints, target)
            elif source is None:
                source = wildcard() if target is None else str(unspecified(target))
            sock = datagram_socket(
                None if source is None else (source, local_addr[1] if local_addr else 0),
                None if target is None or remote_addr is None else (target, remote_addr[1]),
                interface,
            )
        except OSError as error:
            raise from_os_error(error) from None
        try:
            protocol = protocol_factory()
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: ConvertedErrors(protocol), sock=sock)
        except BaseException:
            sock.close()
            raise
        admit(transport)
        return transport, protocol

    async def _connect_path(self, path: str, timeout: float) -> asyncio.Transport:
        check_path(path)
        return await connect(new_socket(socket.AF_UNIX, socket.SOCK_STREAM), path, timeout)

    async def _listen_path(self, path: str, backlog: int, admit: Admit) -> Listener:
        check_path(path)
        sock = new_socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            bind_path(sock, path)
            sock.listen(backlog)
            listener = UnixListener(sock, admit, path)
        except OSError as error:
            sock.close()
            raise from_os_error(error) from None
        return listener


class _MachineWatch:
    """Tells of the machine's new addresses and routes, and that it goes on after it was suspended."""

    def __init__(self, told: Callable[[], object]) -> None:
        loop = asyncio.get_running_loop()
        self._changes = NetworkChanges(loop, told)
        self._suspends = Suspends(loop, told)

    def close(self) -> None:
        self._changes.close()
        self._suspends.close()
