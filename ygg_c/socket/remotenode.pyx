"""Shares of remote nodes in a stack's memory and places; see remotenode.pxd."""

from cpython.ref cimport PyObject
from libc.string cimport memcpy

from ygg_c.base.clock cimport MS
from ygg_c.base.lru cimport aging_add, aging_remove
from ygg_c.ip.memory cimport INBOUND, LEAST_BUFFER, LEAST_SHARE, OBJECTS, OUTBOUND

cdef enum:
    LAST_PART = 16              # this part of all is for data in order alone

cdef uint64_t LOOK_AGAIN = 100 * MS     # strangers cause the search for the greediest


cdef class RemoteNode:
    """What one remote node has of a stack."""

    cdef size_t total(self) noexcept:
        return self.held[INBOUND] + self.held[OUTBOUND] + self.held[OBJECTS]

    cdef size_t _unused(self) noexcept:
        # How much more is free than it holds.
        cdef size_t free = self._all.memory.free()
        return free - min(free, self.total())

    cdef size_t allowance(self, int way) noexcept:
        cdef size_t least = LEAST_SHARE - min(self.held[way], <size_t>(LEAST_SHARE - LEAST_BUFFER))
        return <size_t>-1 if self.ours else max(self._unused() >> self._all.memory.pressed, least)

    cdef bint takes(self, size_t size, bint in_order) noexcept:
        # Each byte more that it holds is also one less that is free.
        cdef size_t kept = 0 if in_order else self._all.memory.shared() // LAST_PART
        if self.ours or 2 * size + kept <= self._unused():
            return True
        return self._all.memory.has_reserve(self.held[INBOUND], size)

    cdef bint takes_connection(self) noexcept:
        if self.ours or 2 * CONNECTION_COST <= self._unused():
            return True
        return self._all.memory.has_reserve(self.held[OBJECTS], CONNECTION_COST)

    cdef size_t least(self) noexcept:
        cdef Memory memory = self._all.memory
        return LEAST_BUFFER if memory.total < memory.limit - memory.limit // 8 else 0

    cdef void hold(self, int way, size_t before, size_t after) noexcept:
        cdef size_t counted
        self.held[way] += after - before
        counted = 0 if self.ours else self.held[way]
        if way == OUTBOUND:
            # An application may queue more for one node than is its part. That must not be at the cost of others.
            counted = min(counted, self._all.memory.shared() // 3)
        if counted != self._counted[way]:
            self._all.memory.change(way, self._counted[way], counted)
            self._counted[way] = counted

    cdef void hold_orphan(self, size_t before, size_t after) noexcept:
        self.orphaned += after - before
        if not self.ours:
            self._all.orphaned += after - before

    cdef void add_orphan(self, Aging *place, void *connection, uint64_t now) noexcept:
        aging_add(&self.orphans, place, connection, now)
        self._all.orphans += not self.ours

    cdef void remove_orphan(self, Aging *place) noexcept:
        aging_remove(&self.orphans, place)
        self._all.orphans -= not self.ours

    cdef size_t measure(self, Measure what) noexcept:
        if what == OPENED:
            return self.incoming
        if what == ORPHANS:
            return self.orphans.count
        return self.orphaned if what == ORPHANED else self.total()

    cdef void leave(self) noexcept:
        cdef int what
        self._users -= 1
        if self._users == 0:
            for what in range(MEASURES):
                if self._all._greediest[<int>what] == <void *>self:
                    self._all._greediest[<int>what] = NULL
            if not self.ours:
                self._all.memory.change(OBJECTS, NODE_COST, 0)
            self._all.by_key.discard(self._name)


cdef class RemoteNodes:
    """The remote nodes that have connections with a stack."""

    def __cinit__(self, uint64_t seed, Memory memory not None):
        self.by_key = ByteMap(7, seed)
        self.memory = memory

    cdef RemoteNode find(self, const uint8_t *address):
        cdef PyObject *found = self.by_key.get(address + 1)
        return None if found == NULL else <RemoteNode>found

    cdef size_t allowance(self, const uint8_t *address, bint ours) noexcept:
        cdef RemoteNode node = None if ours else self.find(address)
        if ours:
            return <size_t>-1
        return max(self.memory.free() >> self.memory.pressed,
                   <size_t>LEAST_SHARE) if node is None else node.allowance(INBOUND)

    cdef bint takes_connection(self, RemoteNode node) noexcept:
        if node is not None:
            return node.takes_connection()
        return self.memory.has_room(CONNECTION_COST + NODE_COST)

    cdef RemoteNode greediest(self, Measure what, uint64_t now):
        cdef size_t place = 0
        cdef size_t most = 0
        cdef PyObject *found
        if self._greediest[<int>what] != NULL and now - self._looked_at[<int>what] < LOOK_AGAIN:
            return <RemoteNode>self._greediest[<int>what]
        self._looked_at[<int>what] = now
        self._greediest[<int>what] = NULL
        found = self.by_key.walk(&place)
        while found != NULL:
            if not (<RemoteNode>found).ours and (<RemoteNode>found).measure(what) > most:
                most = (<RemoteNode>found).measure(what)
                self._greediest[<int>what] = <void *>found
            found = self.by_key.walk(&place)
        return None if self._greediest[<int>what] == NULL else <RemoteNode>self._greediest[<int>what]

    cdef RemoteNode greediest_beside(self, RemoteNode last, Measure what, uint64_t now):
        cdef RemoteNode node = self.greediest(what, now)
        return last if node is None or node.measure(what) <= last.measure(what) else node

    cdef RemoteNode enter(self, const uint8_t *address, bint ours):
        cdef RemoteNode node = self.find(address)
        if node is None:
            node = RemoteNode()
            node._all = self
            node.ours = ours
            memcpy(node._name, address + 1, 7)
            self.by_key.put(node._name, node)
            if not ours:
                self.memory.change(OBJECTS, 0, NODE_COST)
        node._users += 1
        return node
