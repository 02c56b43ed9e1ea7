"""Options of TCP connections. `ConnectionOptions` is the one table of them.

From it come the keyword arguments of `VTun`, `create_connection`, `create_server` and their like (`OptionArguments`
names their types), the attributes of `vtun.options` and of `transport.get_extra_info("options")`, and what socket views
take by `setsockopt`.
"""

import errno
import operator
import socket
import struct
from collections.abc import Sequence
from typing import Any, Generic, Literal, Self, TypedDict, TypeVar, overload

from ygg.vtun.addresses import failure
from ygg_c.tcp.congestion.registry import algorithms
from ygg_c.tcp.connection import TcpConnection
from ygg_c.tcp.options import TcpOptions

Ecn = Literal["off", "on", "when asked"]
"""What a connection does about explicit congestion notification, as Linux's `tcp_ecn` 0, 1 and 2."""

Target = TcpOptions | TcpConnection
"""Where options are: what connections begin with, or a connection."""

_T = TypeVar("_T")
_Raw = int | bytes

_SECOND = 10**9
_ECN: tuple[Ecn, ...] = ("off", "on", "when asked")


class OptionArguments(TypedDict, total=False):
    """The options as keyword arguments, see `ConnectionOptions`; those that are left out are as the VTun has them."""

    nodelay: bool
    """Without Nagle's algorithm."""
    cork: bool
    """Full segments only."""
    quick_ack: bool
    """No acknowledgement is delayed."""
    keepalive: bool
    """An idle connection is probed."""
    keepalive_idle: float
    """Seconds before the first probe."""
    keepalive_interval: float
    """Seconds between probes."""
    keepalive_count: int
    """Probes without an answer."""
    user_timeout: float | None
    """Seconds that data may stay unacknowledged."""
    linger: float | None
    """Seconds that a closed connection may take."""
    send_buffer: int | None
    """Bytes that may be queued."""
    receive_buffer: int | None
    """Bytes that may be unread."""
    unsent: int | None
    """Bytes that may be queued and not sent."""
    max_segment: int | None
    """Bytes of data in a segment."""
    congestion: str | None
    """Congestion control."""
    ecn: Ecn | None
    """Explicit congestion notification."""


