"""A server for blocking programs: each connection has a thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Self

from ygg.blocking.runner import LoopThread
from ygg.blocking.stream import BlockingStream
from ygg.vtun.server import Server

Handler = Callable[[BlockingStream], object]
"""Called with each connection, in a thread of its own; the connection is closed when it returns."""

ENDING = 5.0
"""Seconds that handlers have to return when the server is closed and their connections have been aborted."""

log = logging.getLogger("ygg.blocking")


class BlockingServer:
    """Accepts connections on a port of the overlay until it is closed."""

    def __init__(self, thread: LoopThread, handler: Handler, most: int) -> None:
        """Have `handler` called, for `most` connections at once; those beyond are aborted."""
        self._thread = thread
        self._handler = handler
        self._most = most
        self._server: Server | None = None
        self._closed = False
        self._handling: dict[threading.Thread, BlockingStream] = {}

    def attach(self, server: Server) -> None:
        """Be the front of `server`, whose connections are given to `connected`."""
        self._server = server

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection; called in the loop."""
        if self._closed or len(self._handling) >= self._most:
            writer.transport.abort()
            return
        stream = BlockingStream(self._thread, reader, writer)
        thread = threading.Thread(target=self._handle, args=(stream,), name="ygg connection", daemon=True)
        self._handling[thread] = stream
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more
            del self._handling[thread]
            writer.transport.abort()
            log.error("A connection was aborted, for there is no thread for it: %s", error)

    def _handle(self, stream: BlockingStream) -> None:
        try:
            with stream:
                self._handler(stream)
        except (OSError, EOFError) as error:
            log.debug("A connection ended: %s", error)
        except Exception:
            log.exception("The handler of a connection failed")
        finally:
            self._handling.pop(threading.current_thread(), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None or not self._server.sockets:
            raise ValueError("the server is closed")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        """Listen no more, abort what is connected, and wait for the handlers to return. Idempotent."""
        server, self._server = self._server, None
        self._closed = True
        if server is not None and self._thread.running:
            self._thread.call(server.close)
        handling = dict(self._handling)
        for stream in handling.values():
            stream.abort()
        for thread in handling:
            if thread is not threading.current_thread():
                thread.join(ENDING)
                if thread.is_alive():
                    log.warning("The handler of a connection goes on after the server's end")
