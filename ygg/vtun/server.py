"""asyncio.AbstractServer over listeners of the stack."""

import asyncio
import logging
import socket
import ssl as ssl_module
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ygg.stream.held import HoldingProtocol, take_over
from ygg.stream.tls.handshake import start_tls
from ygg.vtun.addresses import endpoint
from ygg.vtun.registry import Registry
from ygg.vtun.sockets import OverlaySocket
from ygg.vtun.stream import StreamTransport
from ygg_c.socket.endpoint import CLOSED
from ygg_c.tcp.connection import TcpConnection
from ygg_c.tcp.listener import TcpListener

logger = logging.getLogger("ygg.vtun")

ProtocolFactory = Callable[[], asyncio.BaseProtocol]
"""Makes the protocol of each accepted connection."""

# `wait_closed` waits for the accepted connections too, where asyncio's own does.
_WAITS_FOR_CONNECTIONS = sys.version_info >= (3, 12)


@dataclass(frozen=True, slots=True)
class TLSOptions:
    """How accepted or dialed connections speak TLS."""

    context: ssl_module.SSLContext
    """The certificate and what else is configured."""
    handshake_timeout: float | None
    """Seconds; None for asyncio's own limit."""
    server_hostname: str | None = None
    """The server's name, to the client."""


class Server(asyncio.AbstractServer):
    """Listens on one or more addresses of a VTun. Made by `VTun.create_server` and `VTun.start_server`.

    A server that is not serving yet holds its ports, which refuse connections.
    """

    def __init__(
        self,
        listeners: Sequence[TcpListener],
        factory: ProtocolFactory,
        registry: Registry,
        tls_options: TLSOptions | None = None,
        reuse_port: bool = False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listeners = list(listeners)
        for listener in self._listeners:
            listener.listening = False
            listener.on_event = partial(self._on_event, listener)
        self._factory = factory
        self._registry = registry
        self._tls = tls_options
        self._sockets = tuple(OverlaySocket(listener, endpoint(*listener.local)) for listener in listeners)
        if reuse_port:
            for view in self._sockets:
                view.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._transports: dict[StreamTransport, None] = {}  # the oldest first
        self._handshakes: set[asyncio.Task[None]] = set()
        self._serving = False
        self._taking = True
        self._forever: asyncio.Future[None] | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self.on_closed: Callable[[], object] | None = None
        """Called when it is closed, by the VTun's end among others."""
        registry.add(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} sockets={self.sockets!r}>"

    # Accepting

    def _on_event(self, listener: TcpListener, events: int) -> None:
        while self._serving and self._taking and (connection := listener.accept()) is not None:
            self._accepted(connection)
        if events & CLOSED:
            self.close()

    def _accepted(self, connection: TcpConnection) -> None:
        try:
            protocol = HoldingProtocol() if self._tls is not None else self._factory()
            transport = StreamTransport(connection, protocol, self._registry, self._detach)
        except Exception as error:
            connection.abort()
            self._report(error)
            return
        self._transports[transport] = None
        transport.start()
        if self._tls is not None:
            task = self._loop.create_task(self._secure(transport, self._tls))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _secure(self, transport: StreamTransport, options: TLSOptions) -> None:
        try:
            secured = await start_tls(
                transport,
                HoldingProtocol(),
                options.context,
                server_side=True,
                ssl_handshake_timeout=options.handshake_timeout,
            )
        except OSError as error:
            logger.debug("TLS handshake with %s: %s", transport.get_extra_info("peername"), error)
            return
        try:
            take_over(secured, self._factory())
        except Exception as error:
            secured.abort()
            self._report(error)

    def _report(self, error: Exception) -> None:
        context = {"message": "Error on transport creation for incoming connection", "exception": error}
        self._loop.call_exception_handler(context)

    def _detach(self, transport: StreamTransport) -> None:
        self._transports.pop(transport, None)
        self._wake()

    @property
    def taking(self) -> bool:
        """Whether connections are accepted as they come; while False they wait in the backlogs of the listeners."""
        return self._taking

    @taking.setter
    def taking(self, taking: bool) -> None:
        self._taking = taking
        for listener in list(self._listeners):
            self._on_event(listener, 0)

    # asyncio.AbstractServer

    @property
    def sockets(self) -> tuple[OverlaySocket, ...]:
        """One view for each listener; `sockets[0].getsockname()` tells the port. Empty when closed."""
        return self._sockets if self._listeners else ()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def is_serving(self) -> bool:
        return self._serving

    def begin(self) -> None:
        """Accept connections from now on."""
        if not self._serving and self._listeners:
            self._serving = True
            for listener in self._listeners:
                listener.listening = True

    async def start_serving(self) -> None:
        if not self._listeners:
            raise RuntimeError(f"server {self!r} is closed")
        self.begin()

    async def serve_forever(self) -> None:
        if self._forever is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        await self.start_serving()
        self._forever = self._loop.create_future()
        try:
            await self._forever
        except asyncio.CancelledError:
            self.close()
            self.close_clients()  # as from Python 3.14 on: an idle one would not let the server end
            await self.wait_closed()
            raise
        finally:
            self._forever = None

    def close(self) -> None:
        """Stop listening. Connections accepted go on; those not yet accepted are reset."""
        listeners, self._listeners = self._listeners, []
        self._serving = False
        for listener in listeners:
            listener.on_event = None
            listener.close()
        for sock in self._sockets:
            sock.forget()
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()
        self._registry.discard(self)
        self._wake()
        told, self.on_closed = self.on_closed, None
        if told is not None:
            told()

    def close_clients(self) -> None:
        """Close the connections accepted, after what they still have to send."""
        for transport in list(self._transports):
            transport.close()

    def abort_clients(self) -> None:
        """Abort the connections accepted: reset them where something is unread or unsent, else end them."""
        for transport in list(self._transports):
            transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the server is closed (from Python 3.12 on also: until its connections are), as asyncio does."""
        if self._ended():
            return
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _ended(self) -> bool:
        return not self._listeners and not (_WAITS_FOR_CONNECTIONS and self._transports)

    def _wake(self) -> None:
        if self._ended():
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)

    # The VTun

    def shut(self, error: BaseException) -> None:
        """The VTun closes."""
        self.close()
