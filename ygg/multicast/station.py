"""Discovery on one interface: announcing this node, hearing others, and dialing them, all within bounds.

What a neighbour can make us do is limited for each turn of the loop (about 1.5 s): so many datagrams read, after which
the kernel drops the rest unread, and so many dials begun. Dials that are still under way count too.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from ygg.errors import PeerExistsError, YggError
from ygg.multicast.beacon import Beacon, BeaconError
from ygg.multicast.interfaces import Interface
from ygg.multicast.rules import InterfaceRule
from ygg.network import Listener
from ygg.network.base import first_success
from ygg.url import PeerURL

READS_PER_TURN = 256
"""Datagrams read on an interface in one turn; five hundred nodes on one link send about fifty."""
DIALS_PER_TURN = 8
"""Dials begun on an interface in one turn."""
MAX_INTERVAL = 15.0
"""Seconds between beacons once an interface has settled."""

_log = logging.getLogger("ygg.multicast")


class PeerInfo(Protocol):
    """What discovery reads of a peer of the node."""

    @property
    def url(self) -> str: ...
    @property
    def up(self) -> bool: ...


class DiscoveryNode(Protocol):
    """What discovery needs of a node; `ygg.Core` is one."""

    @property
    def public_key(self) -> bytes: ...
    def peers(self) -> Sequence[PeerInfo]: ...
    async def listen(self, url: str, *, source_interface: str, admit_all: bool) -> Listener: ...
    async def call_peer(self, url: str, *, source_interface: str) -> object: ...


class BeaconSocket(Protocol):
    """What carries beacons: `GroupSocket`."""

    def fileno(self) -> int: ...
    def join(self) -> None: ...
    def send(self, data: bytes, source: ipaddress.IPv6Address) -> None: ...
    def receive(self) -> tuple[bytes, ipaddress.IPv6Address] | None: ...
    def close(self) -> None: ...


class Station:
    """This node on one interface, for as long as the interface is the same and usable."""

    def __init__(
        self,
        node: DiscoveryNode,
        interface: Interface,
        rule: InterfaceRule,
        open_socket: Callable[[int], BeaconSocket],
    ) -> None:
        self.interface = interface
        """The interface it stands on."""
        self.rule = rule
        """What it does there."""
        self.counters: Counter[str] = Counter()
        """Beacons `sent`, `received` and `dialed`, and those dropped by reason."""
        self._node = node
        self._open_socket = open_socket
        self._socket: BeaconSocket | None = None
        self._listener: Listener | None = None
        self._address: ipaddress.IPv6Address | None = None
        self._interval = 0.0
        self._sent_at = 0.0
        self._reads = 0
        self._linked: Collection[str] = ()
        self._dials: dict[str, asyncio.Task[None]] = {}
        self._dialed: set[str] = set()
        self._told: set[str] = set()
        self._reading = False
        self._trouble = ""

    @property
    def address(self) -> str:
        """Where its listener is bound, `[address%interface]:port`; empty when there is none."""
        return "" if self._listener is None or self._listener.is_closing() else self._listener.address

    async def turn(self, interface: Interface, linked: Collection[str], now: float) -> None:
        """Bring everything in line with the interface as it is now, and beacon when due.

        `linked` are the links that are up, as URLs without query; `now` is in monotonic seconds.
        """
        self.interface, self._linked = interface, linked
        self._reads, self._dialed, self._told = 0, set(self._dials), set()
        try:
            sock = self._socket = self._socket or self._open_socket(interface.index)
            if self.rule.listen:
                sock.join()
                self._read_on(sock)
            if self.rule.beacon:
                await self._announce(sock, now)
        except (YggError, OSError) as error:
            self._note(error)  # what it kept from happening is tried again at the next turn
        else:
            self._trouble = ""

    async def close(self) -> None:
        """Stop listening, hearing and dialing here; links that are up live on."""
        tasks = list(self._dials.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._read_off()
        if self._socket is not None:
            self._socket.close()
        await self._close_listener()

    async def _announce(self, sock: BeaconSocket, now: float) -> None:
        listener = await self._listening()
        if now - self._sent_at < self._interval:
            return
        assert self._address is not None
        port = int(listener.address.rpartition(":")[2])
        sock.send(Beacon.make(self._node.public_key, port, self.rule.secret).encode(), self._address)
        self.counters["sent"] += 1
        self._sent_at = now
        self._interval = min(self._interval + 1, MAX_INTERVAL)

    async def _listening(self) -> Listener:
        """Return the listener, a new one if its address has gone or it was closed."""
        if self._listener is not None:
            if self._address in self.interface.link_local and not self._listener.is_closing():
                return self._listener
            await self._close_listener()
        # One that another node has too is listed like the others, and can never be bound.
        self._listener = await first_success(map(str, self.interface.link_local), self._listen)
        self._interval = 0.0
        _log.info("listening for neighbours at %s", self._listener.address)
        return self._listener

    async def _listen(self, address: str) -> Listener:
        self._address = ipaddress.IPv6Address(address)
        url = str(self._url(self._address, self.rule.port))
        # Neighbours are admitted whatever AllowedPublicKeys says: the password decides here.
        return await self._node.listen(url, source_interface=self.interface.name, admit_all=True)

    def _url(self, address: ipaddress.IPv6Address, port: int, *options: tuple[str, str]) -> PeerURL:
        query = [*options]
        if self.rule.priority:
            query.append(("priority", str(self.rule.priority)))
        if self.rule.password:
            query.append(("password", self.rule.password))
        return PeerURL("tls", f"{address}%{self.interface.name}", port).with_query(query)

    def _read_on(self, sock: BeaconSocket) -> None:
        if not self._reading:
            asyncio.get_running_loop().add_reader(sock.fileno(), self._readable)
            self._reading = True

    def _read_off(self) -> None:
        if self._reading and self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._reading = False

    def _readable(self) -> None:
        assert self._socket is not None
        while self._reads < READS_PER_TURN:
            try:
                found = self._socket.receive()
            except OSError as error:
                self._note(error)
                break
            if found is None:
                return
            self._reads += 1
            self._hear(*found)
        else:
            _log.debug("%s: more than %d datagrams in a turn", self.interface.name, READS_PER_TURN)
        # Until the next turn what arrives is the kernel's to hold, and to drop.
        self._read_off()

    def _hear(self, data: bytes, sender: ipaddress.IPv6Address) -> None:
        self.counters["received"] += 1
        try:
            beacon = Beacon.decode(data)
        except BeaconError as error:
            self._drop("malformed", str(error), sender)
            return
        if beacon.key == self._node.public_key:
            self.counters["own"] += 1
        elif not beacon.proves(self.rule.secret):
            self._drop("wrong password", "beacon with another password", sender)
        else:
            self._meet(beacon, sender)

    def _drop(self, kind: str, text: str, sender: ipaddress.IPv6Address) -> None:
        """Count a beacon that leads nowhere; the first of its kind in a turn is told too."""
        self.counters[kind] += 1
        if kind not in self._told:
            self._told.add(kind)
            _log.debug("%s: %s from %s", self.interface.name, text, sender)

    def _meet(self, beacon: Beacon, sender: ipaddress.IPv6Address) -> None:
        url = self._url(sender, beacon.port, ("key", beacon.key.hex()))
        if url.identity in self._linked or url.identity in self._dialed:
            self.counters["repeated"] += 1
        elif len(self._dialed) >= DIALS_PER_TURN:
            self._drop("too many", "beacon with no dial left in this turn", sender)
        else:
            self.counters["dialed"] += 1
            self._dialed.add(url.identity)
            task = asyncio.get_running_loop().create_task(self._dial(url), name="ygg neighbour")
            self._dials[url.identity] = task
            task.add_done_callback(lambda _: self._dials.pop(url.identity, None))

    async def _dial(self, url: PeerURL) -> None:
        try:
            await self._node.call_peer(str(url), source_interface=self.interface.name)
        except PeerExistsError:
            pass
        except (YggError, OSError) as error:
            _log.debug("neighbour %s: %s", url.identity, error)
        else:
            _log.info("neighbour %s: link up", url.identity)

    def _note(self, error: Exception) -> None:
        if str(error) != self._trouble:
            self._trouble = str(error)
            # An address is not to be had for the first second or two, while the system makes sure it is unique.
            settling = isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL
            level = logging.INFO if settling else logging.WARNING
            _log.log(level, "discovery on %s: %s", self.interface.name, error)

    async def _close_listener(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
            await listener.wait_closed()