class Option(Generic[_T]):
    """One option, a row of the table; as an attribute of `ConnectionOptions` it is read and set.

    `constant` names the socket option that it is, None: there is none. `living`: connections that are open can be told.
    """

    name = ""
    """Of the attribute, and the keyword argument."""

    def __init__(self, meaning: str, attribute: str, constant: str | None, *, living: bool = True) -> None:
        self.__doc__ = meaning
        self.meaning = meaning
        """What it is, in words."""
        self.attribute = attribute
        """Its name in `TcpOptions` and `TcpConnection`."""
        self.constant = constant
        """The socket option's name in the standard library; None: there is none."""
        self.living = living
        """Whether open connections can be told."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, options: None, owner: type) -> Self: ...
    @overload
    def __get__(self, options: "ConnectionOptions", owner: type) -> _T: ...
    def __get__(self, options: "ConnectionOptions | None", owner: type) -> Self | _T:
        return self if options is None else self.read(options.target)

    def __set__(self, options: "ConnectionOptions", value: _T) -> None:
        self.check(value)
        if isinstance(options.target, TcpConnection) and not self.living:
            raise failure(errno.EISCONN, f"{self.name} is settled when a connection is opened")
        self.write(options.target, value)

    @property
    def values(self) -> str:
        """What it takes, in words."""
        raise NotImplementedError

    @property
    def key(self) -> tuple[int, int] | None:
        """The level and number of the socket option; None: there is none, or this system has no name for it."""
        if self.constant is None or not hasattr(socket, self.constant):
            return None
        level = socket.SOL_SOCKET if self.constant.startswith("SO_") else socket.IPPROTO_TCP
        return level, getattr(socket, self.constant)

    def fits(self, value: Any) -> bool:
        """Whether the option takes this value."""
        raise NotImplementedError

    def check(self, value: Any) -> None:
        """Raise ValueError, which names the option and its values, for one that it does not take."""
        if not self.fits(value):
            raise ValueError(f"{self.name} is {self.values}, not {value!r}")

    def read(self, target: Target) -> _T:
        """Return the value that holds."""
        value: _T = getattr(target, self.attribute)
        return value

    def write(self, target: Target, value: _T) -> None:
        """Set a value that fits."""
        setattr(target, self.attribute, value)

    # As a socket has it

    def shown(self, target: Target) -> _Raw:
        """Return what `getsockopt` does."""
        raise NotImplementedError

    def meant(self, raw: _Raw) -> _T:
        """Return the value that was given to `setsockopt`."""
        raise NotImplementedError


class Flag(Option[bool]):
    """On or off."""

    values = "True or False"

    def fits(self, value: Any) -> bool:
        return isinstance(value, bool)

    def shown(self, target: Target) -> int:
        return int(self.read(target))

    def meant(self, raw: _Raw) -> bool:
        return bool(c_int(raw))


class KeepaliveFlag(Flag):
    """Keepalive, whose times hold while it is off, too."""

    def read(self, target: Target) -> bool:
        return target.keepalive is not None

    def write(self, target: Target, value: bool) -> None:
        target.keepalive = target.keepalive_times if value else None


class Number(Option[_T]):
    """A number in a range, in some unit. `none`: what None means, where it may be None.

    The engine has `factor` of its units in one of these, a socket option `socket_factor`. `place`: in a tuple of the
    engine's. `off`: what the engine has for None. `tunes`: None cannot come back on a living connection.
    """

    def __init__(
        self, meaning: str, attribute: str, constant: str | None, least: float, most: float, unit: str = "",
        *, none: str = "", off: int | None = None, factor: int = 1, socket_factor: int = 1, place: int | None = None,
        tunes: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(meaning, attribute, constant)
        self.least = least
        """The least value, in the option's unit."""
        self.most = most
        """The largest value."""
        self._unit, self._none, self._off = unit, none, off
        self._factor, self._socket_factor, self._place, self._tunes = factor, socket_factor, place, tunes

    @property
    def values(self) -> str:
        span = f"{self.least} to {self.most} {self._unit}".strip()
        return f"{span}, or None ({self._none})" if self._none else span

    def fits(self, value: Any) -> bool:
        if value is None:
            return bool(self._none)
        kinds = int if self._factor == 1 else (int, float)
        return isinstance(value, kinds) and not isinstance(value, bool) and self.least <= value <= self.most

    def read(self, target: Target) -> _T:
        value = getattr(target, self.attribute)
        if self._place is not None:
            value = value[self._place]
        if self._none and value == self._off:
            return None  # type: ignore[return-value]
        return value // self._factor if value % self._factor == 0 else value / self._factor  # type: ignore[no-any-return]

    def write(self, target: Target, value: _T) -> None:
        if value is None and self._tunes and isinstance(target, TcpConnection):
            raise ValueError(f"{self.name} of an open connection cannot become None again")
        engine = self._off if value is None else round(value * self._factor)  # type: ignore[operator]
        if self._place is not None:
            times = list(getattr(target, self.attribute))
            times[self._place] = engine
            setattr(target, self.attribute, tuple(times))
        else:
            setattr(target, self.attribute, engine)

    def shown(self, target: Target) -> _Raw:
        value: Any = self.read(target)
        return 0 if value is None else round(value * self._socket_factor)

    def meant(self, raw: _Raw) -> _T:
        number = c_int(raw)
        if number == 0 and self._none:
            return None  # type: ignore[return-value]
        return number if self._socket_factor == 1 else number / self._socket_factor  # type: ignore[return-value]


