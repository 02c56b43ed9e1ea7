"""What UDP and echo sockets have in common; see datagrams.pxd."""

import errno

from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove, memset

from ygg_c.base.live cimport LIVE_UDP, born, died
from ygg_c.ip.fragment cimport wire_size
from ygg_c.ip.header cimport IP_HEADER, is_unspecified
from ygg_c.ip.memory cimport DATAGRAM_HOLDERS, INBOUND, Memory
from ygg_c.socket.endpoint cimport COUNT_UDP_NO_BUFFER, EVENT_READABLE, EVENT_WRITABLE, os_error

cdef enum:
    DEFAULT_QUEUE = 1 << 20


cdef uint8_t *_reserve(Store *store, size_t size, size_t limit) noexcept:
    # Room for `size` bytes at the tail: by moving what is held to the front, then by growing up to the limit.
    cdef size_t room
    cdef uint8_t *grown
    if store.tail - store.head + size > limit:
        return NULL
    if store.tail + size > store.room and store.head >= store.room // 2 and store.head > 0:
        memmove(store.bytes, store.bytes + store.head, store.tail - store.head)
        store.tail -= store.head
        store.head = 0
    if store.tail + size > store.room:
        room = max(store.room * 2, store.tail + size, <size_t>4096)
        grown = <uint8_t *>realloc(store.bytes, room)
        if grown == NULL:
            return NULL
        store.bytes = grown
        store.room = room
    store.tail += size
    return store.bytes + store.tail - size


cdef inline size_t _stride(size_t size) noexcept:
    return sizeof(Datagram) + ((size + 7) & ~<size_t>7)


cdef class DatagramSocket(Endpoint):
    """Keeps what arrives, up to `queue_limit` bytes with 32 of overhead each."""

    def __cinit__(self):
        born(LIVE_UDP)
        self.queue_limit = DEFAULT_QUEUE

    def __dealloc__(self):
        free(self._store.bytes)
        died(LIVE_UDP)

    cdef bint keep(self, const uint8_t *source, uint16_t port, int failure, const uint8_t *data, size_t size) noexcept:
        cdef Memory memory = self.host.memory
        cdef uint64_t origin = self.host.origin(source) % DATAGRAM_HOLDERS
        cdef size_t before = self._store.room
        cdef Datagram *datagram
        if not memory.takes_datagram(origin, _stride(size)):
            self.host.count[COUNT_UDP_NO_BUFFER] += 1
            self.dropped += 1
            return False
        datagram = <Datagram *>_reserve(&self._store, _stride(size), self.queue_limit)
        if datagram == NULL:
            self.host.count[self.full_count] += 1
            self.dropped += 1
            return False
        self._account(before)
        memory.keep_datagram(origin, _stride(size))
        memcpy(datagram.source, source, 16)
        datagram.arrival = self.host.now
        datagram.size = <uint16_t>size
        datagram.origin = <uint16_t>origin
        datagram.port = port
        datagram.failure = <uint16_t>failure
        if size:
            memcpy(datagram + 1, data, size)
        self._store.count += 1
        self.happen(EVENT_READABLE)
        return True

    cdef void _account(self, size_t before) noexcept:
        # Its store had so much room before.
        if self.host is not None and self._store.room != before:
            self.host.memory.change(INBOUND, before, self._store.room)

    cdef Datagram *next(self) noexcept:
        cdef Store *store = &self._store
        cdef Datagram *datagram
        if store.count == 0:
            return NULL
        datagram = <Datagram *>(store.bytes + store.head)
        store.head += _stride(datagram.size)
        store.count -= 1
        if store.count == 0:
            store.head = store.tail = 0
        if self.host is not None:
            self.host.memory.drop_datagram(datagram.origin, _stride(datagram.size))
        return datagram

    cdef void spare(self) noexcept:
        if self._store.count == 0 and self.host is not None and self.host.memory.pressed:
            self._clear()

    cdef void _clear(self) noexcept:
        cdef size_t before = self._store.room
        while self.next() != NULL:
            pass
        free(self._store.bytes)
        memset(&self._store, 0, sizeof(Store))
        self._account(before)

    cdef void leave(self) noexcept:
        # What was received can still be read; it counts for the stack no more.
        cdef Memory memory
        cdef size_t at = self._store.head
        cdef Datagram *datagram
        if self.host is not None:
            memory = self.host.memory
            memory.change(INBOUND, self._store.room, 0)
            while at < self._store.tail:
                datagram = <Datagram *>(self._store.bytes + at)
                memory.drop_datagram(datagram.origin, _stride(datagram.size))
                at += _stride(datagram.size)
        Endpoint.leave(self)

    cdef bint may_send(self, const uint8_t *target, size_t size, size_t mtu) except -1:
        cdef size_t wire
        if size > IP_HEADER + MAX_PAYLOAD or (size > mtu and self.dont_fragment):
            raise os_error(errno.EMSGSIZE)
        wire = wire_size(size, mtu)
        if self._granted <= 0 and not self.host.credit_for(self, target, wire):
            memcpy(self._target, target, 16)
            self._wanted = wire
            return False
        if self._granted > 0:
            self._granted -= wire
        return True

    cdef const uint8_t *own_address(self) noexcept:
        return self.host.default_address() if is_unspecified(self.local_address) else self.local_address

    cdef bint flush(self, uint64_t now) noexcept:
        # Its turn has come, and the application sends only later: what it may send then is set aside.
        if self.waits_in is not None:
            if not self.host.credit_for(self, self._target, self._wanted):
                return False
            self._granted += self.deficit
            self.deficit = 0
        self.happen(EVENT_WRITABLE)
        return False

    def close(self):
        """Leave the stack; what was received is discarded."""
        self.leave()
        self._clear()
        self._on_event = None
        self.owner = None
