"""The two ways to the one OpenSSL: through the ssl module, and past it.

A program's own `ssl.SSLContext` is followed in all it says. Links need little of what it can say and much of what it
costs: they are encrypted by `ygg_c.io.tls`, which calls the same library directly, wherever it can be reached.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from ygg_c.io.tls import Context, Tls

    AnyContext: TypeAlias = ssl.SSLContext | Context


class TLSObject(Protocol):
    """One side of one connection, without IO. What fails raises `ssl.SSLError`, but for reading, which notes it."""

    @property
    def unread(self) -> int:
        """Bytes fed and not yet decrypted."""

    @property
    def unsent_size(self) -> int:
        """Bytes that wait for `take`."""

    @property
    def failure(self) -> ssl.SSLError | None:
        """What ended reading, if it was not the other side's close_notify."""

    @property
    def ssl_object(self) -> Any:
        """What tells version, cipher and certificate, as an `ssl.SSLObject` does."""

    @property
    def sslcontext(self) -> AnyContext:
        """What it was made with."""

    def feed(self, data: bytes | memoryview) -> None:
        """Take ciphertext."""

    def handshake(self) -> bool:
        """Go on with the handshake; tell whether it is over."""

    def read_into(self, space: memoryview) -> tuple[int, bool]:
        """Decrypt into `space` until it is full or there is no more; return the size, and whether that was the end."""

    def encrypt(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt."""

    def close_notify(self) -> None:
        """Tell the other side that nothing comes any more."""

    def take(self) -> bytes:
        """Return the ciphertext to be sent."""


class _StandardTLS:
    """A connection of the ssl module's; a `TLSObject`."""

    def __init__(self, context: ssl.SSLContext, server_side: bool, server_hostname: str | None) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl_object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_hostname
        )
        self.failure: ssl.SSLError | None = None
        self._kept = bytearray()

    @property
    def sslcontext(self) -> ssl.SSLContext:
        return self.ssl_object.context

    @property
    def unread(self) -> int:
        return self._incoming.pending + len(self._kept)

    @property
    def unsent_size(self) -> int:
        return self._outgoing.pending

    def feed(self, data: bytes | memoryview) -> None:
        self._incoming.write(data)

    def handshake(self) -> bool:
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def read_into(self, space: memoryview) -> tuple[int, bool]:
        kept = min(len(self._kept), len(space))
        space[:kept] = self._kept[:kept]
        del self._kept[:kept]
        done, ended = self._decrypt(space[kept:])
        return kept + done, ended

    def _decrypt(self, space: memoryview) -> tuple[int, bool]:
        done = 0
        read: Any = self.ssl_object.read
        try:
            while done < len(space):
                size = read(len(space) - done, space[done:])
                if not size:
                    return done, True
                done += size
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            return done, True
        except ssl.SSLError as error:
            self.failure = error
            return done, True
        return done, False

    def encrypt(self, data: bytes | bytearray | memoryview) -> None:
        self.ssl_object.write(data)

    def close_notify(self) -> None:
        # Saying it, the ssl module looks for the other side's, and takes data before it for an error.
        space = memoryview(bytearray(65536))
        while size := self._decrypt(space)[0]:
            self._kept += space[:size]
        try:
            self.ssl_object.unwrap()
        except ssl.SSLError:
            pass  # it is said; what the other side says to it does not matter

    def take(self) -> bytes:
        return self._outgoing.read()


def tls_object(context: AnyContext, server_side: bool, server_hostname: str | None) -> TLSObject:
    """Return the side of a connection that `context` makes. Raises UnicodeError for a name that cannot be one."""
    if isinstance(context, ssl.SSLContext):
        return _StandardTLS(context, server_side, server_hostname)
    from ygg_c.io.tls import Tls

    if context.server != server_side:
        raise ValueError("the context is of the other side")
    return Tls(context, server_hostname)


def require_context(context: object) -> None:
    """Raise TypeError for what is no context of either kind."""
    kinds: tuple[type, ...] = (ssl.SSLContext,)
    try:
        from ygg_c.io.tls import Context
    except ImportError:
        pass
    else:
        kinds = (ssl.SSLContext, Context)
    if not isinstance(context, kinds):
        raise TypeError(f"sslcontext is expected to be an instance of ssl.SSLContext, got {context!r}")


def engine_of(tls: TLSObject) -> Tls | None:
    """Return what the engine can drive by itself of `tls`: itself, or nothing."""
    return None if isinstance(tls, _StandardTLS) else tls  # type: ignore[return-value]
