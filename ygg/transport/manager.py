"""Which transport and which network carry a URL, and keeping that true while the mapping changes.

Theory of operation
-------------------
A URL's scheme chooses a `Transport`, its host a `Network`. The second choice is a table from host patterns to networks
(or to `None`: blocked), the most specific matching pattern winning, the default network serving the rest.

Whatever came to be through the table is a *use*: a host, the network that served it, and a way to break it. There are
three kinds: a dial or bind under way, a listener, and a connection (dialed, or accepted by a listener, whose host it
shares). The one invariant is: **a use exists only while the table maps its host to its network.** Every change of the
table re-reads the uses it can touch and breaks those for which that no longer holds - after the change is in the table,
and before the call that made it returns.

A dial or bind under way is different from the rest in that its caller still wants it: breaking it cancels the inner
task, and the loop around it starts over on the new mapping (or fails with the error the new mapping gives). So a dial
that raced a change never returns a connection of the old network: the use is dropped, and the connection's own use
registered, in one step of the event loop that no change can come between.

Connections are held weakly: the manager neither keeps a transport alive nor has to be told that one has closed.
"""

import asyncio
import weakref
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from ygg.errors import BlockedHostError, ListenerClosed, UnknownSchemeError, UnmappedHostError, URLError, from_os_error
from ygg.network.base import BACKLOG, DIAL_TIMEOUT, Listener, Network, Watch, break_off
from ygg.transport.base import DialOptions, ListenOptions, Transport
from ygg.transport.pattern import HostPattern, normal
from ygg.transport.redirect import Redirected, Route
from ygg.transport.watching import NetworksWatch
from ygg.url import PeerURL
from ygg_c.base import forks

T = TypeVar("T", asyncio.Transport, Listener)


