"""How many connections a service has at once: in all, and of one source, and who makes room when it is full."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol, TypeVar


class Admitted(Protocol):
    """A connection as the admission sees it."""

    @property
    def source(self) -> Hashable | None:
        """Who it is of; None where sources are not told apart."""

    @property
    def active_at(self) -> float:
        """When it was last seen to do something, in seconds; of a newcomer now."""


SPARED = 60.0
"""Seconds for which one that was seen to do something does not make room for its equal."""

A = TypeVar("A", bound=Admitted)


class Admission:
    """The connections that there are, by their sources."""

    def __init__(self, most: int, per_source: int) -> None:
        self._most, self._per_source = most, per_source
        self._by_source: dict[Hashable | None, dict[Admitted, None]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def admit(self, newcomer: A) -> tuple[bool, A | None]:
        """Return whether `newcomer` is taken, and which other has to go for it, if one has.

        When all is taken, a source that has fewer than the one that has most gets the place of that one's connection
        that has been idle longest: many idle connections of one source do not shut out all others. Nor do many sources
        with one each, or a source itself: what has been idle for `SPARED` seconds makes room for any that does
        something.
        """
        own = self._by_source.get(newcomer.source, {})
        victim: Admitted | None = None
        if newcomer.source is not None and len(own) >= self._per_source:
            victim = self._idle(own, newcomer)
        elif self._count >= self._most:
            most = max(self._by_source.values(), key=len, default={})
            if len(most) > len(own) + 1:
                victim = min(most, key=lambda one: one.active_at)
            else:
                victim = self._idle((one for ones in self._by_source.values() for one in ones), newcomer)
        else:
            return self._take(newcomer), None
        if victim is None:
            return False, None
        self.discard(victim)
        return self._take(newcomer), victim  # type: ignore[return-value]

    def _idle(self, ones: Iterable[Admitted], newcomer: Admitted) -> Admitted | None:
        """Return the one that has been idle longest, if that is long enough."""
        found = min(ones, key=lambda one: one.active_at, default=None)
        return found if found is not None and newcomer.active_at - found.active_at >= SPARED else None

    def _take(self, newcomer: Admitted) -> bool:
        self._by_source.setdefault(newcomer.source, {})[newcomer] = None
        self._count += 1
        return True

    def discard(self, connection: Admitted) -> None:
        """Forget a connection; does nothing for one that is not known."""
        known = self._by_source.get(connection.source)
        if known is None or connection not in known:
            return
        del known[connection]
        self._count -= 1
        if not known:
            del self._by_source[connection.source]
