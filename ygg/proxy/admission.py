"""How many connections a service has at once: in all, and of one source, and who makes room when it is full."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol, TypeVar


class Admitted(Protocol):
    """A connection as the admission sees it."""

    @property
    def source(self) -> Hashable | None:
        """Who it is of; None where sources are not told apart."""

    @property
    def active_at(self) -> float:
        """When it was last seen to do something."""


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
        that has been idle longest: many idle connections of one source do not shut out all others.
        """
        own = len(self._by_source.get(newcomer.source, ()))
        if newcomer.source is not None and own >= self._per_source:
            return False, None
        victim = None
        if self._count >= self._most:
            most = max(self._by_source.values(), key=len, default={})
            if len(most) <= own + 1:
                return False, None
            victim = min(most, key=lambda one: one.active_at)
            self.discard(victim)
        self._by_source.setdefault(newcomer.source, {})[newcomer] = None
        self._count += 1
        return True, victim  # type: ignore[return-value]

    def discard(self, connection: Admitted) -> None:
        """Forget a connection; does nothing for one that is not known."""
        known = self._by_source.get(connection.source)
        if known is None or connection not in known:
            return
        del known[connection]
        self._count -= 1
        if not known:
            del self._by_source[connection.source]
