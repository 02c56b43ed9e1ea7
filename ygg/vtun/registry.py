"""What is open on a VTun, so that closing it can tell everyone."""

from typing import Protocol

from ygg.vtun.reach import Reach


class Open(Protocol):
    """Something that lives on a VTun."""

    def shut(self, error: BaseException) -> None:
        """End: the VTun closes. Waiters get `error`."""


class Registry:
    """The transports, servers, datagram sockets and waiters of a VTun; ordered by age."""

    def __init__(self, reach: Reach) -> None:
        self._open: dict[Open, None] = {}
        self.reach = reach
        """What the node below knows of the others."""

    def __len__(self) -> int:
        return len(self._open)

    def add(self, thing: Open) -> None:
        """Remember `thing` until it is discarded."""
        self._open[thing] = None

    def discard(self, thing: Open) -> None:
        """Forget `thing`, which has ended."""
        self._open.pop(thing, None)

    def shut(self, error: BaseException) -> None:
        """End everything, oldest first."""
        for thing in list(self._open):
            thing.shut(error)
