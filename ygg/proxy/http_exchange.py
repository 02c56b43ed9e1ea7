"""The requests of one client's connection of HTTP/1.1, and the connections to servers that answer them.

Theory of operation. h11 parses both sides and writes both sides anew, so that nothing passes whose bounds two parsers
could see in two places. One task serves one client's connection, request after request: requests sent ahead wait in
h11's buffer, whose reading is paused meanwhile. A server's connection is used again for the next request where that may
be repeated safely (no body, an idempotent method) and is repeated once on a new one where it was closed in between; all
other requests have a connection that is new. A change to WebSocket makes the two connections a `Pair`.

A client that is reset, or that resets what it is sent, ends the task, and with it the server's connection. The end of
its stream alone does not: what it has asked for is still answered.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any, Protocol, cast

from ygg.errors import BlockedHostError, ProxyError
from ygg.proxy import headers
from ygg.proxy.http_side import MOST_HEAD, Lost, Side, h11
from ygg.proxy.limits import Limits
from ygg.proxy.service import Arrival, Connection, Service
from ygg.proxy.sockets import reset
from ygg.stream.held import HoldingProtocol, take_over

__all__ = ["Exchange", "HttpService", "Lost", "Rejected", "Remade", "Side", "Where", "h11", "request_of"]

_AGAIN = (b"GET", b"HEAD", b"OPTIONS", b"TRACE")
_TEXTS = {400: b"Bad Request", 431: b"Request Header Fields Too Large", 501: b"Not Implemented", 502: b"Bad Gateway",
          504: b"Gateway Timeout", 405: b"Method Not Allowed", 403: b"Forbidden",
          407: b"Proxy Authentication Required", 408: b"Request Timeout"}


def request_of(request: h11.Request, target: bytes, told: headers.Fields) -> h11.Request:
    """Return a request with another target and other fields. Raises `ProxyError`."""
    if request.http_version < b"1.1":
        told = [(name, value) for name, value in told if name.lower() != b"expect"]
        if not any(name.lower() == b"host" for name, _ in told):
            told.append((b"Host", b"localhost"))
    try:
        return h11.Request(method=request.method, target=target, headers=told)
    except h11.LocalProtocolError as error:
        raise ProxyError(str(error)) from None


Where = tuple[str, int]
"""Host and port of a server."""


@dataclass(frozen=True, slots=True)
class Remade:
    """A request as it is passed on."""

    request: h11.Request | None
    """What the server gets; None where the client wants to speak to it itself (CONNECT)."""
    upgrade: bytes | None = None
    """What the connection may change to."""
    where: Where | None = None
    """The server, where the client says it."""


class HttpService(Protocol):
    """What an exchange asks of the service that it is one of."""

    limits: Limits

    def count(self, name: str) -> None:
        """Count something."""

    def left(self, connection: Connection) -> None:
        """The client has gone."""

    def remade(self, request: h11.Request, client: headers.Client) -> Remade:
        """Return a request as it is passed on. Raises `ProxyError`."""

    async def connect_to(self, connection: Connection, where: Where | None) -> asyncio.Transport:
        """Return a new connection to a server, held still. Raises an OSError."""

    async def part(self, connection: Connection, ended: bool) -> None:
        """Close a client's connection."""


class Rejected(ProxyError):
    """A request that is answered with another status than 400."""

    text = "request rejected"

    def __init__(self, status: int, *fields: tuple[bytes, bytes]) -> None:
        super().__init__(f"status {status}")
        self.status, self.fields = status, fields
        """What it is answered with."""


