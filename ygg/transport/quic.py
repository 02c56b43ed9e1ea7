"""`quic://`: links over QUIC (protocol 0.5, QUIC)."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ygg.errors import MissingExtraError
from ygg.network.base import DIAL_TIMEOUT, Listener, Network, dial_addresses
from ygg.network.crowding import Grouping, most_crowded, networks_of
from ygg.network.interface import spell
from ygg.network.mailbox import Mailbox
from ygg.stream.tls.contexts import NodeCertificate
from ygg.transport.base import DialOptions, ListenOptions, Transport
from ygg.url import PeerURL

if TYPE_CHECKING:
    from aioquic.asyncio.server import QuicServer
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.connection import QuicConnection

    from ygg.transport.quicstream import QuicLink, QuicStream

IDLE_TIMEOUT = 60.0
"""Seconds after which a silent connection ends."""
MOST_UNOPENED = 64
"""Connections of a listener without a stream; the oldest in the most crowded place makes room. From the half on, who
comes must first show that it receives what is sent to its address (RFC 9000, section 8.1.2)."""


def require_aioquic() -> None:
    """Raise `MissingExtraError` when the `aioquic` package is not installed."""
    try:
        import aioquic.quic.connection  # noqa: F401
    except ImportError:
        raise MissingExtraError("quic:// needs the 'quic' extra: pip install ygg[quic]") from None


class QuicTransport(Transport):
    """One bidirectional stream of a QUIC connection, for reach rather than speed; needs the `quic` extra.

    No ALPN, no server name, no 0-RTT; certificates are shown and not verified, as with `tls://`.
    """

    schemes = ("quic",)

    def __init__(self, certificate: NodeCertificate) -> None:
        self._certificate = certificate

    @cached_property
    def _client(self) -> QuicConfiguration:
        return _configuration(is_client=True)

    @cached_property
    def _server(self) -> QuicConfiguration:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        from cryptography.x509 import load_pem_x509_certificate

        configuration = _configuration(is_client=False)
        configuration.certificate = load_pem_x509_certificate(self._certificate.certificate_pem)
        configuration.private_key = load_pem_private_key(self._certificate.private_key_pem, None)
        return configuration

    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        require_aioquic()
        port = url.require_port()

        async def attempt(address: str) -> asyncio.Transport:
            return await _dial(network, (address, port), self._client, options)

        return await dial_addresses(network, url.host, options.timeout, attempt)

    async def listen(self, network: Network, url: PeerURL, options: ListenOptions) -> Listener:
        require_aioquic()
        listener = QuicListener(self._server, options.backlog)
        await network.create_datagram_endpoint(
            lambda: listener.server,
            local_addr=(url.host, url.require_port()),
            source_interface=options.source_interface,
        )
        return listener


class QuicListener(Listener):
    """A datagram port and the connections that come to it.

    They share the port, so it stays taken until the listener is closed and the last of them has ended.
    """

    def __init__(self, configuration: QuicConfiguration, backlog: int, grouping: Grouping = networks_of) -> None:
        self._grouping = grouping
        self._ready: Mailbox[tuple[asyncio.Transport, str]] = Mailbox(backlog)
        self._unopened: dict[QuicLink, asyncio.TimerHandle] = {}
        self._links: set[QuicLink] = set()
        self._port: Any = None
        self._loop = asyncio.get_running_loop()
        self._released = asyncio.Event()
        self.server = _server(configuration, self)
        """The QUIC endpoint that accepts for it."""

    @property
    def address(self) -> str:
        return spell(self._port.get_extra_info("sockname"))

    async def accept(self) -> tuple[asyncio.Transport, str]:
        return await self._ready.get()

    def close(self) -> None:
        for stream, _ in self._ready.close():
            stream.abort()
        for link in list(self._unopened):
            link.discard()
        self._release()

    async def wait_closed(self) -> None:
        """Return when nothing more is accepted and, unless links that were accepted still use it, the port is free."""
        await self._released.wait()

    def is_closing(self) -> bool:
        return self._ready.closed

    # For the server

    @property
    def crowded(self) -> bool:
        """Whether half of the places for connections without a stream are taken."""
        return len(self._unopened) >= MOST_UNOPENED // 2

    def bound(self, transport: asyncio.DatagramTransport) -> None:
        """The port is there."""
        self._port = transport
        self._sockname = transport.get_extra_info("sockname")

    def lost(self) -> None:
        """The port is gone, and with it everything."""
        self.close()
        for link in list(self._links):
            link.connection_lost(None)
        self._released.set()

    def connection(self, quic: QuicConnection, **_: object) -> QuicLink:
        """Return what serves a new connection."""
        from ygg.transport.quicstream import QuicLink

        link = QuicLink(quic, self._sockname, self._gone)
        if len(self._unopened) >= MOST_UNOPENED:
            places = [(other, self._grouping(other.remote_host)) for other in self._unopened]
            most_crowded(places).discard()
        self._links.add(link)
        self._unopened[link] = self._loop.call_later(DIAL_TIMEOUT, link.discard)
        link.opened.add_done_callback(lambda opened: self._opened(link, opened))
        if self.is_closing():
            self._loop.call_soon(link.discard)
        return link

    def _opened(self, link: QuicLink, opened: asyncio.Future[QuicStream]) -> None:
        self._leave(link)
        if opened.cancelled() or opened.exception() is not None:
            return
        stream = opened.result()
        if not self._ready.offer((stream, spell(stream.get_extra_info("peername")))):
            stream.abort()

    def _leave(self, link: QuicLink) -> None:
        if timer := self._unopened.pop(link, None):
            timer.cancel()

    def _gone(self, link: QuicLink) -> None:
        self._leave(link)
        self._links.discard(link)
        self._release()

    def _release(self) -> None:
        if not self._ready.closed:
            return
        if self._links or self._port is None:
            self._released.set()
        else:
            self._port.close()


def _configuration(*, is_client: bool) -> QuicConfiguration:
    import ssl

    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.packet import QuicProtocolVersion

    return QuicConfiguration(
        is_client=is_client,
        idle_timeout=IDLE_TIMEOUT,
        supported_versions=[QuicProtocolVersion.VERSION_1],
        verify_mode=ssl.CERT_NONE,
    )


async def _dial(
    network: Network, address: tuple[str, int], configuration: QuicConfiguration, options: DialOptions
) -> asyncio.Transport:
    from aioquic.quic.connection import QuicConnection

    from ygg.transport.quicstream import Port, QuicLink, opening

    port: asyncio.DatagramTransport | None = None

    def gone(_: QuicLink) -> None:
        if port is not None:
            port.close()

    link = QuicLink(QuicConnection(configuration=configuration), (), gone)
    port, _ = await network.create_datagram_endpoint(
        lambda: link, remote_addr=address, source_interface=options.source_interface
    )
    link.attach(Port(port, connected=True), port.get_extra_info("sockname"))
    link.dial(port.get_extra_info("peername") or address)
    return await opening(link, options.timeout + network.dial_allowance)


def _server(configuration: QuicConfiguration, listener: QuicListener) -> QuicServer:
    from ygg.transport.quicserver import Server

    return Server(configuration, listener)
