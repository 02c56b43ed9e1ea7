"""What a network is: something that resolves names, dials and listens for byte streams, and opens datagram ports."""

import asyncio
import contextlib
import functools
import logging
import weakref
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv6Address, ip_address
from typing import Protocol, Self, TypeVar

from ygg.errors import (
    ConnectTimeout,
    NetworkDown,
    NoSuitableAddress,
    OperationNotSupported,
    URLError,
    from_os_error,
)
from ygg.identity.overlay import OVERLAY

log = logging.getLogger("ygg.network")

DIAL_TIMEOUT = 5.0
"""Seconds for one address to answer (protocol 0.5, TCP)."""

BACKLOG = 128
"""Connections that a listener holds until they are accepted."""

T = TypeVar("T")
D = TypeVar("D", bound=asyncio.DatagramProtocol)

Admit = Callable[[asyncio.BaseTransport], None]
"""Counts a transport among what `down()` breaks; raises `NetworkDown`, and breaks it, where that has come before."""


def is_suitable(address: str) -> bool:
    """Tell whether a peer may be dialed at `address`: not unspecified, not multicast, not inside the overlay."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        if ip in OVERLAY:
            return False
        ip = ip.ipv4_mapped or ip
    return not (ip.is_unspecified or ip.is_multicast)


async def first_success(addresses: Iterable[str], attempt: Callable[[str], Awaitable[T]]) -> T:
    """Return what `attempt(address)` returns for the first address it does not fail on with an `OSError`.

    One at a time, in order; when all fail, the last error is raised, as a `YggError`.
    """
    error: OSError = NoSuitableAddress()
    for address in addresses:
        try:
            return await attempt(address)
        except OSError as failure:
            error = failure
    raise from_os_error(error) from error.__cause__


async def dial_addresses(
    network: "Network", host: str, timeout: float, attempt: Callable[[str], Awaitable[T]]
) -> T:
    """Return what `attempt(address)` returns for the first address of `host` that it does not fail on.

    `timeout` is in seconds for the name's lookup; the attempts have limits of their own. Raises what
    `network.resolve()` raises, `ConnectTimeout` for a lookup that takes longer, and as `first_success()`.
    """
    try:
        async with asyncio.timeout(timeout + network.dial_allowance) as deadline:
            addresses = await network.resolve(host)
    except TimeoutError:
        if not deadline.expired():
            raise
        raise ConnectTimeout(f"{host}: the name was not resolved within {timeout:g} s") from None
    return await first_success(addresses, attempt)


def break_off(item: "asyncio.BaseTransport | Listener") -> bool:
    """Abort a transport, or close what cannot be aborted, and tell whether that worked.

    What a user's own raises is logged, for the caller has others to break off.
    """
    # By name: uvloop's transports are no subclasses of asyncio's.
    for end in (getattr(item, "abort", item.close), item.close):
        try:
            end()
        except Exception as error:
            failure = error
        else:
            return True
    log.error("%s cannot be closed", type(item).__name__, exc_info=failure)
    return False


class Watch(Protocol):
    """What `Network.watch()` returns."""

    def close(self) -> None:
        """Have nothing told any more. May be called twice."""


class Unwatched:
    """The watch of what never changes."""

    def close(self) -> None:
        """Do nothing: nothing is told anyway."""


class Listener(ABC):
    """A bound endpoint that yields connections by `accept()`; it holds a bounded number of them."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it is bound: `127.0.0.1:1234`, `[::1]:1234`, or a path."""

    @abstractmethod
    async def accept(self) -> tuple[asyncio.Transport, str]:
        """Return the next connection, held still for `take_over()`, and its remote address as `address` is written.

        Raises `ListenerClosed` once the listener is closed. Cancelling it loses no connection.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop listening at once; connections accepted before live on. May be called twice."""

    @abstractmethod
    async def wait_closed(self) -> None:
        """Return when the listener is closed and has released everything."""

    @abstractmethod
    def is_closing(self) -> bool:
        """Tell whether `close()` has been called, here or by the network."""


