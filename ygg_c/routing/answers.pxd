# Where this node tells others that it is: answers to lookups, introductions to those who will look for it soon, and
# news of its moves to those who have written to it lately.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.ratelimit cimport Bucket, Recent
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.wire cimport Lookup
from ygg_c.routing.location cimport Location
from ygg_c.routing.nexthop cimport NextHops
from ygg_c.routing.paths cimport Path

cdef class Answers:
    cdef LinkHost host
    cdef NextHops hops
    cdef Location location
    cdef Budget _answers
    cdef Recent _answered
    cdef uint64_t _salt
    cdef list _introductions        # of Path, in the order of their times
    cdef uint64_t introduce_at      # the first of these; NEVER: there is none
    cdef Bucket _moves              # news of moves that may be sent now
    cdef readonly uint64_t limited
    cdef readonly uint64_t unroutable
    # Answer a lookup that the neighbour of this number has brought; `known`: there is a path to its source.
    cdef void answer(self, uint64_t origin, const Lookup *message, bint known) noexcept
    cdef void introduce(self, Path path) noexcept                   # it is asked for a session, and will look for us
    cdef void send_introductions(self) noexcept                     # what is due
    # We have moved, and its holder writes to us: False when this is one too many.
    cdef bint tell_moved(self, Path path) noexcept
    cdef bint _notify(self, const uint8_t *dest, const uint8_t *path, size_t size) noexcept

# Queue a PathNotify or PathBroken on a link: path, watermark, then `rest`, which starts with source and destination.
cdef void send_routed(Link link, int kind, const uint8_t *path, size_t path_size, uint64_t watermark,
                      const uint8_t *rest, size_t rest_size, bint own) noexcept
