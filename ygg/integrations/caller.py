"""Whose a request is: the key of the node that it came from, in the scope that an ASGI application is given."""

from __future__ import annotations

import weakref
from typing import Any

from ygg.vtun import VTun


class WithKeys:
    """An application whose scopes name the node that the request came from: `extensions["ygg"]["public_key"]`.

    It goes outside all that a server puts around the application, which may believe in headers.
    """

    def __init__(self, app: Any, vtun: VTun) -> None:
        self._app = app
        # What an application raises is logged with the frames that it has passed, this one among them: no VTun shall
        # live for as long as a log.
        self._vtun = weakref.ref(vtun)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, WebSocket or lifespan."""
        if client := scope.get("client"):
            scope.setdefault("extensions", {})["ygg"] = {"public_key": self._key_of(client[0])}
        await self._app(scope, receive, send)

    def _key_of(self, host: str) -> bytes | None:
        vtun = self._vtun()
        return None if vtun is None else vtun.key_of(host)
