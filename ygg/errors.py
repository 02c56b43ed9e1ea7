"""Every error a caller of ygg can meet.

Each class derives from `YggError` and, where the standard library has a kin, from that too: code written for
sockets (`except ConnectionRefusedError`, `except TimeoutError`, `error.errno == errno.EADDRINUSE`) works unchanged.
The texts that the reference daemon shows for the same events are kept word for word, because people search for them.
"""

import errno
import socket
from typing import ClassVar

from ygg_c.base import forks


class YggError(Exception):
    """Base of every error raised by ygg; an instance made without a text carries the text of its class.

    ::

        YggError
        ├── URLError (ValueError)                     a malformed peer or listener URL
        │   ├── UnknownSchemeError                    no transport is registered for the scheme
        │   ├── PriorityError                         option `priority`
        │   ├── PinnedKeyError                        option `key`
        │   ├── PasswordError                         option `password`
        │   ├── BackoffError                          option `maxbackoff`
        │   ├── KeepaliveError                        option `keepalive`
        │   └── CongestionError                       option `congestion`
        ├── DurationError (ValueError)                not a duration such as "1h30m"
        ├── ConfigError (ValueError)                  a configuration that cannot be used
        │   └── KeyFormatError                        a key that is not one
        ├── MissingExtraError (ImportError)           an optional dependency is not installed
        ├── ForkedError (RuntimeError)                used in a child of the process it belongs to
        ├── PeerExistsError (ValueError)              the peer is configured already
        ├── PeerUnknownError (LookupError)            the peer is not configured
        ├── QueryTimeout (TimeoutError)               a node did not answer a request in time
        ├── AnswerError (ValueError)                  a node answered a request with nonsense
        ├── NetworkError (OSError)                    carries the `errno` a socket would give
        │   ├── ResolveError (socket.gaierror)        no such name
        │   │   └── TemporaryResolveError             the server that knows it does not answer now
        │   ├── NetworkDown                           ENETDOWN: down, closed
        │   ├── NetworkUnreachable                    ENETUNREACH
        │   │   ├── UnmappedHostError                 no network is mapped to the host
        │   │   └── NoPeerError                       no peer is up: there is no way to any node
        │   ├── HostUnreachable                       EHOSTUNREACH
        │   ├── NoSuitableAddress                     EADDRNOTAVAIL: all addresses of the peer are filtered out
        │   ├── AddressNotAvailable                   EADDRNOTAVAIL
        │   ├── AddressInUse                          EADDRINUSE
        │   ├── MessageTooBig                         EMSGSIZE
        │   ├── PathTooLong                           ENAMETOOLONG: of a UNIX socket
        │   ├── OperationNotSupported                 EOPNOTSUPP: this network or transport has no such thing
        │   ├── BlockedHostError (PermissionError)    EACCES: the host is mapped to None
        │   └── ConnectTimeout (TimeoutError)         ETIMEDOUT
        │       ├── TLSTimeout (ConnectionAbortedError)   the TLS handshake took too long
        │       ├── KeyUnknownError                   no lookup has told whose address it is
        │       └── NoPathError                       no lookup has told a path to the node
        └── LinkError (ConnectionError)               a connection that ended or never came to be
            ├── ConnectionRefused (ConnectionRefusedError)
            ├── ConnectionReset (ConnectionResetError)
            ├── ConnectionAborted (ConnectionAbortedError)
            │   └── ListenerClosed                    `accept()` on a closed listener
            ├── RemoteClosed                          the other side hung up
            ├── TLSError                              the TLS handshake failed
            ├── ProxyError                            a SOCKS proxy refused or spoke nonsense
            └── HandshakeError                        the peers do not suit each other
                ├── HandshakeTimeout (TimeoutError)
                ├── NotYggdrasilError                 wrong magic
                ├── HandshakeLengthError              lengths that do not add up
                ├── HandshakeKeyError                 no public key in the message
                ├── WrongPasswordError                signature does not fit the password
                ├── IncompatibleVersionError
                ├── SelfConnectionError               the remote key is our own
                ├── KeyNotPinnedError                 the remote key is none of the pinned ones
                └── KeyNotAllowedError                the remote key is not in AllowedPublicKeys
    """

    text: ClassVar[str] = "ygg error"
    """What the error says unless told otherwise."""

    def __init__(self, text: str | None = None) -> None:
        super().__init__(type(self).text if text is None else text)


class URLError(YggError, ValueError):
    """A peer or listener URL that cannot be used."""

    text = "malformed URL"


class UnknownSchemeError(URLError):
    """No transport is registered for the URL's scheme."""

    text = "link schema unknown"


class PriorityError(URLError):
    """The option `priority` is not a decimal number from 0 to 255."""

    text = "priority value is invalid"


