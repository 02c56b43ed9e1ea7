# The flows of one node that wait for one link: deficit round robin, new flows first (RFC 8290, 4.2).
#
# A flow is a socket. It shares before sealing, for what a session has sealed must leave in that order. One that finds
# the link full waits here, and as long as one waits no other gets room on that link. The queue is served when the
# link has drained: each flow sends for as much as its deficit allows, then the next.

from libc.stdint cimport int64_t, uint64_t

from ygg_c.base.timers cimport Timed

cdef class Flow(Timed):
    cdef FlowQueue waits_in             # None: it does not wait
    cdef bint wants                     # it was refused since it was last served
    cdef bint is_new
    cdef int64_t deficit                # bytes it may still send in this round
    cdef Flow _before
    cdef Flow _after
    # Send what may be sent; True when more could follow at once and others should have their turn first.
    cdef bint flush(self, uint64_t now) noexcept

cdef class FlowQueue:
    cdef uint64_t link                  # number of the link
    cdef size_t quantum                 # bytes of one turn
    cdef Flow _new
    cdef Flow _last_new
    cdef Flow _old
    cdef Flow _last_old
    cdef void add(self, Flow flow) noexcept
    cdef void remove(self, Flow flow) noexcept
    cdef Flow next(self)                # whose turn it is; None: no flow's
    cdef bint has_others(self, Flow flow) noexcept              # than the one whose turn it is
    cdef void satisfied(self, Flow flow) noexcept   # it wants nothing more now
    cdef void _append(self, Flow flow, bint new) noexcept
    cdef void _take_out(self, Flow flow) noexcept
