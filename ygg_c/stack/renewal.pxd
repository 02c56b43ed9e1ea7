# Peers that made a new session: each may be a host that restarted and knows nothing of its connections. These are asked
# at once (Tcb.check), so that they end now and not when keepalive or a user timeout notices.
#
# Peers to whom a way was found anew, after an outage, are no reason to ask: what waits for a timer that the outage has
# made long sends at once (Tcb.hasten), and where a link came or went that is true of every peer.
#
# Strangers cause this, so the work is bounded however often it is asked for: one search over all connections serves all
# peers that came until it began, searches have a pause between them, and both go in steps. In each step the peers found
# take turns, one probe each, so that a peer with very many connections delays no other's.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.sodium cimport Random
from ygg_c.base.timers cimport Timed
from ygg_c.socket.endpoint cimport Host

cdef class Renewed:
    cdef list connections           # found and not asked yet
    cdef bint restarted             # perhaps, and not just found again

# Peers by their address and by their subnet.
cdef class Peers:
    cdef ByteMap addresses
    cdef ByteMap subnets
    cdef Renewed others             # what stands for every other peer; None: they are not sought
    cdef Renewed of(self, const uint8_t *address)
    cdef bint is_any(self) noexcept

cdef class Renewals(Timed):
    cdef Host host                  # None while there is nothing to do
    cdef ByteMap _connections
    cdef Random _random
    cdef Peers _coming              # for the next search
    cdef Peers _sought              # for the present one
    cdef list _unsearched           # connections it has not looked at yet
    cdef list _asking               # peers with connections to ask, in turns
    cdef uint64_t _pause_until
    cdef void add(self, Host host, const uint8_t *address, const uint8_t *subnet, bint restarted) noexcept
    cdef void add_all(self, Host host) noexcept     # there are other ways: hasten what waits
    cdef void _note(self, Host host) noexcept
    cdef void clear(self) noexcept
    cdef void _search(self) noexcept
    cdef void _ask(self, uint64_t now) noexcept