class Buffer(Number[int | None]):
    """A size that tunes itself until it is set. As with a kernel, a socket option beyond the range means its end."""

    def shown(self, target: Target) -> int:
        return self.read(target) or 0

    def meant(self, raw: _Raw) -> int:
        return int(min(max(c_int(raw), self.least), self.most))


class Segment(Number[int | None]):
    """The largest segment; the socket option tells what holds on a connection, whatever has decided it."""

    def shown(self, target: Target) -> int:
        return int(target.info()["mss"]) if isinstance(target, TcpConnection) else target.mss_limit or 0


class Linger(Number[float | None]):
    """SO_LINGER, as a struct of two ints."""

    def shown(self, target: Target) -> bytes:
        seconds = self.read(target)
        return struct.pack("ii", seconds is not None, round(seconds or 0))

    def meant(self, raw: _Raw) -> float | None:
        if not isinstance(raw, bytes) or len(raw) < 8:
            raise failure(errno.EINVAL, "SO_LINGER takes a struct of two ints")
        on, seconds = struct.unpack("ii", raw[:8])
        return seconds if on and seconds >= 0 else None


class Choice(Option[_T]):
    """One of several names, or None: as the stack has it."""

    def __init__(
        self, meaning: str, attribute: str, constant: str | None, names: Sequence[str], *, living: bool = True
    ) -> None:
        super().__init__(meaning, attribute, constant, living=living)
        self.names = names
        """Those that it takes."""

    @property
    def values(self) -> str:
        return f"{', '.join(map(repr, self.names))} or None (as the stack)"

    def fits(self, value: Any) -> bool:
        return value is None or value in self.names


class Algorithm(Choice[str | None]):
    """Congestion control by name."""

    def write(self, target: Target, value: str | None) -> None:
        if value is None and isinstance(target, TcpConnection):
            raise ValueError(f"{self.name} of an open connection cannot become None again")
        super().write(target, value)

    def shown(self, target: Target) -> bytes:
        return (self.read(target) or "").encode()

    def meant(self, raw: _Raw) -> str:
        if not isinstance(raw, bytes):
            raise TypeError("congestion control is named by bytes")
        name = raw.rstrip(b"\0").decode("ascii", "replace")
        if name not in self.names:
            raise failure(errno.ENOENT, f"{self.name} is {self.values}, not {name!r}")
        return name


class EcnUse(Choice[Ecn | None]):
    """Explicit congestion notification, which the engine knows by number."""

    def read(self, target: Target) -> Ecn | None:
        return None if target.ecn is None else _ECN[target.ecn]

    def write(self, target: Target, value: Ecn | None) -> None:
        assert isinstance(target, TcpOptions)
        target.ecn = None if value is None else _ECN.index(value)


