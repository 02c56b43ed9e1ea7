"""A network behind a SOCKS5 proxy."""

import asyncio
from collections.abc import Callable

from ygg.errors import ConnectTimeout, OperationNotSupported, URLError
from ygg.network.base import Admit, Listener, Network, Watch
from ygg.network.socks import messages
from ygg.network.socks.exchange import run
from ygg.url import PeerURL

PROXY_TIMEOUT = 30.0
"""Seconds for a proxy to make a connection: some of them build circuits first."""


class SocksNetwork(Network):
    """Dials through the proxy at `socks5://[user:password@]host:port`, reached through `base`.

    Names are left to the proxy, so those only it knows (`.onion`, `.i2p`) work. There are no listeners and no
    datagrams.
    """

    def __init__(self, proxy: str | PeerURL, base: Network | None = None, *, timeout: float = PROXY_TIMEOUT) -> None:
        super().__init__()
        self._proxy = PeerURL.parse(proxy)
        if self._proxy.scheme not in ("socks5", "socks5h") or not self._proxy.host:
            raise URLError("a SOCKS proxy is written socks5://[user:password@]host:port")
        self._proxy.require_port()
        self.dial_allowance = timeout
        if base is None:
            from ygg.network.native.network import NativeNetwork

            base = NativeNetwork()
        self._base = base

    def watch(self, told: Callable[[], object]) -> Watch:
        return self._base.watch(told)

    async def _resolve(self, host: str) -> list[str]:
        return [host]

    async def _connect_stream(
        self, host: str, port: int, source_interface: str | None, timeout: float
    ) -> asyncio.Transport:
        """Dial `host` through the proxy.

        `timeout` is for reaching the proxy; the proxy has the network's own timeout to make the connection.
        """
        proxy = self._proxy
        exchange = messages.connect(host, port, proxy.username, proxy.password)
        transport = await self._base.connect_stream(
            proxy.host, proxy.require_port(), source_interface=source_interface, timeout=timeout
        )
        try:
            async with asyncio.timeout(self.dial_allowance):
                await run(transport, exchange)
        except TimeoutError:
            transport.abort()
            raise ConnectTimeout(f"proxy {proxy.location} did not answer") from None
        except BaseException:
            transport.abort()
            raise
        return transport

    async def _listen_stream(
        self, host: str, port: int, source_interface: str | None, backlog: int, admit: Admit
    ) -> Listener:
        raise OperationNotSupported("a SOCKS proxy has no listeners")
