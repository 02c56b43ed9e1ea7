# The records of the spanning tree: which are kept, who descends from whom, and the coordinates that follow. See
# records.pyx.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.link.link cimport LinkHost
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.link.wire cimport Announce

cdef enum:
    RECORDS_MAX = 16384             # in total
    NEIGHBOUR_RECORDS_MAX = 4096    # brought first by one neighbour
    EVICTED_MAX = 256               # in one search for room
    NEEDED_MAX = 256                # hops of a neighbour's ancestry that are kept when there are too many records
    DEPTH_MAX = 1024                # = PATH_PORTS_MAX: no node can be addressed deeper

cdef class Record:
    cdef uint8_t key[32]
    cdef uint8_t parent[32]
    cdef uint64_t seq
    cdef uint64_t nonce
    cdef uint64_t port
    cdef uint8_t psig[64]
    cdef uint8_t sig[64]
    cdef uint64_t updated           # ns
    cdef Neighbour bringer          # None: ourselves, or it is gone
    cdef Py_ssize_t _slot           # in Records.entries
    cdef uint64_t _mark             # the walk that met it last
    cdef uint64_t *_ports           # coordinates, valid for one generation
    cdef size_t _depth
    cdef void *_root                # the record they start from, borrowed; NULL: its ancestry leads nowhere
    cdef uint64_t _generation       # 0: never computed

# Where following parents from a key ends.
cdef struct Walk:
    uint8_t root[32]                # the last key that has a record
    uint64_t depth                  # hops to it
    bint through_us

cdef class Records:
    cdef LinkHost host
    cdef ByteMap _records           # 32-byte key -> Record
    cdef list entries
    cdef list neighbours            # of Neighbour with a proven link, oldest first
    cdef Record own                 # None before the first maintenance
    cdef uint64_t generation        # changes with everything a next hop depends on
    cdef uint64_t _walks
    cdef uint64_t _expire_at        # no record expires before
    cdef uint64_t _changed_at       # ns: when the generation changed by what a record says
    cdef bint _stale                # a record has changed since
    cdef readonly uint64_t records_refused
    cdef readonly uint64_t records_evicted

    cdef Record record(self, const uint8_t *key)                    # None when unknown
    # how many; `ports` is borrowed until the next change
    cdef size_t coords(self, Record record, uint64_t **ports) noexcept
    cdef size_t own_coords(self, uint64_t **ports) noexcept
    cdef bint in_our_tree(self, Record record) noexcept             # its coordinates and ours start from the same root
    cdef void walk(self, const uint8_t *key, Walk *walk) noexcept
    # The records from `key` up to the last known ancestor, or to below `end`, at most `most`; returns how many.
    # Borrowed.
    cdef size_t ancestry(self, const uint8_t *key, Record end, void **records, size_t most) noexcept

    # A record with this key has been replaced or removed; for Tree to override.
    cdef void _replaced(self, const uint8_t *key) noexcept
    # `welcome`: kept even when there is no room.
    cdef bint _make_room(self, Neighbour bringer) noexcept
    cdef uint64_t _mark_needed(self) noexcept
    cdef Neighbour _greediest(self, uint64_t first)
    cdef int _store(self, const Announce *message, Neighbour bringer, bint welcome) noexcept
    cdef void _remove(self, Record record) noexcept
    cdef void _note_change(self) noexcept
    cdef void _forget_coords(self, Record record) noexcept
    cdef void _expire(self) noexcept