class TransportManager:
    """Dials and listens at URLs: scheme to transport, host to network, live.

    Belongs to one event loop: call it from there, or before the loop runs.
    """

    def __init__(self, default_network: Network | None = None) -> None:
        self._transports: dict[str, Transport] = {}
        self._exact: dict[str, Network | None] = {}
        self._patterns: list[tuple[HostPattern, Network | None]] = []  # most specific first
        self._default = default_network
        self._uses: dict[_Use, None] = {}  # in the order in which they were made
        self._watches: dict[NetworksWatch, None] = {}

    @property
    def uses(self) -> int:
        """How many dials, listeners and connections there are of those that a change of networks would break."""
        return len(self._uses)

    def register(self, transport: Transport) -> None:
        """Let `transport` serve its schemes. Raises `ValueError` if one has a transport already."""
        for scheme in transport.schemes:
            if scheme.lower() in self._transports:
                raise ValueError(f"scheme {scheme} has a transport already")
        self._transports |= {scheme.lower(): transport for scheme in transport.schemes}

    def unregister(self, scheme: str) -> None:
        """Serve `scheme` no more; what it made lives on. Raises `UnknownSchemeError`."""
        if self._transports.pop(scheme.lower(), None) is None:
            raise UnknownSchemeError

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes that have a transport."""
        return tuple(self._transports)

    @property
    def default_network(self) -> Network | None:
        """The network of the hosts no pattern matches; with `None` they cannot be reached. Setting it is live."""
        return self._default

    @default_network.setter
    def default_network(self, network: Network | None) -> None:
        self._default = network
        self._settle(lambda host: True)

    def map_network(self, pattern: str, network: Network | None) -> None:
        """Serve the hosts that match `pattern` through `network`; `None` blocks them. Live.

        `pattern` is a host, a prefix (`10.0.0.0/8`), or a name with `*` for any characters (`*.onion`). It is matched
        against the host as the URL has it, not against what it resolves to. An existing mapping is replaced.
        """
        key = HostPattern(pattern)
        self._forget(key)
        if key.exact:
            self._exact[key.text] = network
        else:
            self._patterns.append((key, network))
            self._patterns.sort(key=lambda entry: entry[0].specificity, reverse=True)
        self._settle(key.matches)

    def unmap_network(self, pattern: str) -> None:
        """Remove the mapping of `pattern`. Live. Raises `KeyError` when there is none."""
        key = HostPattern(pattern)
        if not self._forget(key):
            raise KeyError(pattern)
        self._settle(key.matches)

    def network_for(self, host: str) -> Network:
        """Return the network that serves `host`. Raises `BlockedHostError` or `UnmappedHostError`."""
        network = self._find(normal(host))
        if network is None:
            raise BlockedHostError(f"host {host} is blocked")
        if isinstance(network, _Unmapped):
            raise UnmappedHostError(f"no network is mapped to {host}")
        return network

    def watch(self, told: Callable[[], object]) -> Watch:
        """Call `told` each time that a network in use here tells of hosts that may have come into reach.

        Until the watch is closed; see `Network.watch()`. Follows changes of the mapping.
        """
        watch = NetworksWatch(told, lambda watch: self._watches.pop(watch, None))
        self._watches[watch] = None
        watch.follow(self._networks())
        return watch

    async def dial(
        self, url: PeerURL | str, *, source_interface: str | None = None, timeout: float = DIAL_TIMEOUT
    ) -> asyncio.Transport:
        """Return a connection to `url`, held still for `take_over()`. One attempt, restarted if the mapping changes.

        `timeout` is in seconds for each address of the host. Raises `UnknownSchemeError`, `BlockedHostError`,
        `UnmappedHostError`, and what the transport raises.
        """
        url = PeerURL.parse(url)
        options = DialOptions(source_interface, timeout)
        return await self._dial(url, options)

    async def _dial(self, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        """Dial `url`, and where that redirects: each host through the network that it is mapped to."""
        route = Route(url)
        while True:
            dial = partial(self._transport(url).dial, url=url, options=options)
            try:
                return (await self._through(url, dial))[0]
            except Redirected as redirected:
                url = route.follow(redirected)

    async def listen(
        self, url: PeerURL | str, *, source_interface: str | None = None, backlog: int = BACKLOG
    ) -> "ManagedListener":
        """Return a listener bound to `url`. Raises as `dial()` does."""
        url = PeerURL.parse(url)
        transport = self._transport(url)
        options = ListenOptions(source_interface, backlog)
        listener, use = await self._through(url, lambda network: transport.listen(network, url, options))
        try:
            return ManagedListener(self, listener, url, use)
        except BaseException:
            use.drop()
            break_off(listener)
            raise

    def _transport(self, url: PeerURL) -> Transport:
        self.require(url.scheme)
        return self._transports[url.scheme]

    def require(self, scheme: str) -> None:
        """Raise `UnknownSchemeError`, which names the schemes there are, where `scheme` has no transport."""
        if scheme.lower() not in self._transports:
            known = ", ".join(sorted(self._transports)) or "none"
            raise UnknownSchemeError(f"{UnknownSchemeError.text}: {scheme[:64]!r} is none of those known ({known})")

    async def _through(self, url: PeerURL, start: Callable[[Network], Coroutine[Any, Any, T]]) -> tuple[T, "_Use"]:
        """Run `start` on the network of the URL's host until that network is the same before and after."""
        while True:
            network = self.network_for(url.host)
            task = asyncio.get_running_loop().create_task(start(network))
            use = _Use(self._uses, normal(url.host), network, task.cancel)
            try:
                await asyncio.wait({task})
            except BaseException:
                await _give_up(task)
                raise
            finally:
                use.drop()
            if use.broken:
                _discard(task)
                continue
            try:
                made = task.result()
            except OSError as error:
                raise from_os_error(error) from error.__cause__
            return made, self._watch(use.host, network, made)

    def _watch(self, host: str, network: Network, item: asyncio.Transport | Listener) -> "_Use":
        """Make `item` a use; it is only weakly held."""
        reference = weakref.ref(item, lambda _: use.drop())
        use = _Use(self._uses, host, network, lambda: _break_off(reference()))
        return use

    def _settle(self, touched: Callable[[str], bool]) -> None:
        """Break the uses that the table no longer allows, among those whose host is `touched`."""
        stale = [use for use in self._uses if touched(use.host) and self._find(use.host) is not use.network]
        for use in stale:
            use.break_off()
        for watch in self._watches:
            watch.follow(self._networks())

    def _networks(self) -> list[Network]:
        """Return the networks that serve any host now."""
        served = [self._default, *self._exact.values(), *(network for _, network in self._patterns)]
        return [network for network in served if network is not None]

    def _find(self, host: str) -> "Network | _Unmapped | None":
        if host in self._exact:
            return self._exact[host]
        for pattern, network in self._patterns:
            if pattern.matches(host):
                return network
        return _UNMAPPED if self._default is None else self._default

    def _forget(self, key: HostPattern) -> bool:
        if key.exact:
            if key.text not in self._exact:
                return False
            del self._exact[key.text]
            return True
        kept = [entry for entry in self._patterns if entry[0].text != key.text]
        found = len(kept) < len(self._patterns)
        self._patterns = kept
        return found


