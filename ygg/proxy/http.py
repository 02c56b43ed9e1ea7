"""A forward of HTTP/1.1 that tells the server who the client is, and lets no client say it itself.

Theory of operation. h11 parses both sides and writes both sides anew, so that nothing passes whose bounds two parsers
could see in two places. One task serves one client's connection, request after request: requests sent ahead wait in
h11's buffer, whose reading is paused meanwhile. A server's connection is used again for the next request where that may
be repeated safely (no body, an idempotent method) and is repeated once on a new one where it was closed in between; all
other requests have a connection that is new. A change to WebSocket makes the two connections a `Pair`.

A client that is reset, or that resets what it is sent, ends the task, and with it the server's connection. The end of
its stream alone does not: what it has asked for is still answered.

HTTP/2 is not spoken on either side: its preface is refused, and `h2c` is not offered to the server.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from ygg.errors import MissingExtraError, ProxyError
from ygg.proxy import headers
from ygg.proxy.endpoints import Endpoint
from ygg.proxy.limits import Limits
from ygg.proxy.service import Arrival, Connection, Service
from ygg.proxy.sockets import pause, reset, resume
from ygg.stream.held import HoldingProtocol, take_over

try:
    import h11
except ImportError as error:
    raise MissingExtraError("HttpForward needs h11: pip install 'ygg[proxy]'") from error

MOST_HEAD = 32 * 1024
"""Bytes of the head of a request or response."""
MOST_WAITING = 64 * 1024
"""Bytes that are read ahead of what has been handled."""

_AGAIN = (b"GET", b"HEAD", b"OPTIONS", b"TRACE")
_TEXTS = {400: b"Bad Request", 431: b"Request Header Fields Too Large", 501: b"Not Implemented", 502: b"Bad Gateway",
          504: b"Gateway Timeout", 405: b"Method Not Allowed", 408: b"Request Timeout"}


class HttpForward(Service):
    """Joins HTTP/1.1 requests that come at `entrance` with the server at `target`.

    What a client says of itself (`X-Forwarded-For`, `Forwarded` and their like, also with `_` for `-`) is taken out,
    and the server is told `X-Forwarded-For`, `X-Forwarded-Proto`, `Forwarded` (RFC 7239) and, of a node whose key is
    known, `X-Ygg-Public-Key`, 64 hex digits. Bodies of any length pass at the pace of the slower side; WebSockets pass;
    other upgrades, CONNECT and HTTP/2 do not. Counters of its own: `requests`, `malformed` (answered with an error and
    closed), `unanswered` (no whole head in time), `upgraded`, `repeated`. It needs the extra `proxy`.
    """

    def __init__(
        self,
        entrance: Endpoint,
        target: Endpoint,
        limits: Limits | None = None,
        *,
        scheme: str = "http",
        allow: Iterable[str] | None = None,
    ) -> None:
        super().__init__(entrance, limits, allow=allow)
        self.target = target
        """Where the server is."""
        self.scheme = scheme
        """What the server is told that clients speak: https where TLS ends at the entrance."""

    async def _serve(self, connection: Connection) -> None:
        peer = connection.peer
        client = headers.Client(
            peer[0] if isinstance(peer, tuple) else "127.0.0.1",
            connection.public_key,
            self.scheme,
        )
        near = _Side(h11.SERVER, connection.transport, lambda: self.left(connection))
        take_over(connection.transport, near)
        exchange = _Exchange(self, connection, near, client)
        try:
            await exchange.run()
        finally:
            exchange.end()

    async def reach(self, connection: Connection) -> asyncio.Transport:
        """Return a new connection to the server, held still."""
        return await self._connect(connection, self.target)

    async def part(self, connection: Connection, ended: bool) -> None:
        """Close a client's connection once it has taken what was written, and no more comes of it."""
        await self._part(connection, ended=ended)


class _Lost(ProxyError):
    """The other side of a connection is gone."""

    text = "connection lost"


