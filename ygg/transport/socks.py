"""`socks://[user:password@]proxy:port/target:port` and `sockstls://`: TCP, and TLS, through a SOCKS5 proxy."""

import asyncio

from ygg.errors import URLError
from ygg.network.base import Network
from ygg.network.socks.network import SocksNetwork
from ygg.stream.tls.contexts import dialing_context
from ygg.transport.base import DialOptions, Transport
from ygg.transport.tls import server_name, wrap
from ygg.url import PeerURL


class SocksTransport(Transport):
    """Dials the target through the proxy that the URL names; the mapping is asked for the proxy's host.

    To send whole host patterns through a proxy, map them to a `SocksNetwork` instead.
    """

    schemes = ("socks", "sockstls")

    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        target = _target(url)
        transport = await SocksNetwork(url.with_scheme("socks5"), network).connect_stream(
            target.host, target.require_port(), source_interface=options.source_interface, timeout=options.timeout
        )
        if url.scheme != "sockstls":
            return transport
        # The name is the target's: what terminates TLS is the target, not the proxy.
        return await wrap(transport, dialing_context(), server_hostname=server_name(target), timeout=options.timeout)


def _target(url: PeerURL) -> PeerURL:
    """Return the URL of the first path component, with the options of `url`."""
    text = url.file.lstrip("/").partition("/")[0]
    try:
        target = PeerURL.parse(f"tls://{text}").with_query(url.query)
        target.require_port()
    except URLError as error:
        raise URLError(f"a socks URL is written socks://proxy:port/target:port: {error}") from None
    return target
