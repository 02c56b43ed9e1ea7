"""The turn: the rules by which an engine's work is gathered, done and announced.

Theory of operation
-------------------

Everything in the engine happens in turns, and all else is only noted. A host (a pump at a readable event, a driver at a
deadline, a simulator) *enters* with the time, feeds links what their streams brought, and *leaves*. What is fed is
handled at once; what follows from it is marked: what may have something to send (Turn.dirty: the links of a node, the
endpoints of a stack), callbacks (Turn.events), links that have failed (LinkHost.failed), endpoints with news for the
application (Host._ready). Leaving deals with what was marked, in *rounds*. Each round

1. has the upper side answer the batch: the stack sends acknowledgements and window updates, with data where there are
   any (Layer.batch_end). It comes before timers, for these are often set for what such an answer makes unnecessary: a
   delayed acknowledgement, a keepalive of the link;
2. runs the timers that are due, wherever they are, the upper side's last (Layer.poll): what a path that was found or a
   link that was lost has made possible is so sent in the same round, which is why the stack is flushed a second time.
   Each part has one next deadline, and the turn the earliest of them;
3. flushes each link with output, once. A transport may hand bytes over at once and be answered, in a turn that is
   nested then: what is wanted during the flush is due when the turn has ended, and makes no further round;
4. runs the callbacks that have gathered. Only here does Python of the application run, with the engine at rest, so that
   it may call anything: write, close, even take a turn, which is then nested and only noted.

What callbacks have queued is flushed in a further round. There are at most four, lest two ends in one process keep each
other busy for good: what is left waits for the next turn, which is due at once, after other callbacks of the host.

Between turns anything may queue work (an application writes, a timer moves). It *wants* a turn: the host is asked, once
until it gives one. A host need not look at the deadline after every batch, either. It keeps a timer for the last
deadline that it was told (*promised*), and is asked when an earlier one comes up.

Node has these turns, and its router, sessions, queries, gateway and stack take part in them. A stack has a smaller kind
of its own (turn_open, turn_close): a batch is open from its first packet, or its timers, to the flush that ends it, in
which what endpoints want needs no asking; outside of one it asks what is below for a turn, or its own host where
nothing is. Those are not nested and have no rounds.

How much may be done in a turn is another matter: see LinkHost.work, and Link.hold.
"""

from ygg_c.base.clock cimport NEVER

cdef enum:
    ROUNDS = 4


cdef class Turn:
    """Whether a turn runs, what it still has to do, and what its host has been told."""

    def __cinit__(self):
        self.deadline = self.promised = NEVER
        self.dirty = []
        self.events = []

    cdef void enter(self) noexcept:
        self.depth += 1
        self.asked = False

    cdef bint leave(self) noexcept:
        if self.depth > 1:
            self.depth -= 1
            self.more = True
            return False
        self.round = 0
        return True

    cdef bint next_round(self) noexcept:
        if self.round == ROUNDS or (self.round and not self.more):
            return False
        self.round += 1
        self.more = False
        return True

    cdef void flushed(self, uint64_t deadline) noexcept:
        self.deadline = deadline
        self.more = False

    cdef bint end(self, uint64_t now) noexcept:
        self.depth = 0
        if self.more or self.dirty:
            self.deadline = now
        return self.deadline < self.promised

    cdef void drop(self) noexcept:
        self.depth = 0

    cdef bint begin_owed(self) noexcept:
        if self.depth != 1:
            return False
        self.promised = 0
        return True

    cdef void promise(self) noexcept:
        if self.depth == 0:
            self.promised = self.deadline

    cdef void later(self, object function, tuple arguments) noexcept:
        self.events.append((function, arguments))

    cdef list take_events(self):
        cdef list events = self.events
        if events:
            self.events = []
        return events

    cdef list take_dirty(self):
        cdef list dirty = self.dirty
        if dirty:
            self.dirty = []
        return dirty
