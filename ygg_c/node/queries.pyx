"""Requests of ours that wait for an answer; see queries.pxd."""

from cpython.ref cimport PyObject
from libc.string cimport memcpy

from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.base.lru cimport aging_add, aging_remove

cdef uint64_t LIFETIME = 60 * SECOND

cdef enum:
    PENDING_LIMIT = 4096


cdef class Query:
    """One request without an answer."""


cdef class QueryTable:
    """At most one request for each kind and key; each is forgotten after 60 s."""

    def __cinit__(self, uint64_t seed):
        self._pending = ByteMap(33, seed)

    cdef int add(self, int kind, const uint8_t *key, object on_reply, uint64_t now) except -1:
        cdef Query query = Query.__new__(Query)
        self.take(kind, key)
        if self._recent.count >= PENDING_LIMIT:
            self._drop(<Query>self._recent.oldest.owner)
        query.name[0] = <uint8_t>kind
        memcpy(query.name + 1, key, 32)
        query.on_reply = on_reply
        self._pending.put(query.name, query)
        aging_add(&self._recent, &query.aging, <void *>query, now)
        return 0

    cdef object take(self, int kind, const uint8_t *key):
        cdef uint8_t name[33]
        cdef PyObject *found
        cdef Query query
        name[0] = <uint8_t>kind
        memcpy(name + 1, key, 32)
        found = self._pending.get(name)
        if found == NULL:
            return None
        query = <Query>found
        self._drop(query)
        return query.on_reply

    cdef uint64_t poll(self, uint64_t now) noexcept:
        while self._recent.count and now - self._recent.oldest.used >= LIFETIME:
            self._drop(<Query>self._recent.oldest.owner)
        return self._recent.oldest.used + LIFETIME if self._recent.count else NEVER

    cdef void clear(self) noexcept:
        while self._recent.count:
            self._drop(<Query>self._recent.oldest.owner)

    cdef void _drop(self, Query query) noexcept:
        aging_remove(&self._recent, &query.aging)
        self._pending.discard(query.name)
