"""Asking the servers of a zone for a name, and what their answers say."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, TypeVar

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode

from ygg.errors import ResolveError, TemporaryResolveError
from ygg.names.exchange import ask, question
from ygg.names.values import Answer, Kind, Zone

if TYPE_CHECKING:
    from ygg.vtun import VTun
    from ygg.vtun.addresses import Host

T = TypeVar("T")

MOST_ALIASES = 8
"""Names that one leads to, one after the other."""
HEAD_START = 1.0
"""Seconds that a server has before the next is asked too."""
MOST_ADDRESSES = 16
"""Of an answer; further ones are left out."""


class Asker:
    """Asks the servers of zones."""

    def __init__(self, vtun: VTun, rng: random.Random) -> None:
        self._vtun, self._random = vtun, rng

    async def find(self, name: str, kind: Kind, zone: Zone) -> Answer:
        """Return the addresses of a name, which may be an alias.

        Raises `ResolveError` when there is no such name, `TemporaryResolveError` when no server says.
        """
        ttl = float("inf")
        for _ in range(MOST_ALIASES):
            reply = await self._first(name, kind, zone)
            alias, answer = _read(reply, name)
            ttl = min(ttl, answer.ttl)
            if answer.addresses or alias is None:
                return Answer(answer.addresses, ttl)
            if not zone.has(alias):
                raise ResolveError(f"{name[:80]!r} is another name of {alias[:80]!r}, which its server does not know")
            name = alias
        raise ResolveError(f"{name[:80]!r}: more than {MOST_ALIASES} names lead to one another")

    async def _first(self, name: str, kind: Kind, zone: Zone) -> dns.message.Message:
        async def attempt(server: tuple[Host, int]) -> dns.message.Message:
            reply = await ask(self._vtun, server[0], question(name, kind, self._random), server[1])
            if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                raise TemporaryResolveError(f"{name[:80]!r}: the DNS server says {dns.rcode.to_text(reply.rcode())}")
            return reply

        question(name, kind, self._random)  # what can be no name is said before any server is asked
        try:
            return await race(zone.servers, attempt)
        except TemporaryResolveError:
            raise
        except OSError as error:
            raise TemporaryResolveError(f"{name[:80]!r}: {error}") from error


def _read(reply: dns.message.Message, name: str) -> tuple[str | None, Answer]:
    """Return the name that one leads to without an address, None where it does not, and the addresses that there are.

    Raises `ResolveError` when there is no such name.
    """
    if reply.rcode() == dns.rcode.NXDOMAIN:
        raise ResolveError(f"no such host: {name[:80]!r}")
    assert isinstance(reply, dns.message.QueryMessage)
    try:
        chain = reply.resolve_chaining()
    except dns.exception.DNSException as error:
        raise TemporaryResolveError(f"{name[:80]!r}: the DNS server's answer makes no sense: {error}") from None
    found: list[IPv4Address | IPv6Address] = []
    for record in (chain.answer or ())[:MOST_ADDRESSES]:
        found.append(ip_address(record.address))
    alias = chain.canonical_name.to_text(omit_final_dot=True).lower()
    return (alias if chain.cnames and not found else None), Answer(tuple(found), chain.minimum_ttl)


async def race(
    items: Sequence[T], attempt: Callable[[T], Coroutine[Any, Any, dns.message.Message]]
) -> dns.message.Message:
    """Return the first answer of several servers, each of which has a head start over the next.

    An attempt that fails with an OSError has the next one begin. Raises the last one's when all have.
    """
    waiting = list(items)
    begun: list[asyncio.Task[dns.message.Message]] = []
    running: set[asyncio.Task[dns.message.Message]] = set()
    error: OSError = TemporaryResolveError()
    try:
        while waiting or running:
            if waiting:
                begun.append(asyncio.create_task(attempt(waiting.pop(0))))
                running.add(begun[-1])
            done, running = await asyncio.wait(
                running, timeout=HEAD_START if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                try:
                    return task.result()
                except OSError as failure:
                    error = failure
        raise error
    finally:
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
