# The turn: the rules by which an engine's work is gathered, done and announced. See turn.pyx.

from libc.stdint cimport uint64_t

cdef class Turn:
    cdef int depth                  # of enter() and leave(); 0: at rest
    cdef int round                  # of the rounds with which it ends
    cdef bint more                  # something is to be done, and no round has done it yet
    cdef bint asked                 # the host has been asked for a turn, and has given none since
    cdef uint64_t deadline          # when the next turn is due, in ns; NEVER when nothing waits
    cdef uint64_t promised          # the deadline that the host knows of
    # What may have something to send, links or endpoints, in the order in which it was marked. Each has a flag of its
    # own that tells whether it is in here, and is so at most once.
    cdef list dirty
    cdef list events                # callbacks for the end of a round: (function, arguments)

    cdef void enter(self) noexcept
    # True: this was the outermost; the rounds follow, and end().
    cdef bint leave(self) noexcept
    cdef bint next_round(self) noexcept                     # begin one; False: there is none to begin
    # A round has flushed what there was: callbacks may run, and what they want is for another. `deadline`: as polled.
    cdef void flushed(self, uint64_t deadline) noexcept
    # What is dirty still is due at once. True: the host waits for a later deadline, so ask it for a turn.
    cdef bint end(self, uint64_t now) noexcept
    cdef void drop(self) noexcept                           # be at rest, without rounds
    # The host gives a turn of its own accord; whether it is no nested one. It learns the deadline that promise() tells.
    cdef bint begin_owed(self) noexcept
    cdef void promise(self) noexcept
    cdef void later(self, object function, tuple arguments) noexcept
    cdef list take_events(self)                             # oldest first
    cdef list take_dirty(self)                              # what is marked from now on is for the next flush

# There is something to do: in this turn, where one runs. True: the host is to be asked for one, which `can_ask` says is
# possible, and has not been asked so far.
cdef inline bint turn_want(Turn turn, bint can_ask) noexcept:
    if turn.depth:
        turn.more = True
        return False
    if turn.asked or not can_ask:
        return False
    turn.asked = True
    return True

# Turns that are never nested: a batch of input is open from its first packet to the flush that ends it.
cdef inline void turn_open(Turn turn) noexcept:
    turn.depth = 1

cdef inline void turn_close(Turn turn) noexcept:
    turn.depth = 0
    turn.asked = False