class PinnedKeyError(URLError):
    """The option `key` is not 64 hex digits."""

    text = "pinned public key is invalid"


class PasswordError(URLError):
    """The option `password` is longer than 64 bytes, or is not percent-encoded where it must be."""

    text = "invalid password supplied"


class BackoffError(URLError):
    """The option `maxbackoff` is not a duration of at least five seconds."""

    text = "max backoff duration invalid"


class KeepaliveError(URLError):
    """The option `keepalive` is not zero and not a duration of at least a second."""

    text = "keepalive duration invalid"


class CongestionError(URLError):
    """The option `congestion` is no name that a congestion control can have."""

    text = "congestion control invalid"


class DurationError(YggError, ValueError):
    """Not a duration in Go's notation, such as `300ms` or `1h30m`."""

    text = "invalid duration"


class ConfigError(YggError, ValueError):
    """A configuration that cannot be used; the text names the setting, never a secret's value."""

    text = "invalid configuration"


class KeyFormatError(ConfigError):
    """Bytes or text that are not a key of the expected kind."""

    text = "invalid key"


class MissingExtraError(YggError, ImportError):
    """An optional dependency is not installed; the text names the extra that brings it."""

    text = "an optional dependency is not installed"


class ForkedError(YggError, RuntimeError):
    """A node, stack, session or TLS connection was used in a child of the process that made it."""

    text = "it belongs to the process that was forked: make a new one here"


forks.refusal = ForkedError


class PeerExistsError(YggError, ValueError):
    """A persistent peer is added twice."""

    text = "peer is already configured"


class PeerUnknownError(YggError, LookupError):
    """A peer to be removed is not there."""

    text = "peer is not configured"


class QueryTimeout(YggError, TimeoutError):
    """A node did not answer a request in time."""

    text = "request timed out"


class AnswerError(YggError, ValueError):
    """A node answered a request with something that is no answer."""

    text = "invalid answer"


class _ErrnoError(YggError, OSError):
    """Shared by the errors that carry the `errno` a socket would give."""

    code: ClassVar[int | None] = None
    """The `errno`."""

    def __init__(self, text: str | None = None) -> None:
        super().__init__(text)
        # Only errno is set: with strerror as well, OSError would print "[Errno N]" before the text.
        self.errno = type(self).code


class NetworkError(_ErrnoError):
    """A network could not do what was asked."""

    text = "network error"


class ResolveError(NetworkError, socket.gaierror):
    """A name has no address."""

    text = "no such host"
    code = int(socket.EAI_NONAME)


class TemporaryResolveError(ResolveError):
    """The server that knows a name does not answer now, or not with what can be used (`EAI_AGAIN`)."""

    text = "no name server answers"
    code = int(socket.EAI_AGAIN)


class NetworkDown(NetworkError):
    """The network is down or has been closed."""

    text = "network is down"
    code = errno.ENETDOWN


class NetworkUnreachable(NetworkError):
    """The network has no way to the address."""

    text = "network is unreachable"
    code = errno.ENETUNREACH


class UnmappedHostError(NetworkUnreachable):
    """No network is mapped to the host, and there is no default network."""

    text = "no network is mapped to the host"


class NoPeerError(NetworkUnreachable):
    """The node has no link to any peer."""

    text = "no peer is up"


class HostUnreachable(NetworkError):
    """No host answers at the address."""

    text = "no route to host"
    code = errno.EHOSTUNREACH


class NoSuitableAddress(NetworkError):
    """Every address of the peer is unspecified, multicast or inside the overlay."""

    text = "peer has no suitable addresses"
    code = errno.EADDRNOTAVAIL


class AddressNotAvailable(NetworkError):
    """The address to bind is not one of this network's."""

    text = "cannot assign requested address"
    code = errno.EADDRNOTAVAIL


class AddressInUse(NetworkError):
    """The address and port to bind are taken."""

    text = "address already in use"
    code = errno.EADDRINUSE


class MessageTooBig(NetworkError):
    """A datagram is larger than the network carries."""

    text = "message too long"
    code = errno.EMSGSIZE


class PathTooLong(NetworkError):
    """The path of a UNIX socket is longer than the system takes."""

    text = "path too long for a UNIX socket"
    code = errno.ENAMETOOLONG


class OperationNotSupported(NetworkError):
    """This network or transport has no such operation."""

    text = "operation not supported"
    code = errno.EOPNOTSUPP


class BlockedHostError(NetworkError, PermissionError):
    """The host is mapped to `None`."""

    text = "host is blocked"
    code = errno.EACCES


class ConnectTimeout(NetworkError, TimeoutError):
    """A dial did not finish in time."""

    text = "connection timed out"
    code = errno.ETIMEDOUT


