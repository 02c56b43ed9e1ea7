"""The records of the spanning tree: what is kept of them, and the ways and coordinates that follow from them.

Strangers can sign records for any number of invented keys, and chain them to ancestries without end. So records are
counted per neighbour and in total, and when there are too many, those go that nothing needs: neither our ancestry, nor
the first hops of a neighbour's. When all the room is taken, those of the neighbour that brought the most go: those who
bring little always find room. A neighbour's own record is never refused.
"""

from cpython.ref cimport PyObject
from libc.stdlib cimport free, malloc

from ygg_c.base.clock cimport MS, NEVER, SECOND
from libc.string cimport memcmp, memcpy, memset


cdef uint64_t EXPIRE_AFTER = 300 * SECOND       # ns after its last change another's record is forgotten
cdef uint64_t CROWDED_FOR = 100 * MS            # for which a search for room that found none counts
cdef uint64_t CHANGE_GAP = 10 * MS              # ns between looks at what records of others have changed


cdef class Record:
    """Who a node's parent is, under which port, signed by both."""

    def __dealloc__(self):
        free(self._ports)


cdef class Records:
    """The records of one node; see Tree."""

    def __cinit__(self, LinkHost host not None, *args):
        self.host = host
        self._records = ByteMap(32, host.random.u64())
        self.entries = []
        self.neighbours = []
        self.generation = 1
        self._expire_at = NEVER

    cdef void _replaced(self, const uint8_t *key) noexcept:
        pass

    cdef Record record(self, const uint8_t *key):
        cdef PyObject *found = self._records.get(key)
        return <Record>found if found != NULL else None

    # Put a record that the merge rule prefers in its place; -1 when there is no room for another key.
    cdef int _store(self, const Announce *message, Neighbour bringer, bint welcome) noexcept:
        cdef Record record = self.record(message.node)
        if record is None:
            if bringer is not None and not self._make_room(bringer) and not welcome:
                self.records_refused += 1
                return -1
            record = Record()
            memcpy(record.key, message.node, 32)
            record.bringer = bringer
            if bringer is not None:
                bringer.stored += 1
            record._slot = len(self.entries)
            self.entries.append(record)
            self._records.put(record.key, record)
            if memcmp(message.node, self.host.key, 32) == 0:
                self.own = record
        if bringer is None or record is self.own:
            self.generation += 1
        elif record.updated == 0 or record.port != message.port or memcmp(record.parent, message.parent, 32) != 0:
            record._generation = 0
            self._note_change()
        memcpy(record.parent, message.parent, 32)
        record.seq = message.seq
        record.nonce = message.nonce
        record.port = message.port
        memcpy(record.psig, message.psig, 64)
        memcpy(record.sig, message.sig, 64)
        record.updated = self.host.now
        self._expire_at = min(self._expire_at, record.updated + EXPIRE_AFTER)
        self._replaced(record.key)
        return 0

    # Coordinates of others may have changed. Each such change makes every flow look for its next hop anew, and
    # strangers can cause a thousand a second; that a node's knowledge of the tree is stale does no harm.
    cdef void _note_change(self) noexcept:
        self._stale = self.host.now < self._changed_at + CHANGE_GAP
        if not self._stale:
            self._changed_at = self.host.now
            self.generation += 1

    cdef void _remove(self, Record record) noexcept:
        cdef Record last = <Record>self.entries.pop()
        if last is not record:
            self.entries[record._slot] = last
            last._slot = record._slot
        if record.bringer is not None:
            record.bringer.stored -= 1
        self._replaced(record.key)
        self._records.discard(record.key)
        self._note_change()

    cdef void _expire(self) noexcept:
        cdef uint64_t now = self.host.now
        cdef Record record
        if now < self._expire_at:
            return
        self._expire_at = NEVER
        for record in list(self.entries):
            if record is self.own:
                continue
            if now - record.updated >= EXPIRE_AFTER:
                self._remove(record)
            else:
                self._expire_at = min(self._expire_at, record.updated + EXPIRE_AFTER)

    # Room

    # Whether `bringer` may bring one more key, after dropping what is not needed: its own, or when all is full the most
    # that any neighbour brought, and that of neighbours that are gone.
    cdef bint _make_room(self, Neighbour bringer) noexcept:
        cdef Neighbour victim = bringer
        cdef Record record
        cdef uint64_t first
        cdef int evicted = 0
        if len(self.entries) < RECORDS_MAX and bringer.stored < NEIGHBOUR_RECORDS_MAX:
            return True
        if self.host.now < bringer.crowded_until:
            return False
        first = self._mark_needed()
        if len(self.entries) >= RECORDS_MAX:
            victim = self._greediest(first)
        for record in list(self.entries):
            if record._mark < first and record is not self.own and (record.bringer is victim or record.bringer is None):
                self._remove(record)
                self.records_evicted += 1
                evicted += 1
                if evicted == EVICTED_MAX:
                    break
        if len(self.entries) < RECORDS_MAX and bringer.stored < NEIGHBOUR_RECORDS_MAX:
            return True
        bringer.crowded_until = self.host.now + CROWDED_FOR
        return False

    # Have every record that is needed carry at least the number returned. Together they take little more than half the
    # room.
    cdef uint64_t _mark_needed(self) noexcept:
        cdef void *records[DEPTH_MAX]
        cdef uint64_t first = self._walks + 1
        cdef size_t hops = max(1, min(NEEDED_MAX, RECORDS_MAX // (2 * max(1, len(self.neighbours)))))
        cdef Neighbour neighbour
        self.ancestry(self.host.key, None, records, DEPTH_MAX)
        for neighbour in self.neighbours:
            self.ancestry(neighbour.key, None, records, hops)
        return first

    # The neighbour that brought the most records that are not needed.
    cdef Neighbour _greediest(self, uint64_t first):
        cdef Neighbour neighbour
        cdef Neighbour greediest = None
        cdef Record record
        for neighbour in self.neighbours:
            neighbour.idle = 0
        for record in self.entries:
            if record._mark < first and record.bringer is not None:
                record.bringer.idle += 1
        for neighbour in self.neighbours:
            if greediest is None or neighbour.idle > greediest.idle:
                greediest = neighbour
        return greediest

    # Ancestry

    cdef void walk(self, const uint8_t *key, Walk *walk) noexcept:
        cdef PyObject *found = self._records.get(key)
        cdef Record record
        self._walks += 1
        memset(walk, 0, sizeof(Walk))
        while found != NULL and (<Record>found)._mark != self._walks and walk.depth <= DEPTH_MAX:
            record = <Record>found
            walk.depth += 1
            record._mark = self._walks
            memcpy(walk.root, record.key, 32)
            if record is self.own:
                walk.through_us = True
            found = self._records.get(record.parent)
        if walk.depth:
            walk.depth -= 1

    cdef size_t ancestry(self, const uint8_t *key, Record end, void **records, size_t most) noexcept:
        cdef PyObject *found = self._records.get(key)
        cdef size_t count = 0
        self._walks += 1
        while found != NULL and <Record>found is not end and (<Record>found)._mark != self._walks and count < most:
            (<Record>found)._mark = self._walks
            records[count] = found
            count += 1
            found = self._records.get((<Record>found).parent)
        return count

    # Coordinates

    cdef void _forget_coords(self, Record record) noexcept:
        if record is not None and record is not self.own:
            free(record._ports)
            record._ports = NULL
            record._depth = 0
            record._generation = 0

    cdef size_t coords(self, Record record, uint64_t **ports) noexcept:
        cdef uint64_t found[DEPTH_MAX]
        cdef size_t count = 0, index
        cdef PyObject *at
        cdef Record up = record
        if record is None:
            return 0
        if record._generation != self.generation:
            self._walks += 1
            record._root = NULL
            while True:
                if up._mark == self._walks or count == DEPTH_MAX:
                    count = 0               # a loop, or too deep to be addressed
                    break
                if memcmp(up.key, up.parent, 32) == 0:
                    record._root = <void *>up
                    break
                up._mark = self._walks
                found[count] = up.port
                count += 1
                at = self._records.get(up.parent)
                if at == NULL:
                    count = 0
                    break
                up = <Record>at
            free(record._ports)
            record._ports = <uint64_t *>malloc(count * sizeof(uint64_t)) if count else NULL
            record._depth = count if record._ports != NULL else 0
            for index in range(record._depth):
                record._ports[index] = found[count - 1 - index]
            record._generation = self.generation
        ports[0] = record._ports
        return record._depth

    cdef size_t own_coords(self, uint64_t **ports) noexcept:
        return self.coords(self.own, ports)

    cdef bint in_our_tree(self, Record record) noexcept:
        cdef uint64_t *ports
        if record is None or self.own is None:
            return False
        self.coords(record, &ports)
        self.coords(self.own, &ports)
        return record._root != NULL and record._root == self.own._root
