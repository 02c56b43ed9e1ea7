"""The addresses of names: what the operating system says, asked in threads that nothing waits for.

`getaddrinfo` alone knows what a user expects of a name: the hosts file, the search list, the order of nsswitch.conf,
multicast DNS, directory services, RFC 6724's order of addresses. Resolvers of other libraries read a part of that and
guess the rest. What it cannot do is end early: with a DNS server that is silent, a call takes as long as the system's
own timeouts add up to (glibc: 5 seconds, for each server, attempt and domain of the search list).

So each name that is asked for has a daemon thread of its own, which ends with the call. A caller that waits for it can
stop at any time, and neither an event loop nor the interpreter waits for the thread at its end; asyncio's own
`getaddrinfo` has neither property, and its pool lets names wait for each other. An address needs no thread.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias, TypeVar

from ygg.errors import ResolveError

MOST_THREADS = 128
"""Names asked for at a time; the others wait their turn, but for those of the hosts file."""
MOST_UNANSWERED = 64
"""Names among them to which the last question got no answer in time: they leave room for the others."""
MOST_LOCAL = 2 * MOST_THREADS
"""Names asked for at a time when those of the hosts file are counted too."""
MOST_REMEMBERED = 1024
"""Names remembered as unanswered, and answers that came too late."""
PATIENCE = 30.0
"""Seconds after which a name without an answer has none."""
LATE = 60.0
"""Seconds for which an answer that came too late is kept for the next question."""

HOSTS = Path("/etc/hosts")
"""The hosts file."""

Find: TypeAlias = Callable[[str], list[str]]
"""Returns the addresses of a name, or raises; may take any time."""
_Answer: TypeAlias = "list[str] | Exception"
T = TypeVar("T")


class _Lookup:
    """A name that is asked for, and the futures of those that wait for its addresses, in whichever loops."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.waiters: set[asyncio.Future[list[str]]] = set()

    def answer(self, answer: _Answer) -> None:
        """Pass the answer to the loops of the waiters, from any thread."""
        for waiter in self.waiters:
            with suppress(RuntimeError):  # its loop has closed
                waiter.get_loop().call_soon_threadsafe(_settle, waiter, self.name, answer)


