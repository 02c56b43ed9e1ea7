"""Remote nodes of connections that need little memory; see lightnodes.pxd."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from ygg_c.base.clock cimport MS
from ygg_c.base.siphash cimport ygg_siphash
from ygg_c.tcp.light cimport LightTable

cdef enum:
    FEWEST = 16                 # slots
    NAME = 7                    # bytes

cdef uint64_t LOOK_AGAIN = 100 * MS     # strangers cause the search for the greediest


cdef class LightNodes:
    """Counts by node: open addressing, linear probing, back-shift on removal."""

    def __cinit__(self, LightTable table not None):
        self._seed[0], self._seed[1] = table._seed[0], table._seed[1]
        if not self._resize(FEWEST):
            raise MemoryError

    def __dealloc__(self):
        free(self._slots)

    cdef LightNode *_slot(self, const uint8_t *name) noexcept:
        # The node's, or the free one where it would go.
        cdef size_t index = ygg_siphash(name, NAME, self._seed) & self._mask
        while self._slots[index].count and memcmp(self._slots[index].name, name, NAME):
            index = (index + 1) & self._mask
        return &self._slots[index]

    cdef LightNode *find(self, const uint8_t *address) noexcept:
        cdef LightNode *node
        if self.used == 0:
            return NULL
        node = self._slot(address + 1)
        return node if node.count else NULL

    cdef LightNode *enter(self, const uint8_t *address, bint ours) noexcept:
        cdef LightNode *node = self._slot(address + 1)
        if node.count == 0:
            if 4 * (self.used + 1) > 3 * (self._mask + 1):
                if not self._resize(2 * (self._mask + 1)):
                    return NULL
                node = self._slot(address + 1)
            memcpy(node.name, address + 1, NAME)
            node.ours = ours
            self.used += 1
        node.count += 1
        return node

    cdef void leave(self, const uint8_t *address) noexcept:
        cdef LightNode *node = self._slot(address + 1)
        cdef size_t hole, index, home
        node.count -= 1
        if node.count:
            return
        self.used -= 1
        index = hole = node - self._slots
        while True:
            index = (index + 1) & self._mask
            if self._slots[index].count == 0:
                break
            # Move it back unless its home lies cyclically after the hole.
            home = ygg_siphash(self._slots[index].name, NAME, self._seed) & self._mask
            if (index - home) & self._mask >= (index - hole) & self._mask:
                self._slots[hole] = self._slots[index]
                hole = index
        memset(&self._slots[hole], 0, sizeof(LightNode))
        if self._mask >= FEWEST and self.used < self._mask // 8:
            self._resize((self._mask + 1) // 2)

    cdef LightNode *greediest(self, uint64_t now) noexcept:
        cdef LightNode *node = NULL if self._looked_at == 0 else self.find(self._greediest)
        cdef size_t index
        if node != NULL and now - self._looked_at < LOOK_AGAIN:
            return node
        self._looked_at = max(now, <uint64_t>1)
        node = NULL
        for index in range(self._mask + 1):
            if not self._slots[index].ours and self._slots[index].count > (0 if node == NULL else node.count):
                node = &self._slots[index]
        if node != NULL:
            memcpy(self._greediest + 1, node.name, NAME)
        return node

    cdef bint _resize(self, size_t slots) noexcept:
        cdef LightNode *old = self._slots
        cdef size_t index, count = self._mask + 1 if old != NULL else 0
        cdef LightNode *fresh = <LightNode *>calloc(slots, sizeof(LightNode))
        if fresh == NULL:
            return False
        self._slots = fresh
        self._mask = slots - 1
        for index in range(count):
            if old[index].count:
                self._slot(old[index].name)[0] = old[index]
        free(old)
        return True
