"""`quic://`: links over QUIC (protocol 0.5, QUIC)."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING

from ygg.errors import MissingExtraError
from ygg.network.base import Listener, Network, dial_addresses
from ygg.stream.tls.contexts import NodeCertificate
from ygg.transport.base import DialOptions, ListenOptions, Transport
from ygg.url import PeerURL

if TYPE_CHECKING:
    from aioquic.quic.configuration import QuicConfiguration

IDLE_TIMEOUT = 60.0
"""Seconds after which a silent connection ends."""


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
        from ygg.transport.quic.dialing import dial

        port = url.require_port()

        async def attempt(address: str) -> asyncio.Transport:
            return await dial(network, (address, port), self._client, options)

        return await dial_addresses(network, url.host, options.timeout, attempt)

    async def listen(self, network: Network, url: PeerURL, options: ListenOptions) -> Listener:
        require_aioquic()
        from ygg.transport.quic.listener import QuicListener

        listener = QuicListener(self._server, options.backlog)
        await network.create_datagram_endpoint(
            lambda: listener.server,
            local_addr=(url.host, url.require_port()),
            source_interface=options.source_interface,
        )
        return listener


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
