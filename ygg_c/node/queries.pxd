# Node information and debug queries (protocol 0.5, section 8): the protocol messages inside sessions.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.lru cimport Aging, AgingList

cdef enum:
    QUERY_NODEINFO = 0
    QUERY_SELF
    QUERY_PEERS
    QUERY_TREE

cdef class Query:
    cdef uint8_t name[33]           # kind and key
    cdef object on_reply
    cdef Aging aging

# Requests of ours that wait for an answer.
cdef class QueryTable:
    cdef ByteMap _pending           # kind || key -> Query
    cdef AgingList _recent

    cdef int add(self, int kind, const uint8_t *key, object on_reply, uint64_t now) except -1
    # The callback that waits for this answer, taken out of the table, or None.
    cdef object take(self, int kind, const uint8_t *key)
    cdef uint64_t poll(self, uint64_t now) noexcept
    cdef void clear(self) noexcept
    cdef void _drop(self, Query query) noexcept
