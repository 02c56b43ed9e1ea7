from collections.abc import Callable

from typing_extensions import Buffer

class RangesTap:
    """A sorted set of disjoint half-open ranges (`ygg_c/base/ranges.pxd`)."""

    @property
    def items(self) -> list[tuple[int, int]]:
        """The ranges, lowest first."""
    @property
    def total(self) -> int:
        """Positions covered."""
    @property
    def growth(self) -> int:
        """Bytes of memory that one range more takes."""
    def add(self, start: int, end: int, most: int = ...) -> int:
        """Add [start, end); return the positions that were new, or -1 where there would be more than `most` ranges."""
    def trim(self, below: int) -> None:
        """Take out what is below a position."""
    def overlap(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the first part of [start, end) that is in the set; None: none is."""
    def find(self, position: int) -> int | None:
        """Return the index of the range that holds a position; None: none does."""
    def clear(self) -> None:
        """Take out everything."""

class TimedTap:
    """Something with a deadline: `fired` is called with the time in ns and returns its next deadline, or None."""

    def __init__(self, fired: Callable[[int], int | None]) -> None: ...

class TimersTap:
    """A heap of such objects (`ygg_c/base/timers.pxd`)."""

    def set(self, timed: TimedTap, due: int | None) -> None:
        """Move a deadline to `due` ns; None: it has none."""
    def forget(self, timed: TimedTap) -> None:
        """Take a timer out."""
    def run(self, now: int) -> int | None:
        """Fire what is due at `now` ns; return when to call next, in ns, or None."""

class ReceiveQueueTap:
    """The receive queue of a connection (`ygg_c/tcp/receivequeue.pxd`), from a stream position on."""

    def __init__(self, position: int = 0) -> None: ...
    @property
    def read(self) -> int:
        """The position of the next byte to read."""
    @property
    def next(self) -> int:
        """The position of the first byte missing."""
    @property
    def held(self) -> int:
        """Bytes of memory in chunks."""
    @property
    def covered(self) -> int:
        """The position where the chunks end."""
    @property
    def beyond(self) -> list[tuple[int, int]]:
        """What arrived beyond `next`."""
    def insert(self, position: int, data: bytes) -> bool:
        """Put bytes at a position; False when there is no room for another hole. ValueError below `next`."""
    def growth(self, position: int, end: int) -> int:
        """Return the bytes of memory that it takes to put in what is from `position` to `end`."""
    def take(self, limit: int) -> bytes:
        """Take out `limit` bytes or fewer."""
    def fill(self, buffer: Buffer) -> int:
        """Take bytes out into a buffer; return how many."""
    def renege(self) -> None:
        """Drop what is beyond `next`."""
    def rest(self) -> None:
        """Free what an empty one keeps."""
    def spare(self) -> None:
        """Memory is short: use small chunks."""
    def clear(self) -> None:
        """Drop everything, read or not."""

class SendQueueTap:
    """The send queue of a connection (`ygg_c/tcp/sendqueue.pxd`), from a stream position on."""

    def __init__(self, position: int = 0) -> None: ...
    @property
    def base(self) -> int:
        """The position of the first byte held."""
    @property
    def end(self) -> int:
        """One past the position of the last."""
    @property
    def held(self) -> int:
        """Bytes of memory in pieces."""
    @property
    def pieces(self) -> int:
        """How many pieces there are."""
    def write(self, data: Buffer, limit: int = ...) -> int:
        """Queue at most `limit` bytes of an object; return how many."""
    def release(self, below: int) -> None:
        """Drop what is below a position."""
    def copy(self, position: int, size: int) -> tuple[bytes, int]:
        """Return bytes and their ones' complement sum (RFC 1071) in memory order. ValueError where not all is held."""
    def rest(self) -> None:
        """Free what an empty one keeps."""
    def clear(self) -> None:
        """Drop everything."""
