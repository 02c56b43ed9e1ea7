"""Sessions that wait for the remote's keys; see openings.pxd.

What strangers can make us keep is bounded apart from what we want ourselves, and shared by where it comes in
(remotes.pxd). Payloads wait in order, each for a while (base/pending.pxd).
"""

from cpython.ref cimport PyObject
from libc.string cimport memcpy

from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.base.pending cimport pending_clear, pending_expire, pending_is_crowded, pending_pop, pending_push
from ygg_c.base.sodium cimport wipe
from ygg_c.session.remotes cimport remotes_add, remotes_remove, remotes_victim
from ygg_c.session.session cimport fresh_pair

cdef uint64_t LIFETIME = 60 * SECOND      # of openings since their last use

cdef enum:
    HOLD_LIMIT = 16777216       # bytes of memory of payloads that wait


cdef class Opening(Remote):
    """A session that waits for the remote's keys."""

    def __dealloc__(self):
        cdef PendingAccount none
        none.used = self.pending.memory
        pending_clear(&none, &self.pending)
        wipe(&self.current, sizeof(KeyPair))
        wipe(&self.next, sizeof(KeyPair))


cdef class Openings:
    """The openings of one identity by remote key."""

    def __cinit__(self, Random random not None, uint64_t seed):
        self.random = random
        self._by_key = ByteMap(32, seed)
        self._account.limit = HOLD_LIMIT
        self.limit = 4096

    cdef Opening find(self, const uint8_t *key):
        cdef PyObject *found = self._by_key.get(key)
        return <Opening>found if found != NULL else None

    cdef Opening open(self, uint64_t origin, const uint8_t *key, bint wanted, uint64_t now):
        cdef Opening opening = self.find(key)
        cdef RemoteList *list
        if opening is None:
            opening = Opening.__new__(Opening)
            memcpy(opening.key, key, 32)
            opening.origin = origin
            opening.wanted = wanted
            opening.since = now
            fresh_pair(&opening.current, self.random)
            fresh_pair(&opening.next, self.random)
        else:
            remotes_remove(self._list_of(opening), opening)
            opening.wanted |= wanted
        list = self._list_of(opening)
        if list.aging.count >= self.limit:
            self.evicted += 1
            self.drop(<Opening>remotes_victim(list))
        self._by_key.put(key, opening)
        remotes_add(list, opening, now)
        return opening

    cdef void hold(self, Opening opening, Packet *payload, uint64_t now) noexcept:
        self.dropped += pending_expire(&self._account, &opening.pending, now)
        # Who has waited for longest is the least likely to be answered.
        while pending_is_crowded(&self._account, &opening.pending,
                                 payload) and <void *>opening != self.wanted.aging.oldest.owner:
            self.evicted += 1
            self.drop(<Opening>self.wanted.aging.oldest.owner)
        self.dropped += not pending_push(&self._account, &opening.pending, payload, now)

    cdef Packet *release(self, Opening opening, uint64_t now) noexcept:
        self.dropped += pending_expire(&self._account, &opening.pending, now)
        return pending_pop(&self._account, &opening.pending)

    cdef bint waits(self, Opening opening, uint64_t now) noexcept:
        self.dropped += pending_expire(&self._account, &opening.pending, now)
        return opening.pending.packets.count > 0

    cdef bint is_crowded(self) noexcept:
        return 2 * self.wanted.aging.count >= self.limit

    cdef uint64_t poll(self, uint64_t now) noexcept:
        if self.wanted.aging.count == 0 and self._strangers.aging.count == 0:
            return NEVER
        return min(self._expire(&self.wanted, now), self._expire(&self._strangers, now))

    cdef uint64_t _expire(self, RemoteList *list, uint64_t now) noexcept:
        while list.aging.count and now - list.aging.oldest.used >= LIFETIME:
            self.expired += 1
            self.drop(<Opening>list.aging.oldest.owner)
        return list.aging.oldest.used + LIFETIME if list.aging.count else NEVER

    cdef void clear(self) noexcept:
        while self.wanted.aging.count:
            self.drop(<Opening>self.wanted.aging.oldest.owner)
        while self._strangers.aging.count:
            self.drop(<Opening>self._strangers.aging.oldest.owner)

    cdef RemoteList *_list_of(self, Opening opening) noexcept:
        return &self.wanted if opening.wanted else &self._strangers

    cdef void drop(self, Opening opening) noexcept:
        self.dropped += pending_clear(&self._account, &opening.pending)
        remotes_remove(self._list_of(opening), opening)
        self._by_key.discard(opening.key)