class Network(ABC):
    """A way to reach hosts. Used as an async context manager, or just used: it is up from the start.

    A class of your own says how in the hooks `_resolve()`, `_connect_stream()`, `_listen_stream()` and the others. The
    public methods of these names call them; they look at ports, and see to it that `down()` ends what is under way and
    breaks what was made.
    """

    dial_allowance: float = 0.0
    """Seconds a dial may take beyond its timeout: for a proxy that makes a connection of its own first."""

    def __init__(self) -> None:
        self._is_up = True
        self._epoch = 0
        # In the order in which they were made, so that in virtual time each run breaks them in the same one.
        self._dials: dict[asyncio.Timeout, None] = {}
        self._live: weakref.WeakValueDictionary[int, asyncio.BaseTransport | Listener] = weakref.WeakValueDictionary()

    async def __aenter__(self) -> Self:
        self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def is_up(self) -> bool:
        """Tell whether the network is up."""
        return self._is_up

    def up(self) -> None:
        """Allow new connections."""
        self._is_up = True

    def down(self) -> None:
        """Refuse new connections with `NetworkDown`, end the dials under way with it, and break what is open.

        Listeners and datagram ports are closed, live connections aborted.
        """
        self._is_up = False
        self._epoch += 1
        dials, self._dials = self._dials, {}
        with contextlib.suppress(RuntimeError):  # outside of the loop nothing can be cancelled: `_admit()` refuses it
            for dial in dials:
                dial.reschedule(0)
        live, self._live = list(self._live.values()), weakref.WeakValueDictionary()
        for item in live:
            break_off(item)

    async def close(self) -> None:
        """Go down and let the aborted connections tell their protocols."""
        listeners = [item for item in self._live.values() if isinstance(item, Listener)]
        self.down()
        for listener in listeners:
            await listener.wait_closed()
        await asyncio.sleep(0)

    # What users call

    async def resolve(self, host: str) -> list[str]:
        """Return the addresses at which `host` may be dialed, best first; an address resolves to itself.

        A network that leaves names to a proxy returns the name. Raises `ResolveError` for a name without addresses,
        `NoSuitableAddress` when none of them may be dialed.
        """
        return await self._until_down(self._resolve(host))

    async def connect_stream(
        self, host: str, port: int, *, source_interface: str | None = None, timeout: float = DIAL_TIMEOUT
    ) -> asyncio.Transport:
        """Dial `host`, address by address, and return a connection held still for `take_over()`.

        `timeout` is in seconds for the name and for each address. Raises the last address's error, a `YggError`.
        """
        token = self._enter(port)
        transport = await self._until_down(self._connect_stream(host, port, source_interface, timeout))
        self._admit(transport, token)
        return transport

    async def listen_stream(
        self, host: str, port: int, *, source_interface: str | None = None, backlog: int = BACKLOG
    ) -> Listener:
        """Listen at `host`; an empty host is every address, port 0 a free one."""
        token = self._enter(port)
        admit = functools.partial(self._admit, token=token)
        listener = await self._listen_stream(host, port, source_interface, backlog, admit)
        self._admit(listener, token)
        return listener

    async def create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], D],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        *,
        source_interface: str | None = None,
    ) -> tuple[asyncio.DatagramTransport, D]:
        """Open a datagram port; the same shape as the event loop's method."""
        token = self._enter(*(end[1] for end in (local_addr, remote_addr) if end))
        admit = functools.partial(self._admit, token=token)
        return await self._create_datagram_endpoint(protocol_factory, local_addr, remote_addr, source_interface, admit)

    async def connect_path(self, path: str, *, timeout: float = DIAL_TIMEOUT) -> asyncio.Transport:
        """Dial a UNIX socket, as `connect_stream()`."""
        token = self._enter()
        transport = await self._until_down(self._connect_path(path, timeout))
        self._admit(transport, token)
        return transport

    async def listen_path(self, path: str, *, backlog: int = BACKLOG) -> Listener:
        """Listen on a UNIX socket, as `listen_stream()`."""
        token = self._enter()
        listener = await self._listen_path(path, backlog, functools.partial(self._admit, token=token))
        self._admit(listener, token)
        return listener

    def watch(self, told: Callable[[], object]) -> Watch:
        """Call `told` each time that hosts out of reach may have come into reach, until the watch is closed.

        So for the operating system's network when the machine has a new address or route, or was suspended. A network
        of your own that can tell overrides it; this one tells nothing.
        """
        return Unwatched()

    # What a network of one's own says

    @abstractmethod
    async def _resolve(self, host: str) -> list[str]:
        """Do what `resolve()` promises."""

    @abstractmethod
    async def _connect_stream(
        self, host: str, port: int, source_interface: str | None, timeout: float
    ) -> asyncio.Transport:
        """Return a connection held still; cancelled when the network goes down."""

    @abstractmethod
    async def _listen_stream(
        self, host: str, port: int, source_interface: str | None, backlog: int, admit: Admit
    ) -> Listener:
        """Return a listener that gives each connection to `admit()`; it does not hand out one for which that raises."""

    async def _create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], D],
        local_addr: tuple[str, int] | None,
        remote_addr: tuple[str, int] | None,
        source_interface: str | None,
        admit: Admit,
    ) -> tuple[asyncio.DatagramTransport, D]:
        """Return a port and its protocol, after `admit(transport)`."""
        raise OperationNotSupported(f"{type(self).__name__} has no datagrams")

    async def _connect_path(self, path: str, timeout: float) -> asyncio.Transport:
        """Return a connection held still, as `_connect_stream()`."""
        raise OperationNotSupported(f"{type(self).__name__} has no UNIX sockets")

    async def _listen_path(self, path: str, backlog: int, admit: Admit) -> Listener:
        """Return a listener, as `_listen_stream()`."""
        raise OperationNotSupported(f"{type(self).__name__} has no UNIX sockets")

    # What is open

    def _enter(self, *ports: int) -> int:
        """Return the token that `_admit()` wants. Raises `NetworkDown`, and `URLError` for what is no port."""
        for port in ports:
            if not 0 <= port <= 65535:
                raise URLError(f"invalid port {port}")
        if not self._is_up:
            raise NetworkDown
        return self._epoch

    def _admit(self, item: asyncio.BaseTransport | Listener, token: int) -> None:
        """Count `item` among what `down()` breaks; breaks it now if the network went down since `_enter()`."""
        if self._is_up and token == self._epoch:
            self._live[id(item)] = item
            return
        break_off(item)
        raise NetworkDown

    async def _until_down(self, dial: Awaitable[T]) -> T:
        """Return what a dial does; `down()` ends it, with `NetworkDown` then, whatever becomes of it."""
        epoch = self._epoch
        under_way = asyncio.timeout(None)  # down() makes it expire: asyncio's way to cancel a piece of a task
        try:
            async with under_way:
                self._dials[under_way] = None
                return await dial
        except OSError:
            if self._epoch == epoch:
                raise
            raise NetworkDown from None
        finally:
            self._dials.pop(under_way, None)