class ManagedListener(Listener):
    """A listener of a `TransportManager`: it and what it accepted close when its host is mapped elsewhere."""

    def __init__(self, manager: TransportManager, base: Listener, url: PeerURL, use: "_Use") -> None:
        self._manager, self._base, self._use = manager, base, use
        self.url = _bound(url, base.address)
        """The URL it was asked to listen at, with the host and port it is bound to."""
        self._made_in = forks.current()
        self.released = False
        """Whether it was closed by its owner, not by its network or a change of the mapping."""

    @property
    def remapped(self) -> bool:
        """Tell whether it was closed because its host is mapped to another network now, or to none."""
        return self._use.broken

    @property
    def address(self) -> str:
        return self._base.address

    async def accept(self) -> tuple[asyncio.Transport, str]:
        forks.check(self._made_in)
        transport, remote = await self._base.accept()
        if self._use.broken:
            break_off(transport)
            raise ListenerClosed
        self._manager._watch(self._use.host, self._use.network, transport)
        return transport, remote

    def close(self) -> None:
        self.released = True
        self._use.drop()
        self._base.close()

    async def wait_closed(self) -> None:
        await self._base.wait_closed()

    def is_closing(self) -> bool:
        return self._base.is_closing()


class _Use:
    """Something made through the table, among all such until dropped."""

    def __init__(self, uses: "dict[_Use, None]", host: str, network: Network, breaker: Callable[[], object]) -> None:
        self._uses = uses
        self.host, self.network, self.breaker = host, network, breaker
        self.broken = False
        uses[self] = None

    def drop(self) -> None:
        self._uses.pop(self, None)
        self.breaker = _nothing  # what it had may refer to us

    def break_off(self) -> None:
        breaker = self.breaker
        self.drop()
        self.broken = True
        breaker()


def _nothing() -> None:
    """Break nothing."""


class _Unmapped:
    """Stands for the network of a host that has none; `None` stands for a blocked one."""


_UNMAPPED = _Unmapped()


def _bound(url: PeerURL, address: str) -> PeerURL:
    """Return `url` with the host and port of a listener's address; as it is when that is a path, or anything else."""
    try:
        bound = PeerURL.parse(f"{url.scheme}://{address}")
    except URLError:
        return url
    return url if url.port is None or bound.port is None else url.with_host(bound.host, bound.port)


def _break_off(item: asyncio.Transport | Listener | None) -> None:
    if item is not None:
        break_off(item)


def _discard(task: "asyncio.Task[Any]") -> None:
    """Break off what a finished task made, if anything."""
    if not task.cancelled() and task.exception() is None:
        break_off(task.result())


async def _give_up(task: "asyncio.Task[Any]") -> None:
    """Cancel `task`, see it end, and break off what it made."""
    task.cancel()
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            continue  # the caller is about to raise it anyway
    _discard(task)
