"""BlockingClient: `Client` for programs without an event loop."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, Self

from ygg.admin.client import READ_SIZE, REPLY_MAX, TIMEOUT, request_bytes, response_of
from ygg.admin.endpoint import Endpoint, default_endpoints
from ygg.admin.envelope import Objects
from ygg.admin.errors import AdminError
from ygg.errors import RemoteClosed


class BlockingClient:
    """Asks a daemon by its admin socket; use it as a context manager. Belongs to one thread at a time.

    Arguments as of `Client`. Its calls return when they are done, or raise `TimeoutError`.
    """

    def __init__(self, endpoint: Endpoint | str | None = None, *, timeout: float = TIMEOUT) -> None:
        if endpoint is None:
            self._places = default_endpoints()
        else:
            self._places = [endpoint if isinstance(endpoint, Endpoint) else Endpoint.parse(endpoint)]
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._objects = Objects(REPLY_MAX)
        self.endpoint: Endpoint = self._places[0]
        """Where the daemon is."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Connect, unless it is connected: `request()` would, and this tells beforehand whether that goes."""
        if self._socket is None:
            self._open()

    def close(self) -> None:
        """Hang up. Idempotent."""
        opened, self._socket = self._socket, None
        if opened is not None:
            opened.close()

    def request(self, command: str, /, **arguments: Any) -> Any:
        """Return the response to a command. Raises `AdminError`, `TimeoutError` and `OSError`."""
        try:
            return response_of(self._ask(command, arguments))
        except AdminError:
            raise
        except BaseException:
            self.close()  # an answer may come that no request is for
            raise

    def subscribe(self, *events: str, level: str = "info") -> Iterator[dict[str, Any]]:
        """Yield what happens to the node, as `Client.subscribe` does; without a limit in time."""
        try:
            response_of(self._ask("subscribe", {"events": ",".join(events), "level": level}))
            assert self._socket is not None
            self._socket.settimeout(None)
            while True:
                yield self._next(self._socket)
        except RemoteClosed:
            return
        finally:
            self.close()

    def _ask(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        opened = self._socket or self._open()
        opened.sendall(request_bytes(command, arguments, self.endpoint.token))
        return self._next(opened)

    def _next(self, opened: socket.socket) -> dict[str, Any]:
        while (found := self._objects.next()) is None:
            data = opened.recv(READ_SIZE)
            if not data:
                raise RemoteClosed
            self._objects.feed(data)
        return found

    def _open(self) -> socket.socket:
        errors: list[OSError] = []
        for place in self._places:
            try:
                self._socket = self._connected(place)
            except OSError as error:
                errors.append(error)
                continue
            self.endpoint = place
            self._objects = Objects(REPLY_MAX)
            return self._socket
        raise errors[0]

    def _connected(self, place: Endpoint) -> socket.socket:
        if not place.path:
            return socket.create_connection((place.host, place.port), self._timeout)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.settimeout(self._timeout)
            made.connect(place.socket_address)
        except BaseException:
            made.close()
            raise
        return made
