"""A turn whose rounds Python runs."""

from libc.stdint cimport uint64_t

from ygg_c.base.clock cimport NEVER
from ygg_c.base.turn cimport Turn, turn_close, turn_open, turn_want


cdef class TurnTap:
    """The turns of an engine that is written in Python."""

    cdef Turn _turn
    cdef object _poll
    cdef object _ask

    def __init__(self, poll, ask):
        self._turn = Turn()
        self._poll = poll
        self._ask = ask

    def enter(self):
        """Begin a turn, perhaps a nested one."""
        self._turn.enter()

    def leave(self, uint64_t now=0):
        """End it, with its rounds."""
        if not self._turn.leave():
            return
        while self._turn.next_round():
            deadline = self._poll()
            self._turn.flushed(NEVER if deadline is None else deadline)
            for function, arguments in self._turn.take_events():
                function(*arguments)
        if self._turn.end(now):
            self.want()

    def turn(self, uint64_t now=0):
        """Give a turn, and return the deadline in ns, or None."""
        self._turn.enter()
        self._turn.begin_owed()
        self.leave(now)
        self._turn.promise()
        return None if self._turn.deadline == NEVER else self._turn.deadline

    def want(self):
        """Say that there is something to do."""
        if turn_want(self._turn, self._ask is not None):
            self._ask()

    def later(self, function, *arguments):
        """Have a function called at the end of a round."""
        self._turn.later(function, arguments)
        self.want()

    def mark(self, part):
        """Say that a part has something to send."""
        self._turn.dirty.append(part)
        self.want()

    def take_dirty(self):
        """Return what was marked since the last call."""
        return self._turn.take_dirty()

    def open(self):
        """Open a batch."""
        turn_open(self._turn)

    def close(self):
        """Close it."""
        turn_close(self._turn)

    @property
    def depth(self):
        """How many turns are entered and not left."""
        return self._turn.depth
