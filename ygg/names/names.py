"""Hosts of the overlay by what they are called: each way that names are given there, one after the other."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from ygg.errors import MissingExtraError, ResolveError
from ygg.identity.overlay import OVERLAY
from ygg.names.cache import Cache
from ygg.names.computed import ADDRESS_ZONE, KEY_ZONE, SERVER_ZONE, computed, numeric, server_in, spelled
from ygg.names.values import PORT, Answer, Kind, Zone
from ygg.vtun.addresses import Host, key_in, packed

if TYPE_CHECKING:
    from ygg.vtun import VTun

Lookup = Callable[[str], Awaitable[Host]]
"""Returns the address or key of a name; raises a `ResolveError` for one that it does not know."""

ALFIS_ZONES = ("anon", "btn", "conf", "index", "merch", "mirror", "mob", "screen", "srv", "ygg")
"""What names of ALFIS end in."""
ALFIS_SERVERS = (
    "324:71e:281a:9ed3::53", "302:db60::53", "300:6223::53", "302:7991::53", "202:1d4e:724e:de52:8273:e2b5:4988:a9ba",
)
"""DNS servers in the overlay that know the names of ALFIS, and are open to all."""
ZONES = (ADDRESS_ZONE, SERVER_ZONE, *ALFIS_ZONES)
"""What names of the overlay end in; `ygg` has those of keys and of YggNS too."""
ELSEWHERE = ("onion", "i2p", "loki", "local")
"""What names end in that are given by others, and are never asked for."""
TTL = 60.0
"""Seconds for which an answer holds that needed no question."""


class Names:
    """Finds hosts of the overlay by what they are called.

    In this order: numeric addresses of 200::/7, public keys as 64 hex digits, `<address in base32>.meship`,
    `<key>.pk.ygg` (further labels in front are passed over), and the table `hosts`. With a VTun those that DNS servers
    in the overlay know: of `.meshname` and `.ygg` names that have the address of their server in them, that one; of
    ALFIS' zones those of `alfis`; of all others `name_server`. At last `lookup`, for all other ways. Names that end in
    one of `ELSEWHERE` are refused.

    What servers say is kept for 30 seconds to an hour, as they say, and for a minute that there is no such name.
    """

    def __init__(
        self,
        hosts: Mapping[str, Host] | None = None,
        *,
        vtun: VTun | None = None,
        alfis: Sequence[Host | tuple[Host, int]] = ALFIS_SERVERS,
        name_server: tuple[Host, int] | None = None,
        lookup: Lookup | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """Take a table of names (a mapping, or a `HostsFile`) and the ways to ask.

        `vtun` is the one to ask by, and stays its owner's to close; without it no server is asked. Servers are hosts,
        or hosts with a port where that is not 53. `rng` is for simulations; without it the numbers of questions are the
        system's.
        """
        self._hosts: Mapping[str, Host] = hosts if hosts is not None else {}
        if isinstance(self._hosts, dict):
            self._hosts = {name.lower().rstrip("."): host for name, host in self._hosts.items()}
        self._lookup = lookup
        self._vtun, self._random = vtun, rng or random.SystemRandom()
        self._alfis = [server if isinstance(server, tuple) else (server, PORT) for server in alfis]
        self._server = name_server
        self._cache = Cache()

    async def resolve(self, name: str) -> Host:
        """Return the address or key of a name.

        Raises `ResolveError` for a name that nothing is known of, `TemporaryResolveError` when a server that knows it
        does not answer, `HostUnreachable` for an address of no node, `MissingExtraError` where dnspython is missing.
        """
        name = _plain(name)
        found = self._known(name)
        if found is None:
            zone = self._zone(name)
            if zone is not None:
                found = next(iter(_of_overlay(await self._ask(name, Kind.AAAA, zone))), None)
            elif self._lookup is not None and not _ends(name, ELSEWHERE):
                found = await self._lookup(name)
        if found is None:
            raise ResolveError(f"no such host: {name[:80]!r}")
        return found

    async def find(self, name: str, kind: Kind = Kind.AAAA) -> Answer:
        """Return the addresses of a name, of IPv4 also, and how long they hold: for those who answer others.

        Raises as `resolve()`.
        """
        name = _plain(name)
        zone = None
        if self._known(name) is None:
            zone = self._zone(name)
        if zone is not None:
            return await self._ask(name, kind, zone)
        host = await self.resolve(name)
        return Answer((IPv6Address(packed(host)),) if kind is Kind.AAAA else (), TTL)

    def has(self, name: str) -> bool:
        """Tell whether a name is one of the overlay's, by what it ends in, or of the table."""
        name = _plain(name)
        return _ends(name, ZONES) or name in self._hosts

    def reverse(self, address: IPv6Address) -> str:
        """Return a name that leads to an address: that of the table, else the one below `meship`, which has it."""
        for name, host in self._hosts.items():
            if packed(host) == address.packed:
                return name
        return spelled(address)

    def forget(self) -> None:
        """Ask for all names anew."""
        self._cache.clear()

    def _known(self, name: str) -> Host | None:
        """Return what needs no question."""
        return numeric(name) or key_in(name) or computed(name) or self._hosts.get(name)

    def _zone(self, name: str) -> Zone | None:
        """Return who knows a name; None when there are none to ask."""
        if self._vtun is None or _ends(name, (*ELSEWHERE, ADDRESS_ZONE)) or name.endswith(f".{KEY_ZONE}"):
            return None
        server = server_in(name)
        if server is not None:
            return Zone([(server, PORT)], (".".join(name.split(".")[-2:]),))
        if self._alfis and _ends(name, ALFIS_ZONES):
            return Zone(self._alfis, ALFIS_ZONES)
        if self._server is not None and not _ends(name, (SERVER_ZONE,)):
            return Zone([self._server], ())
        return None

    async def _ask(self, name: str, kind: Kind, zone: Zone) -> Answer:
        assert self._vtun is not None   # else there is no zone
        try:
            from ygg.names.asker import Asker
        except ModuleNotFoundError as error:
            raise MissingExtraError(f"to ask for {name[:80]!r} needs dnspython: pip install 'ygg[names]'") from error
        asker = Asker(self._vtun, self._random)
        return await self._cache.get((name, kind), lambda: asker.find(name, kind, zone))


async def named(names: Names | None, host: Host | None) -> Host | None:
    """Return the host that a name is of, where there are names; else what is given. Raises as `Names.resolve()`."""
    return await names.resolve(host) if names is not None and isinstance(host, str) else host


def _plain(name: str) -> str:
    return name.strip("[]").lower().rstrip(".")


def _ends(name: str, zones: Sequence[str]) -> bool:
    return name.rpartition(".")[2] in zones and "." in name


def _of_overlay(answer: Answer) -> list[IPv6Address]:
    return [address for address in answer.addresses if isinstance(address, IPv6Address) and address in OVERLAY]
