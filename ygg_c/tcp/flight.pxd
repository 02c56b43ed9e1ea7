# What a sender knows while something of it is under way: the scoreboard, what is made of it, and samples of the
# delivery rate. Most connections are idle most of the time, so this is allocated when the first segment leaves and
# freed when the connection rests: all is acknowledged, and nothing has been learnt that the next flight should know, as
# that the path reorders segments.

from libc.stdint cimport uint64_t

from ygg_c.tcp.pacing cimport Pacing
from ygg_c.tcp.pathsearch cimport PathSearch
from ygg_c.tcp.rack cimport Rack
from ygg_c.tcp.recovery cimport Recovery
from ygg_c.tcp.scoreboard cimport Scoreboard, Sent

cdef struct Flight:
    Scoreboard board
    Rack rack
    Recovery recovery
    PathSearch search
    # of the last segment that was less than full: Nagle's algorithm has the next such one wait for it
    uint64_t small_end
    uint64_t repaired           # what is lost below is so by no loss
    # For samples of the delivery rate: bytes delivered, when, and when the last segment delivered had left. `limited`:
    # what `delivered` has to reach before the application is the limit no more.
    uint64_t delivered
    uint64_t delivered_at
    uint64_t sent_at
    uint64_t limited
    uint64_t rate               # the latest sample, bytes/s; 0: none
    Pacing pacing
    uint64_t pace_at            # when what pacing held back in the last flush may leave

cdef Flight *flight_new() noexcept nogil        # NULL: no memory
cdef void flight_free(Flight *flight) noexcept nogil
cdef inline size_t flight_memory(const Flight *flight) noexcept nogil:
    if flight == NULL:
        return 0
    return sizeof(Flight) + ((flight.board.mask + 1) * sizeof(Sent) if flight.board.ring != NULL else 0)

# Free what the next flight need not find; NULL when it is all of it.
cdef Flight *flight_rest(Flight *flight, uint64_t una) noexcept nogil
