"""Packets of a stack as the blocks of a pcapng file; see capture.pxd."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint16_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

cdef enum:
    ENHANCED_PACKET = 6         # the block's type
    HEAD = 28                   # bytes in front of the packet
    TAIL = 16                   # the option with the packet's direction, the end of options, the length once more
    FLAGS = 2                   # the option's code
    INBOUND = 1
    OUTBOUND = 2
    FIRST_ROOM = 65536


cdef uint8_t *_put(uint8_t *at, uint32_t value) noexcept:
    # A file is in its writer's byte order.
    memcpy(at, &value, 4)
    return at + 4


cdef void _ask(object call) noexcept:
    call()


cdef class Capture:
    """Gathers packets."""

    def __init__(self, long long offset=0, size_t limit=16 << 20, size_t snaplen=262144):
        if snaplen == 0 or limit == 0:
            raise ValueError("a capture keeps at least a byte of a packet, and takes at least one of memory")
        self._offset = offset
        self.limit = limit
        self.snaplen = snaplen

    def __dealloc__(self):
        free(self._blocks)

    cdef void add(self, const uint8_t *packet, size_t size, bint outgoing, uint64_t now) noexcept:
        cdef size_t kept = min(size, self.snaplen)
        cdef size_t padded = (kept + 3) & ~<size_t>3
        cdef size_t total = HEAD + padded + TAIL
        cdef uint64_t stamp = now + <uint64_t>self._offset
        cdef uint16_t option[2]
        cdef uint8_t *at
        self.packets += 1
        if not self._grow(total):
            self.dropped += 1
            return
        at = self._blocks + self._size
        self._size += total
        at = _put(at, ENHANCED_PACKET)
        at = _put(at, <uint32_t>total)
        at = _put(at, 0)                            # the file's first interface
        at = _put(at, <uint32_t>(stamp >> 32))
        at = _put(at, <uint32_t>stamp)
        at = _put(at, <uint32_t>kept)
        at = _put(at, <uint32_t>size)
        memcpy(at, packet, kept)
        memset(at + kept, 0, padded - kept)
        option[0], option[1] = FLAGS, 4
        memcpy(at + padded, option, 4)
        at = _put(at + padded + 4, OUTBOUND if outgoing else INBOUND)
        at = _put(at, 0)
        _put(at, <uint32_t>total)

    cdef bint _grow(self, size_t size) noexcept:
        cdef size_t room = max(self._room, <size_t>FIRST_ROOM)
        cdef uint8_t *grown
        if self._size + size > self.limit:
            return False
        if self._size + size <= self._room:
            return True
        while room < self._size + size:
            room *= 2
        grown = <uint8_t *>realloc(self._blocks, room)
        if grown == NULL:
            return False
        self._blocks = grown
        self._room = room
        return True

    cdef void tell(self) noexcept:
        if self._told or self._size < self.limit // 2 or self.on_ready is None:
            return
        self._told = True
        _ask(self.on_ready)

    @property
    def waiting(self):
        return self._size

    def take(self):
        """Return the blocks gathered since the last call, and let go of them."""
        cdef object blocks = PyBytes_FromStringAndSize(<char *>self._blocks, self._size) if self._size else b""
        self._size = 0
        self._told = False
        return blocks
