"""The memory of a stack's buffers; see memory.pxd."""


cdef class Memory:
    """What a stack holds for others."""

    def __cinit__(self, size_t limit):
        self.limit = limit

    cdef void set_limit(self, size_t limit) noexcept:
        self.limit = limit
        self.change(INBOUND, 0, 0)

    cdef void change(self, int way, size_t before, size_t after) noexcept:
        self.held[way] += after - before
        self.total += after - before
        if self.pressed:
            self.pressed = self.total > self.limit // 2
        elif self.total > self.limit // 8 * 5:
            self.pressed = True
            self.relieves = False

    cdef size_t shared(self) noexcept:
        return self.limit - self.limit // 4

    cdef size_t free(self) noexcept:
        cdef size_t shared = self.shared()
        return shared - min(shared, self.total)

    cdef bint has_reserve(self, size_t held, size_t size) noexcept:
        return held + size <= LEAST_SHARE and self.has_room(size)

    cdef bint has_room(self, size_t size) noexcept:
        return self.total + size <= self.limit

    cdef bint takes_datagram(self, uint64_t origin, size_t size) noexcept:
        # Each byte more that it holds is also one less that is free.
        cdef size_t held = self._datagrams[origin % DATAGRAM_HOLDERS]
        return held + 2 * size <= self.free() or self.has_reserve(held, size)

    cdef void keep_datagram(self, uint64_t origin, size_t size) noexcept:
        self._datagrams[origin % DATAGRAM_HOLDERS] += <uint32_t>size

    cdef void drop_datagram(self, uint64_t origin, size_t size) noexcept:
        self._datagrams[origin % DATAGRAM_HOLDERS] -= <uint32_t>size
