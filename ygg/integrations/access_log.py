"""Who asked for what: a line for each request that an ASGI application has answered, with the caller's key.

The lines go to the logger `ygg.access`, at INFO, so a program turns them on by that name; nothing is done while they
are off. The address is the connection's, whatever headers say. What a caller sends is shown with everything but
printable ASCII escaped: no line can be made to look like two.
"""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger("ygg.access")
_is_enabled = logger.isEnabledFor

_LONGEST = 2048


class AccessLog:
    """An ASGI application that is `app`, and logs its requests.

    A line has the caller's address, the public key of its node in hex (`-` where it is not known), the method, the
    target, the HTTP version, the status, and the bytes of the answer's body: a WebSocket's are `GET`, with status 101
    once it is accepted. The key is that of the scope's `extensions["ygg"]["public_key"]`.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, WebSocket or lifespan."""
        if scope["type"] not in ("http", "websocket") or not _is_enabled(logging.INFO):
            await self._app(scope, receive, send)
            return
        answer, caller = _Answer(send), _caller(scope)  # of which headers may make something else below
        try:
            await self._app(scope, receive, answer.send)
        finally:
            _log(scope, caller, answer)


def _caller(scope: Any) -> tuple[str, str]:
    key = scope.get("extensions", {}).get("ygg", {}).get("public_key")
    return scope["client"][0] if scope.get("client") else "-", "-" if key is None else key.hex()


def _log(scope: Any, caller: tuple[str, str], answer: _Answer) -> None:
    logger.info(
        '%s %s "%s %s HTTP/%s" %s %d',
        *caller,
        _shown(scope.get("method", "GET").encode()),
        _shown(_target(scope)),
        scope.get("http_version", "1.1"),
        answer.status or "-",
        answer.size,
    )


class _Answer:
    """Notes what is sent."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self.status = 0
        self.size = 0

    async def send(self, message: Any) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            self.status = message["status"]
        elif message["type"] == "websocket.accept":
            self.status = 101
        elif message["type"] == "websocket.close" and not self.status:
            self.status = 403
        self.size += len(message.get("body") or b"")
        await self._send(message)


def _target(scope: Any) -> bytes:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string") or b""
    return path + b"?" + query if query else path


def _shown(sent: bytes) -> str:
    """Return what a caller has sent as one word; over HTTP/2 a method may be anything too."""
    return "".join(
        chr(byte) if 0x21 <= byte <= 0x7E and byte not in b'"\\' else f"\\x{byte:02x}" for byte in sent[:_LONGEST]
    )