class TLSTimeout(ConnectTimeout, ConnectionAbortedError):
    """A TLS handshake did not finish in time, which is a ConnectionAbortedError to asyncio."""

    text = "the TLS handshake takes too long"


class KeyUnknownError(ConnectTimeout):
    """No node has answered the lookup of an address, so that the key behind it is not known."""

    text = "the key of the address is not known: no answer to the lookup"


class NoPathError(ConnectTimeout):
    """No answer has come to the lookup of a path to a node whose key is known."""

    text = "no path to the node is known: no answer to the lookup"


class LinkError(_ErrnoError, ConnectionError):
    """A connection that ended or never came to be."""

    text = "connection failed"


class ConnectionRefused(LinkError, ConnectionRefusedError):
    """There is no listener at the address."""

    text = "connection refused"
    code = errno.ECONNREFUSED


class ConnectionReset(LinkError, ConnectionResetError):
    """The connection was reset."""

    text = "connection reset by peer"
    code = errno.ECONNRESET


class ConnectionAborted(LinkError, ConnectionAbortedError):
    """The connection was aborted on this side."""

    text = "connection aborted"
    code = errno.ECONNABORTED


class ListenerClosed(ConnectionAborted):
    """The listener is closed: it accepts nothing more."""

    text = "listener is closed"


class RemoteClosed(LinkError):
    """The other side hung up without an error."""

    text = "remote side closed the connection"


class TLSError(LinkError):
    """The TLS handshake failed."""

    text = "TLS handshake failed"


class ProxyError(LinkError):
    """A proxy refused the connection or did not speak its protocol."""

    text = "proxy error"


class HandshakeError(LinkError):
    """The version, key and password exchange that opens a link failed."""

    text = "handshake failed"


class HandshakeTimeout(HandshakeError, TimeoutError):
    """The exchange was not over within its deadline."""

    text = "handshake timed out"
    code = errno.ETIMEDOUT


class NotYggdrasilError(HandshakeError):
    """The remote side sent something else than a handshake."""

    text = "invalid handshake, remote side is not Yggdrasil"


class HandshakeLengthError(HandshakeError):
    """The lengths inside the message do not add up."""

    text = "invalid handshake length, possible version mismatch"


class HandshakeKeyError(HandshakeError):
    """The message has no public key."""

    text = "invalid hash length"


class WrongPasswordError(HandshakeError):
    """The signature does not fit the password."""

    text = "password does not match remote side"


class IncompatibleVersionError(HandshakeError):
    """The remote node speaks another version; raise it with a text that names both."""

    text = "remote node incompatible version"


class SelfConnectionError(HandshakeError):
    """The remote node is this node."""

    text = "node cannot connect to self"


class KeyNotPinnedError(HandshakeError):
    """The remote key is none of those the URL asks for."""

    text = "node public key that does not match pinned keys"


class KeyNotAllowedError(HandshakeError):
    """The remote key is not in AllowedPublicKeys; raise it with a text that names the key."""

    text = "node public key is not in AllowedPublicKeys"


_BY_ERRNO: dict[int, type[_ErrnoError]] = {
    kind.code: kind
    for kind in (
        NetworkDown,
        NetworkUnreachable,
        HostUnreachable,
        AddressNotAvailable,
        AddressInUse,
        MessageTooBig,
        PathTooLong,
        OperationNotSupported,
        ConnectTimeout,
        ConnectionRefused,
        ConnectionReset,
        ConnectionAborted,
    )
    if kind.code is not None
}


# Errors raised by libraries have a class but no errno.
_BY_CLASS: tuple[tuple[type[OSError], type[_ErrnoError]], ...] = (
    (socket.gaierror, ResolveError),
    (TimeoutError, ConnectTimeout),
    (ConnectionRefusedError, ConnectionRefused),
    (ConnectionAbortedError, ConnectionAborted),
    (ConnectionResetError, ConnectionReset),
    (BrokenPipeError, ConnectionReset),
    (ConnectionError, LinkError),
    (OSError, NetworkError),
)


def from_os_error(error: OSError) -> OSError:
    """Return the ygg error for `error`: itself if it is one, else the class that shares its `errno` or its kin."""
    if isinstance(error, YggError):
        return error
    kind = _BY_ERRNO.get(error.errno) if error.errno is not None else None
    if kind is None:
        kind = next(ours for theirs, ours in _BY_CLASS if isinstance(error, theirs))
    made = kind(error.strerror or str(error) or None)
    made.errno = made.errno or error.errno
    return made


def forget_frames(error: BaseException | None) -> None:
    """Take the frames that it has passed from an error that is dealt with, and from those it came of.

    A future keeps the error that it ended with, and the error keeps the frame that waited for the future: a cycle,
    whose sockets and TLS states would wait for the garbage collector, and that for each connection a stranger drops.
    """
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