class Exchange:
    """The requests of one client's connection."""

    def __init__(
        self, forward: HttpService, connection: Connection, near: Side, client: headers.Client
    ) -> None:
        self._where: Where | None = None
        self._forward, self._connection, self._near, self._client = forward, connection, near, client
        self._far: Side | None = None
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
            except Lost:
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
            remade = self._forward.remade(request, self._client)
        except Rejected as error:
            await self._fail(error.status, *error.fields)
            return False
        except ProxyError:
            await self._fail(400)
            return False
        try:
            if remade.request is None:
                return await self._tunnel(remade.where)
            response = await self._ask(request, remade.request, remade.where)
        except TimeoutError:
            await self._fail(504)
            return False
        except BlockedHostError:
            await self._fail(403)
            return False
        except (OSError, h11.RemoteProtocolError, h11.LocalProtocolError):
            await self._fail(502)
            return False
        try:
            if response.status_code == 101:
                return self._upgrade(response, remade.upgrade)
            await self._answer(response)
        except (Lost, h11.RemoteProtocolError, h11.LocalProtocolError):
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

    async def _ask(self, request: h11.Request, made: h11.Request, where: Where | None) -> Any:
        """Send the request and return the head of the final answer, or that of 101."""
        bodiless = headers.framing(list(request.headers)) is None
        again = request.method in _AGAIN and bodiless and headers.upgrade_of(list(made.headers)) is None
        far = self._far
        if far is not None and again and far.reusable and where == self._where:
            far.http.start_next_cycle()
            try:
                return await self._exchange(far, made)
            except (Lost, h11.RemoteProtocolError):
                if far.used:
                    raise
                self._forward.count("repeated")
        if far is not None:
            reset(far.transport)
            self._far = None
        transport = await self._forward.connect_to(self._connection, where)
        self._where = where
        far = self._far = Side(h11.CLIENT, transport)
        take_over(transport, far)
        return await self._exchange(far, made)

    async def _exchange(self, far: Side, made: h11.Request) -> Any:
        far.used = False
        far.write(made)
        if self._body is None:
            self._body = asyncio.create_task(self._send_body(far))
        while True:
            event = await far.event()
            if isinstance(event, h11.InformationalResponse) and event.status_code != 101:
                if self._near.http.their_http_version == b"1.1":
                    fields = headers.response_fields(list(event.headers.raw_items()))
                    await self._near.send(h11.InformationalResponse(
                        status_code=event.status_code, headers=fields, reason=event.reason))
                continue
            if isinstance(event, h11.ConnectionClosed):
                raise Lost
            return event

    async def _send_body(self, far: Side) -> None:
        """Pass the request's body on."""
        with contextlib.suppress(Lost, h11.RemoteProtocolError, h11.LocalProtocolError):
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
                await near.send(h11.EndOfMessage())     # waits: answers without bodies take room as well
                return
            else:
                raise Lost

    def _upgrade(self, response: Any, upgrade: bytes | None) -> bool:
        """Join both sides as they are from here on."""
        near, far = self._near, self._far
        assert far is not None
        if upgrade is None:
            raise Lost
        fields = headers.response_fields(list(response.headers.raw_items()))
        fields += [(b"Connection", b"Upgrade"), (b"Upgrade", upgrade)]
        near.write(h11.InformationalResponse(status_code=101, headers=fields, reason=response.reason))
        self._forward.count("upgraded")
        _hold(near, Arrival(cast(Service, self._forward), self._connection))
        _hold(far, HoldingProtocol())
        self._connection.join(far.transport)
        return False

    async def _tunnel(self, where: Where | None) -> bool:
        """Join the client with a server as both are, and tell it so (RFC 9110, 9.3.6)."""
        near = self._near
        if self._far is not None:
            reset(self._far.transport)
            self._far = None
        await near.event()  # the end of the request, which has no body
        transport = await self._forward.connect_to(self._connection, where)
        try:
            near.write(h11.Response(status_code=200, headers=[], reason=b"Connection established"))
        except Lost:
            reset(transport)
            return False
        self._forward.count("tunnels")
        _hold(near, Arrival(cast(Service, self._forward), self._connection))
        self._connection.join(transport)
        return False

    async def _fail(self, status: int, *more: tuple[bytes, bytes]) -> None:
        """Answer with an error, and close."""
        near = self._near
        self._forward.count("malformed" if status < 500 else "failed")
        text = _TEXTS.get(status, b"Error")
        fields = [(b"Content-Length", b"%d" % (len(text) + 1)), (b"Content-Type", b"text/plain"),
                  (b"Connection", b"close"), *more]
        with contextlib.suppress(Lost, h11.LocalProtocolError):
            near.write(h11.Response(status_code=status, headers=fields, reason=text))
            near.write(h11.Data(data=text + b"\n"))
            near.write(h11.EndOfMessage())
        await self._forward.part(self._connection, near.eof)


def _hold(side: Side, held: HoldingProtocol) -> None:
    """Hold a connection still again, with what h11 has not parsed."""
    side.transport.set_protocol(held)
    held.connection_made(side.transport)
    data, held.eof = side.http.trailing_data
    held.held += data
    held.lost = side.lost