class _Side(asyncio.Protocol):
    """One connection, parsed."""

    def __init__(
        self, role: type[h11.CLIENT] | type[h11.SERVER], transport: asyncio.Transport,
        on_lost: Callable[[], object] = lambda: None,
    ) -> None:
        self.http = h11.Connection(role, MOST_HEAD)
        self.transport = transport
        self.lost = self.eof = False
        """Whether the connection is gone, and whether its stream has ended."""
        self.used = False
        """Whether a byte has come since the last request."""
        self._on_lost = on_lost
        self._waiting = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        pass

    def data_received(self, data: bytes) -> None:
        self.used = True
        self._feed(data)
        self._waiting += len(data)
        if self._waiting > MOST_WAITING:
            pause(self.transport)

    def eof_received(self) -> bool:
        self.eof = True
        self._feed(b"")
        return self.transport.can_write_eof()

    def _feed(self, data: bytes) -> None:
        with contextlib.suppress(RuntimeError):     # after its end
            self.http.receive_data(data)
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._changed.set()
        self._room.set()
        self._on_lost()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    async def event(self) -> Any:
        """Return the next event. Raises `_Lost`, and h11's RemoteProtocolError."""
        while True:
            self._changed.clear()
            found = self.http.next_event()
            if found is not h11.NEED_DATA:
                return found
            if self.lost:
                raise _Lost
            self._waiting = 0
            resume(self.transport)
            await self._changed.wait()

    async def send(self, event: Any) -> None:
        """Write an event, and wait for room."""
        self.write(event)
        if not self._room.is_set():
            await self._room.wait()

    def write(self, event: Any) -> None:
        """Write an event."""
        data = self.http.send(event)
        if self.lost or self.transport.is_closing():
            raise _Lost
        if data:
            self.transport.write(data)

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent."""
        return not self.lost and not self.transport.is_closing() and self.http.our_state is h11.DONE \
            and self.http.their_state is h11.DONE and not self.http.trailing_data[0]


class _Exchange:
    """The requests of one client's connection."""

    def __init__(self, forward: HttpForward, connection: Connection, near: _Side, client: headers.Client) -> None:
        self._forward, self._connection, self._near, self._client = forward, connection, near, client
        self._far: _Side | None = None
        self._body: asyncio.Task[None] | None = None

    def end(self) -> None:
        """Let go of the server's connection."""
        if self._body is not None:
            self._body.cancel()
        if self._far is not None and self._connection.pair is None:
            reset(self._far.transport)

    async def run(self) -> None:
        """Serve requests until the connection ends."""
        forward, near = self._forward, self._near
        while True:
            try:
                async with asyncio.timeout(forward.limits.request_timeout):
                    event = await near.event()
            except TimeoutError:
                forward.count("unanswered")
                if near.used:
                    await self._fail(408)
                else:
                    await forward.part(self._connection, near.eof)
                return
            except _Lost:
                return
            except h11.RemoteProtocolError as error:
                await self._fail(error.error_status_hint)
                return
            if not isinstance(event, h11.Request):
                await forward.part(self._connection, near.eof)
                return
            forward.count("requests")
            if not await self._request(event):
                return
            near.used = False
            near.http.start_next_cycle()

    async def _request(self, request: h11.Request) -> bool:
        """Serve one request; return whether another may follow."""
        near = self._near
        if sum(len(name) + len(value) for name, value in request.headers.raw_items()) + len(request.target) > MOST_HEAD:
            await self._fail(431)   # h11 has a bound for heads that are not whole alone
            return False
        try:
            made, upgrade = self._remade(request)
        except ProxyError:
            await self._fail(400 if request.method != b"CONNECT" else 405)
            return False
        try:
            response = await self._ask(request, made)
        except TimeoutError:
            await self._fail(504)
            return False
        except (OSError, h11.RemoteProtocolError, h11.LocalProtocolError):
            await self._fail(502)
            return False
        try:
            if response.status_code == 101:
                return self._upgrade(response, upgrade)
            await self._answer(response)
        except (_Lost, h11.RemoteProtocolError, h11.LocalProtocolError):
            return False    # in the midst of an answer: a reset tells the client that it is not whole
        if self._body is not None:
            if not self._body.done():
                self._body.cancel()     # answered before all of it was sent
                await asyncio.wait([self._body])
            self._body = None
        if near.http.our_state is h11.DONE and near.http.their_state is h11.DONE:
            return True
        await self._forward.part(self._connection, near.eof)
        return False

    def _remade(self, request: h11.Request) -> tuple[h11.Request, bytes | None]:
        """Return the request as the server gets it, and what it may be upgraded to."""
        fields = list(request.headers.raw_items())
        if request.method == b"CONNECT":
            raise ProxyError("CONNECT")
        upgrade = headers.upgrade_of(fields) if request.http_version >= b"1.1" else None
        target, fields = headers.target_and_host(request.target, fields)
        told = headers.request_fields(fields, self._client, upgrade=upgrade)
        if request.http_version < b"1.1":
            told = [(name, value) for name, value in told if name.lower() != b"expect"]
            if not any(name.lower() == b"host" for name, _ in told):
                told.append((b"Host", b"localhost"))
        try:
            return h11.Request(method=request.method, target=target, headers=told), upgrade
        except h11.LocalProtocolError as error:
            raise ProxyError(str(error)) from None

    async def _ask(self, request: h11.Request, made: h11.Request) -> Any:
        """Send the request and return the head of the final answer, or that of 101."""
        bodiless = headers.framing(list(request.headers)) is None
        again = request.method in _AGAIN and bodiless and headers.upgrade_of(list(made.headers)) is None
        far = self._far
        if far is not None and again and far.reusable:
            far.http.start_next_cycle()
            try:
                return await self._exchange(far, made)
            except (_Lost, h11.RemoteProtocolError):
                if far.used:
                    raise
                self._forward.count("repeated")
        if far is not None:
            reset(far.transport)
        transport = await self._forward.reach(self._connection)
        far = self._far = _Side(h11.CLIENT, transport)
        take_over(transport, far)
        return await self._exchange(far, made)

    async def _exchange(self, far: _Side, made: h11.Request) -> Any:
        far.used = False
        far.write(made)
        if self._body is None:
            self._body = asyncio.create_task(self._send_body(far))
        while True:
            event = await far.event()
            if isinstance(event, h11.InformationalResponse) and event.status_code != 101:
                if self._near.http.their_http_version == b"1.1":
                    fields = headers.response_fields(list(event.headers.raw_items()))
                    self._near.write(h11.InformationalResponse(
                        status_code=event.status_code, headers=fields, reason=event.reason))
                continue
            if isinstance(event, h11.ConnectionClosed):
                raise _Lost
            return event

    async def _send_body(self, far: _Side) -> None:
        """Pass the request's body on."""
        with contextlib.suppress(_Lost, h11.RemoteProtocolError, h11.LocalProtocolError):
            while True:
                event = await self._near.event()
                if isinstance(event, h11.Data):
                    self._connection.passed += len(event.data)
                    await far.send(h11.Data(data=event.data))
                elif isinstance(event, h11.EndOfMessage):
                    far.write(h11.EndOfMessage())   # without trailers, which could say who the client is
                    return
                else:   # paused: a change of protocol may come
                    return

    async def _answer(self, response: h11.Response) -> None:
        near, far = self._near, self._far
        assert far is not None
        fields = headers.response_fields(list(response.headers.raw_items()))
        if self._body is not None and not self._body.done() and near.http.their_state is not h11.DONE:
            fields.append((b"Connection", b"close"))
        near.write(h11.Response(status_code=response.status_code, headers=fields, reason=response.reason))
        while True:
            event = await far.event()
            if isinstance(event, h11.Data):
                self._connection.passed += len(event.data)
                await near.send(h11.Data(data=event.data))
            elif isinstance(event, h11.EndOfMessage):
                near.write(h11.EndOfMessage())
                return
            else:
                raise _Lost

    def _upgrade(self, response: Any, upgrade: bytes | None) -> bool:
        """Join both sides as they are from here on."""
        near, far = self._near, self._far
        assert far is not None
        if upgrade is None:
            raise _Lost
        fields = headers.response_fields(list(response.headers.raw_items()))
        fields += [(b"Connection", b"Upgrade"), (b"Upgrade", upgrade)]
        near.write(h11.InformationalResponse(status_code=101, headers=fields, reason=response.reason))
        self._forward.count("upgraded")
        for side, held in ((near, Arrival(self._forward, self._connection)), (far, HoldingProtocol())):
            side.transport.set_protocol(held)
            held.connection_made(side.transport)
            data, held.eof = side.http.trailing_data
            held.held += data
            held.lost = side.lost
        self._connection.join(far.transport)
        return False

    async def _fail(self, status: int) -> None:
        """Answer with an error, and close."""
        near = self._near
        self._forward.count("malformed" if status < 500 else "failed")
        text = _TEXTS.get(status, b"Error")
        fields = [(b"Content-Length", b"%d" % (len(text) + 1)), (b"Content-Type", b"text/plain"),
                  (b"Connection", b"close")]
        with contextlib.suppress(_Lost, h11.LocalProtocolError):
            near.write(h11.Response(status_code=status, headers=fields, reason=text))
            near.write(h11.Data(data=text + b"\n"))
            near.write(h11.EndOfMessage())
        await self._forward.part(self._connection, near.eof)
