# Sessions that wait for the remote's keys, with the payloads that wait for the session.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.packet cimport Packet
from ygg_c.base.pending cimport Pending, PendingAccount
from ygg_c.base.sodium cimport Random
from ygg_c.session.remotes cimport RemoteList
from ygg_c.session.session cimport KeyPair, Remote

# A session we asked for (or answered a stranger's traffic with) that has no remote keys yet.
cdef class Opening(Remote):
    cdef bint wanted                # by us: it may hold payloads; otherwise a stranger's traffic made it
    cdef KeyPair current, next
    cdef Pending pending            # unsent payloads, as many as there is room for
    cdef bint lapsed                # there are connections, of a session that has lapsed
    cdef uint64_t since             # ns when it was made
    cdef uint64_t repeated          # the unix second in which a new path made us repeat the Init, 0: none

cdef class Openings:
    cdef Random random
    cdef ByteMap _by_key
    cdef RemoteList wanted           # by us
    cdef RemoteList _strangers       # by strangers' traffic
    cdef PendingAccount _account
    cdef size_t limit               # of each list
    cdef uint64_t evicted, expired, dropped     # openings that gave way, that were forgotten; payloads dropped
    # The opening for a key, or None.
    cdef Opening find(self, const uint8_t *key)
    # The same, made when there is none: wanted by us, or made by traffic that came in at `origin`.
    cdef Opening open(self, uint64_t origin, const uint8_t *key, bint wanted, uint64_t now)
    # Keep a payload until the session is open; takes ownership.
    cdef void hold(self, Opening opening, Packet *payload, uint64_t now) noexcept
    # The oldest payload that is held, or NULL.
    cdef Packet *release(self, Opening opening, uint64_t now) noexcept
    # Whether payloads wait that are still worth sending.
    cdef bint waits(self, Opening opening, uint64_t now) noexcept
    # Whether half of what we may want ourselves is in use.
    cdef bint is_crowded(self) noexcept
    cdef void drop(self, Opening opening) noexcept
    # Forget what has expired; return the next deadline or NEVER.
    cdef uint64_t poll(self, uint64_t now) noexcept
    cdef void clear(self) noexcept
    cdef RemoteList *_list_of(self, Opening opening) noexcept
    cdef uint64_t _expire(self, RemoteList *list, uint64_t now) noexcept
