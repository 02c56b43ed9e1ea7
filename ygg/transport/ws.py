"""`ws://` and `wss://`: links that look like WebSocket traffic (protocol 0.5, WebSocket)."""

from __future__ import annotations

import asyncio
import fnmatch
import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, cast

from ygg.errors import LinkError, OperationNotSupported, URLError, from_os_error
from ygg.network.base import DIAL_TIMEOUT, Listener, Network, dial_addresses
from ygg.stream.held import HoldingProtocol
from ygg.stream.tls.contexts import NodeCertificate, dialing_context, listening_context
from ygg.stream.websocket import (
    MAX_FRAME,
    OPEN,
    POLICY_VIOLATION,
    SUBPROTOCOL,
    WebSocketTransport,
    require_websockets,
)
from ygg.transport.base import DialOptions, ListenOptions, Transport
from ygg.transport.quiet import QuietLogger
from ygg.transport.redirect import STATUSES, Redirected, target_of
from ygg.transport.tls import server_name, wrap
from ygg.transport.upgrade import UpgradingListener
from ygg.url import PeerURL

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.typing import Subprotocol

REQUEST_TIMEOUT = 10.0
"""Seconds a client has to send its request."""

HEALTH_PATHS = ("/health", "/healthz")
"""Paths answered with 200 and `OK`, for load balancers."""

_library_logger = QuietLogger(logging.getLogger("ygg.transport.websockets"))

_OUR_OPTIONS = {"key", "priority", "password", "maxbackoff", "sni", "origin", "keepalive", "congestion"}


class WSTransport(Transport):
    """WebSocket, binary messages, sub-protocol `ygg-ws`; needs the `ws` extra.

    `wss` listeners need the node's certificate; without one they are left to a reverse proxy in front of `ws`.

    With the option `keepalive` of its URL, a dialed or accepted link sends a ping frame at that interval (RFC 6455,
    5.5.2), which keeps proxies from taking an idle link for a dead one. A dial that a web server redirects raises
    `Redirected`, which `TransportManager.dial()` follows.
    """

    schemes = ("ws", "wss")

    def __init__(self, certificate: NodeCertificate | None = None) -> None:
        self._certificate = certificate

    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        require_websockets()
        port = url.require_port()

        async def attempt(address: str) -> asyncio.Transport:
            try:
                async with asyncio.timeout(options.timeout + network.dial_allowance):
                    carrier = await network.connect_stream(
                        address, port, source_interface=options.source_interface, timeout=options.timeout
                    )
                    if url.scheme == "wss":
                        carrier = await wrap(carrier, dialing_context(), server_hostname=server_name(url))
                    return _kept_alive(await _request(carrier, url), url)
            except TimeoutError as error:
                raise from_os_error(error) from None

        return await dial_addresses(network, url.host, options.timeout, attempt)

    async def listen(self, network: Network, url: PeerURL, options: ListenOptions) -> Listener:
        require_websockets()
        port = url.require_port()
        tls = None
        if url.scheme == "wss":
            if self._certificate is None:
                raise OperationNotSupported("WSS listener not supported, use WS listener behind reverse proxy instead")
            tls = listening_context(self._certificate)
        base = await network.listen_stream(
            url.host, port, source_interface=options.source_interface, backlog=options.backlog
        )

        async def upgrade(transport: asyncio.Transport, remote: str) -> asyncio.Transport:
            if tls is not None:
                transport = await wrap(transport, tls, server_side=True, timeout=DIAL_TIMEOUT)
            return _kept_alive(await _serve(transport, url.options.origins), url)

        return UpgradingListener(base, upgrade, REQUEST_TIMEOUT)


def _kept_alive(stream: WebSocketTransport, url: PeerURL) -> WebSocketTransport:
    stream.ping_every(url.options.keepalive)
    return stream