class ConnectionOptions:
    """Options of TCP connections: those that all of a VTun begin with, or one connection's.

    Each can be read and set. On a connection some can only be read.
    """

    __slots__ = ("target",)

    def __init__(self, target: Target) -> None:
        self.target = target
        """Where they are kept."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(f'{name}={value!r}' for name, value in self.as_dict().items())}>"

    nodelay = Flag("No segment waits for an acknowledgement (Nagle's algorithm is off)", "nodelay", "TCP_NODELAY")
    """Nagle's algorithm is off."""
    cork = Flag(
        "Only full segments leave, until it is switched off; or what fills the room that there is", "corked", "TCP_CORK"
    )
    """Full segments only."""
    quick_ack = Flag("No acknowledgement is delayed, until it is switched off", "quick_ack", "TCP_QUICKACK")
    """Acknowledgements at once."""
    keepalive = KeepaliveFlag("An idle connection is probed", "keepalive", "SO_KEEPALIVE")
    """Probes of an idle connection."""
    keepalive_idle: Number[float] = Number(
        "Time without a segment before the first probe", "keepalive_times", "TCP_KEEPIDLE", 1, 32767, "s",
        factor=_SECOND, place=0,
    )  # fmt: skip
    """Seconds before the first probe."""
    keepalive_interval: Number[float] = Number(
        "Time between probes", "keepalive_times", "TCP_KEEPINTVL", 1, 32767, "s", factor=_SECOND, place=1
    )
    """Seconds between probes."""
    keepalive_count: Number[int] = Number(
        "Probes without an answer before ETIMEDOUT", "keepalive_times", "TCP_KEEPCNT", 1, 127, place=2
    )
    """Probes without an answer."""
    user_timeout: Number[float | None] = Number(
        "Time that sent data may stay unacknowledged before ETIMEDOUT (RFC 5482)", "user_timeout",
        "TCP_USER_TIMEOUT", 0.001, 2147483.647, "s", none="the stack's retries decide", off=0, factor=_SECOND,
        socket_factor=1000,
    )  # fmt: skip
    """Seconds that data may stay unacknowledged."""
    linger = Linger(
        "Time that a closed connection has for what is queued, before it is reset; 0: it is reset at once",
        "linger", "SO_LINGER", 0, 2147483, "s", none="as long as it takes", factor=_SECOND,
    )  # fmt: skip
    """Seconds that a closed connection may take."""
    send_buffer = Buffer(
        "Data that may be queued, what is not acknowledged included", "send_limit", "SO_SNDBUF", 4096, 1 << 30,
        "bytes", none="it tunes itself", tunes=True,
    )  # fmt: skip
    """Bytes that may be queued."""
    receive_buffer = Buffer(
        "Data that may be unread, and so the window", "receive_limit", "SO_RCVBUF", 4096, 1 << 30, "bytes",
        none="it tunes itself", tunes=True,
    )  # fmt: skip
    """Bytes that may be unread."""
    unsent: Number[int | None] = Number(
        "Data that may be queued and not sent yet (RFC 9293, A.4)", "unsent_limit", "TCP_NOTSENT_LOWAT",
        1, (1 << 31) - 1, "bytes", none="`send_buffer` alone counts",
    )  # fmt: skip
    """Bytes that may be queued and not sent yet."""
    max_segment = Segment(
        "Data in a segment; set before a connection is opened, also what the peer may send in one",
        "mss_limit", "TCP_MAXSEG", 64, 65535, "bytes", none="what the path takes",
    )  # fmt: skip
    """Bytes of data in a segment."""
    congestion = Algorithm(
        "Congestion control; on an open connection the windows go on as they are", "congestion_control",
        "TCP_CONGESTION", algorithms(),
    )  # fmt: skip
    """Congestion control by name."""
    ecn = EcnUse(
        "Explicit congestion notification (RFC 3168): asked for and agreed with, or only the latter, or neither",
        "ecn", None, _ECN, living=False,
    )  # fmt: skip
    """Explicit congestion notification."""

    def update(self, values: OptionArguments) -> None:
        """Set those that are given. All are checked first; TypeError for a name that there is not."""
        for name, value in values.items():
            if name not in OPTIONS:
                raise TypeError(f"there is no option {name!r}")
            OPTIONS[name].check(value)
        for name, value in values.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """Return all by name."""
        return {name: getattr(self, name) for name in OPTIONS}


OPTIONS: dict[str, Option[Any]] = {
    name: option for name, option in vars(ConnectionOptions).items() if isinstance(option, Option)
}
"""The table's rows by name."""

BY_SOCKET_OPTION = {option.key: option for option in OPTIONS.values() if option.key is not None}
"""The same by the level and number of the socket option."""


def begin_with(defaults: TcpOptions, values: OptionArguments) -> TcpOptions:
    """Return what a connection or a listener begins with."""
    options = defaults.copy()
    ConnectionOptions(options).update(values)
    return options


def c_int(raw: _Raw) -> int:
    """Return the C int that a socket option was given; EINVAL for bytes that are none."""
    if isinstance(raw, bytes):
        if len(raw) < 4:
            raise failure(errno.EINVAL, "an int of four bytes is expected")
        number: int = struct.unpack("i", raw[:4])[0]
        return number
    return operator.index(raw)
