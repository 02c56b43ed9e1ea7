"""A network behind a SOCKS5 proxy."""

import asyncio
from typing import cast

from ygg.errors import ConnectTimeout, OperationNotSupported, ProxyError, URLError, YggError
from ygg.network.base import Admit, Listener, Network
from ygg.network.socks import messages
from ygg.stream.held import HoldingProtocol, take_over
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
                await _negotiate(transport, exchange)
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


async def _negotiate(transport: asyncio.Transport, exchange: messages.Exchange) -> None:
    """Run `exchange` over a held connection and hold it again; bytes that followed the reply are kept."""
    negotiation = _Negotiation(exchange)
    take_over(transport, negotiation)
    await negotiation.done
    held = HoldingProtocol()
    transport.set_protocol(held)
    held.connection_made(transport)
    held.held += negotiation.rest
    held.eof, held.lost = negotiation.eof, negotiation.lost


class _Negotiation(asyncio.Protocol):
    """Feeds an exchange with exactly what it asks for."""

    def __init__(self, exchange: messages.Exchange) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.rest = bytearray()
        self.eof = self.lost = False
        self._exchange = exchange
        self._wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._advance(None)

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while not self.done.done() and len(self.rest) >= self._wanted:
            taken = bytes(self.rest[: self._wanted])
            del self.rest[: self._wanted]
            self._advance(taken)

    def eof_received(self) -> bool:
        self.eof = True
        self._fail(ProxyError("proxy hung up"))
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._fail(ProxyError("proxy hung up"))

    def _advance(self, taken: bytes | None) -> None:
        try:
            data, self._wanted = next(self._exchange) if taken is None else self._exchange.send(taken)
        except StopIteration:
            if not self.done.done():
                self.done.set_result(None)
        except YggError as error:
            self._fail(error)
        else:
            if data and not self._transport.is_closing():
                self._transport.write(data)

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
