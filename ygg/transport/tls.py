"""`tls://`: TLS over TCP with the node's own self-signed certificate (protocol 0.5, TLS)."""

from __future__ import annotations

import asyncio
import re
import ssl
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING

from ygg.errors import TLSError, from_os_error
from ygg.network.base import DIAL_TIMEOUT, Listener, Network, dial_addresses
from ygg.stream.held import HoldingProtocol
from ygg.stream.tls.contexts import NodeCertificate, dialing_context, listening_context
from ygg.stream.tls.handshake import start_tls
from ygg.stream.tls.stream import tls_error
from ygg.transport.base import DialOptions, ListenOptions, Transport
from ygg.transport.upgrade import UpgradingListener
from ygg.url import PeerURL

_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")

if TYPE_CHECKING:
    from ygg.stream.tls.object import AnyContext


class TLSTransport(Transport):
    """TLS that encrypts and proves nothing: keys are proved by the link's handshake, inside.

    The listener speaks TLS 1.3 only, shows the node's certificate and asks for none; the dialer speaks 1.2 or 1.3 and
    accepts any certificate. No ALPN.
    """

    schemes = ("tls",)

    def __init__(self, certificate: NodeCertificate) -> None:
        self._certificate = certificate

    @cached_property
    def _client(self) -> AnyContext:
        return dialing_context()

    @cached_property
    def _server(self) -> AnyContext:
        return listening_context(self._certificate)

    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        port = url.require_port()
        name = server_name(url)

        async def attempt(address: str) -> asyncio.Transport:
            try:
                async with asyncio.timeout(options.timeout + network.dial_allowance):
                    transport = await network.connect_stream(
                        address, port, source_interface=options.source_interface, timeout=options.timeout
                    )
                    return await wrap(transport, self._client, server_hostname=name, timeout=options.timeout)
            except TimeoutError as error:
                raise from_os_error(error) from None

        return await dial_addresses(network, url.host, options.timeout, attempt)

    async def listen(self, network: Network, url: PeerURL, options: ListenOptions) -> Listener:
        port = url.require_port()
        base = await network.listen_stream(
            url.host, port, source_interface=options.source_interface, backlog=options.backlog
        )

        async def upgrade(transport: asyncio.Transport, remote: str) -> asyncio.Transport:
            return await wrap(transport, self._server, server_side=True, timeout=DIAL_TIMEOUT)

        return UpgradingListener(base, upgrade, DIAL_TIMEOUT)


async def wrap(
    transport: asyncio.Transport,
    context: AnyContext,
    *,
    server_side: bool = False,
    server_hostname: str | None = None,
    timeout: float = DIAL_TIMEOUT,
) -> asyncio.Transport:
    """Return the plain text of TLS over `transport`, held still, after a handshake of at most `timeout` seconds.

    Raises what `start_tls()` does as errors of links: `TLSError`, `ConnectTimeout` and other `YggError`s.
    """
    try:
        return await start_tls(
            transport,
            HoldingProtocol(),
            context,
            server_side=server_side,
            server_hostname=server_hostname,
            ssl_handshake_timeout=timeout,
        )
    except ssl.SSLError as error:
        raise tls_error(error) from None
    except OSError as error:
        raise from_os_error(error) from None
    except UnicodeError:
        raise TLSError(f"{server_hostname!r} cannot be a TLS server name") from None


def server_name(url: PeerURL) -> str | None:
    """Return the name to ask for: `sni`, else the host; never an address or a final dot (RFC 6066, section 3)."""
    for name in (url.options.sni, url.host):
        bare = name.rstrip(".")
        if bare and not _is_literal(bare):
            return bare
    return None


def _is_literal(host: str) -> bool:
    """Tell whether a host is an address: also in brackets, with a zone, or in a form that only `inet_aton()` reads."""
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return _NUMERIC.fullmatch(host.rpartition(".")[2]) is not None  # no name ends so (RFC 3696, section 2)
    return True
