# Finding out what a path takes when no Packet Too Big tells (RFC 4821, RFC 8899): upwards, by a segment that is larger
# than the others and carries data like them.
#
#   path ── known to pass ──┤            ├── size, tried now ──┤            ├── most, the largest that may pass
#
# A search is on while `most` is above the path MTU. It begins when what was told has grown old, or after segments have
# vanished again and again, which may have been an outage: so the first that is tried is the largest. If that is lost,
# and lost once more, what lies halfway among the usual sizes is next. Congestion control hears nothing of a segment
# that was lost thus.

from libc.stdint cimport uint32_t

cdef enum:
    VANISHED = 3                # timeouts in a row after which the path may be a black hole (RFC 4821, 7.7)

cdef struct PathSearch:
    size_t most                 # bytes of a packet; 0: no search
    size_t size                 # of the next, or of that which is out
    uint32_t number             # its record on the scoreboard
    int fails
    bint out

cdef void search_begin(PathSearch *search, size_t path, size_t most) noexcept nogil
# It arrived. True: there is more to find out.
cdef bint search_passed(PathSearch *search) noexcept nogil
# It was lost. False: nothing larger than `path` is left to try.
cdef bint search_failed(PathSearch *search, size_t path) noexcept nogil
# A Packet Too Big about it: no more than `most` passes. False: as above.
cdef bint search_told(PathSearch *search, size_t path, size_t most) noexcept nogil