class Resolver:
    """Asks for names. One serves the process: loops in several threads may use it at once."""

    def __init__(self, find: Find | None = None) -> None:
        self._find = find or system_addresses
        self._clear()

    def _clear(self) -> None:
        self._lock = threading.Lock()  # guards all below
        self.running: dict[str, _Lookup] = {}
        """Names that a thread asks for."""
        self.waiting: dict[str, _Lookup] = {}
        """Names that wait for a thread, the first come first."""
        self.unanswered: dict[str, None] = {}
        """Names to which the last question got no answer in time, the oldest first."""
        self.late: dict[str, tuple[float, list[str]]] = {}
        """Answers that came too late, and when."""

    async def resolve(self, host: str) -> list[str]:
        """Return the addresses of a name, best first; an address is its own. Raises `ResolveError`.

        May be cancelled at any time, and gives up after `PATIENCE` seconds.
        """
        with suppress(ValueError):
            return [str(ip_address(host))]
        waiter: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        with self._lock:
            if kept := self._take_late(host):
                return kept
            lookup = self.running.get(host) or self.waiting.get(host) or self._open(host)
            lookup.waiters.add(waiter)
        try:
            async with asyncio.timeout(PATIENCE):
                return await waiter
        except TimeoutError:
            raise ResolveError(f"{host}: no answer within {PATIENCE:g} s") from None
        finally:
            self._leave(lookup, waiter)

    def _take_late(self, host: str) -> list[str]:
        since, addresses = self.late.pop(host, (0.0, []))
        return addresses if time.monotonic() - since < LATE else []

    def _open(self, host: str) -> _Lookup:
        lookup = _Lookup(host)
        if self._may_run(host) or (len(self.running) < MOST_LOCAL and host.lower() in names_in(HOSTS)):
            self.running[host] = lookup
            try:
                threading.Thread(target=self._work, args=(lookup,), name=f"ygg name {host[:64]}", daemon=True).start()
            except RuntimeError:  # no thread is to be had
                del self.running[host]
                if not self.running:
                    raise ResolveError(f"{host}: the system has no thread to ask in") from None
                self.waiting[host] = lookup
        else:
            self.waiting[host] = lookup
        return lookup

    def _may_run(self, host: str) -> bool:
        if len(self.running) >= MOST_THREADS:
            return False
        return host not in self.unanswered or sum(map(self.running.__contains__, self.unanswered)) < MOST_UNANSWERED

    def _leave(self, lookup: _Lookup, waiter: asyncio.Future[list[str]]) -> None:
        with self._lock:
            lookup.waiters.discard(waiter)
            if lookup.waiters:
                return
            if self.waiting.get(lookup.name) is lookup:
                del self.waiting[lookup.name]
            elif self.running.get(lookup.name) is lookup:
                self.unanswered.pop(lookup.name, None)
                remember(self.unanswered, lookup.name, None)

    def _work(self, lookup: _Lookup | None) -> None:
        """Ask for one name, and then for those that wait. A thread's whole life."""
        while lookup is not None:
            answer: _Answer
            try:
                answer = list(dict.fromkeys(self._find(lookup.name)))
            except Exception as error:
                answer = error
            with self._lock:
                lookup = self._finish(lookup, answer)

    def _finish(self, lookup: _Lookup, answer: _Answer) -> _Lookup | None:
        """Hand out an answer, and return what to ask for next."""
        del self.running[lookup.name]
        if lookup.waiters:
            self.unanswered.pop(lookup.name, None)
            lookup.answer(answer)
        elif isinstance(answer, list):
            remember(self.late, lookup.name, (time.monotonic(), answer))
        following = next((waiting for name, waiting in self.waiting.items() if self._may_run(name)), None)
        if following is not None:
            self.running[following.name] = self.waiting.pop(following.name)
        return following


def system_addresses(name: str) -> list[str]:
    """Return what the system's resolver says, however long it takes."""
    if "\0" in name:
        raise ValueError("a NUL, at which the system would take the name to end")
    return [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]


RESOLVER = Resolver()
"""The process's own."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=RESOLVER._clear)  # its threads stay with the parent


async def resolve(host: str) -> list[str]:
    """Return the addresses of a name as the system gives them, best first; an address is its own.

    May be cancelled at any time. Raises `ResolveError`.
    """
    return await RESOLVER.resolve(host)


def _settle(waiter: asyncio.Future[list[str]], name: str, answer: _Answer) -> None:
    if waiter.done():
        return
    if isinstance(answer, Exception):
        waiter.set_exception(_resolve_error(name, answer))
    elif answer:
        waiter.set_result(list(answer))
    else:
        waiter.set_exception(ResolveError(f"{name}: no address"))


def _resolve_error(name: str, error: Exception) -> ResolveError:
    if not isinstance(error, OSError):  # not to be encoded, or with a NUL in it
        return ResolveError(f"{name[:64]!r} is not a host name")
    made = ResolveError(f"{name}: {error.strerror}")
    made.errno = error.errno or made.errno
    return made


def remember(memory: dict[str, T], name: str, value: T) -> None:
    """Note a value as the newest; the oldest makes room."""
    if len(memory) >= MOST_REMEMBERED:
        del memory[next(iter(memory))]
    memory[name] = value


def names_in(hosts: Path) -> frozenset[str]:
    """Return the names of a hosts file, lower case; none where it cannot be read."""
    try:
        about = hosts.stat()
        return _read_hosts(hosts, about.st_mtime_ns, about.st_size)
    except OSError:
        return frozenset()


@lru_cache(1)
def _read_hosts(path: Path, changed: int, size: int) -> frozenset[str]:
    """Return the names of a hosts file (hosts(5)), lower case; the last two arguments tell it from a later one."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return frozenset(name for line in file for name in line.partition("#")[0].lower().split()[1:])