async def _request(carrier: asyncio.Transport, url: PeerURL) -> WebSocketTransport:
    """Open a WebSocket as its client."""
    from websockets.client import ClientProtocol
    from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
    from websockets.uri import parse_uri

    # Options meant for us, passwords among them, are none of the web server's business.
    resource = url.with_query((name, value) for name, value in url.query if name not in _OUR_OPTIONS)
    target = str(PeerURL("ws", "host", path=url.path or "/", query=resource.query))
    try:
        websocket = ClientProtocol(
            parse_uri(target),
            subprotocols=[cast("Subprotocol", SUBPROTOCOL)],
            max_size=(None, MAX_FRAME),
            logger=_library_logger,
        )
        request = websocket.connect()
        del request.headers["Host"]
        request.headers["Host"] = f"[{url.host}]" if ":" in url.host else url.host
        websocket.send_request(request)
        stream = _stream(carrier, websocket)
        stream.flush()
        await stream.opened
        if websocket.handshake_exc is not None:
            raise websocket.handshake_exc
    except InvalidStatus as error:
        carrier.abort()
        _follow(url, error.response)
        raise LinkError(f"WebSocket handshake failed: {error}") from None
    except InvalidURI as error:
        carrier.abort()
        raise URLError(str(error)) from None
    except (InvalidHandshake, EOFError) as error:
        carrier.abort()
        raise LinkError(f"WebSocket handshake failed: {error}") from None
    except BaseException:
        carrier.abort()
        raise
    return stream


def _follow(url: PeerURL, response: Response) -> None:
    """Raise `Redirected` for an answer that says where to go instead."""
    places = response.headers.get_all("Location")
    if response.status_code in STATUSES and places:
        raise Redirected(target_of(url, places[0])) from None


async def _serve(carrier: asyncio.Transport, origins: tuple[str, ...]) -> WebSocketTransport:
    """Open a WebSocket as its server, or answer as the web server it pretends to be and raise."""
    from websockets.exceptions import InvalidHandshake
    from websockets.server import ServerProtocol

    websocket = ServerProtocol(
        subprotocols=[cast("Subprotocol", SUBPROTOCOL)], max_size=(None, MAX_FRAME), logger=_library_logger
    )
    # A function given to the protocol would become a method of it, and that would keep it alive.
    websocket.select_subprotocol = _choose  # type: ignore[assignment]
    stream = _stream(carrier, websocket)
    try:
        await stream.opened
    except (InvalidHandshake, EOFError) as error:
        stream.abort()
        raise LinkError(f"WebSocket handshake failed: {error}") from None
    except BaseException:
        stream.abort()
        raise
    if websocket.parser_exc is not None:  # nonsense or the end came right behind the request
        stream.abort()
        raise LinkError(f"WebSocket handshake failed: {websocket.parser_exc}")
    request = cast("Request", stream.handshake)
    hosts, pages = request.headers.get_all("Host"), request.headers.get_all("Origin")
    if len(hosts) > 1 or len(pages) > 1:
        websocket.send_response(websocket.reject(400, "more than one Host or Origin\n"))
    elif request.path.partition("?")[0] in HEALTH_PATHS:
        websocket.send_response(websocket.reject(200, "OK"))
    elif pages and not _is_admitted(pages[0], hosts[0] if hosts else "", origins):
        websocket.send_response(websocket.reject(403, "origin not allowed\n"))
    else:
        websocket.send_response(websocket.accept(request))
    stream.flush()
    if websocket.state == OPEN and websocket.subprotocol == SUBPROTOCOL:
        return stream
    stream.close(POLICY_VIOLATION, f"client must speak the {SUBPROTOCOL} subprotocol")
    raise LinkError(f"request for {request.path[:100]!r} is no link")


def _choose(offered: Collection[Subprotocol]) -> Subprotocol | None:
    """Return our subprotocol if a client offers it."""
    return next((name for name in offered if name == SUBPROTOCOL), None)


def _stream(carrier: asyncio.Transport, websocket: object) -> WebSocketTransport:
    holding = HoldingProtocol()
    stream = WebSocketTransport(carrier, websocket, holding)  # type: ignore[arg-type]
    holding.transport = stream
    stream.start()
    return stream


def _is_admitted(origin: str, host: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a browser's page at `origin` may connect: its host is ours, or matches a pattern."""
    scheme, _, origin_host = origin.lower().rpartition("://")
    if origin_host == host.lower():
        return True
    return any(
        fnmatch.fnmatchcase(f"{scheme}://{origin_host}" if "://" in pattern else origin_host, pattern.lower())
        for pattern in patterns
    )
