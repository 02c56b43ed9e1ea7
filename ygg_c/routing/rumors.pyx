"""The keys that a node wants to reach; see rumors.pxd."""

from cpython.ref cimport PyObject

from ygg_c.base.address cimport lookup_key
from ygg_c.base.clock cimport NEVER
from ygg_c.base.packet cimport queue_clear
from ygg_c.link.bloom cimport probe_init

cdef enum:
    RUMORS_MAX = 4096
    LOOKED_AT = 8                   # at random, of which the stalest goes


cdef class Rumor:
    """A key that is to be reached from here."""

    def __dealloc__(self):
        queue_clear(&self.held)


cdef class Rumors:
    """The keys that one node wants to reach."""

    def __cinit__(self, LinkHost host not None, HeldPackets held not None):
        self.host = host
        self.held = held
        self._by_target = ByteMap(32, host.random.u64())
        self.all = []
        self._expire_at = NEVER

    cdef Rumor find(self, const uint8_t *key):
        cdef uint8_t target[32]
        cdef PyObject *found
        lookup_key(key, target)
        found = self._by_target.get(target)
        return <Rumor>found if found != NULL else None

    cdef Rumor add(self, const uint8_t *key):
        cdef Rumor rumor
        if len(self.all) >= RUMORS_MAX:
            self._remove(self._stalest())
        rumor = Rumor()
        lookup_key(key, rumor.target)
        probe_init(&rumor.probe, rumor.target)
        rumor._slot = len(self.all)
        self.all.append(rumor)
        self._by_target.put(rumor.target, rumor)
        return rumor

    cdef void live(self, Rumor rumor, uint64_t until) noexcept:
        rumor.expires = until
        self._expire_at = min(self._expire_at, until)

    # Of a few taken at random, the one that expires first: near enough to the stalest of all, in constant time.
    cdef Rumor _stalest(self):
        cdef Rumor rumor
        cdef Rumor stalest = None
        cdef int _index
        for _index in range(LOOKED_AT):
            rumor = <Rumor>self.all[self.host.random.u64() % <uint64_t>len(self.all)]
            if stalest is None or rumor.expires < stalest.expires:
                stalest = rumor
        return stalest

    cdef void _remove(self, Rumor rumor) noexcept:
        cdef Rumor last = <Rumor>self.all.pop()
        if last is not rumor:
            self.all[rumor._slot] = last
            last._slot = rumor._slot
        self.held.drop(&rumor.held, 0)
        self._by_target.discard(rumor.target)

    cdef void expire(self, uint64_t now) noexcept:
        cdef Rumor rumor
        if now < self._expire_at:
            return
        self._expire_at = NEVER
        for rumor in list(self.all):
            if rumor.expires <= now:
                self._remove(rumor)
            else:
                self._expire_at = min(self._expire_at, rumor.expires)
