"""UDP and ICMPv6 echo sockets."""

import errno

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memcpy, memmove, memset

from ygg_c.base.checksum cimport sum_bytes, sum_copy, sum_fold, sum_pseudo
from ygg_c.base.forks cimport check_fork
from ygg_c.base.live cimport LIVE_UDP, born, died
from ygg_c.base.packet cimport Packet, packet_new
from ygg_c.ip.fragment cimport wire_size
from ygg_c.ip.header cimport IP_HEADER, MIN_MTU, NEXT_UDP, SOURCE, is_unspecified, put16, write_header
from ygg_c.ip.icmp cimport ICMP_ECHO_REQUEST, ICMP_HEADER, icmp_echo
from ygg_c.ip.memory cimport DATAGRAM_HOLDERS, INBOUND, Memory
from ygg_c.socket.endpoint cimport (
    COUNT_ECHO_FULL, COUNT_UDP_FULL, COUNT_UDP_NO_BUFFER, EVENT_FAILED, EVENT_READABLE, EVENT_WRITABLE, TELL_AFTER,
    os_error,
)

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
    return sizeof(DatagramHeader) + ((size + 7) & ~<size_t>7)


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
        cdef DatagramHeader *record
        if not memory.takes_datagram(origin, _stride(size)):
            self.host.count[COUNT_UDP_NO_BUFFER] += 1
            self.dropped += 1
            return False
        record = <DatagramHeader *>_reserve(&self._store, _stride(size), self.queue_limit)
        if record == NULL:
            self.host.count[COUNT_UDP_FULL if isinstance(self, UdpSocket) else COUNT_ECHO_FULL] += 1
            self.dropped += 1
            return False
        self._account(before)
        memory.keep_datagram(origin, _stride(size))
        memcpy(record.source, source, 16)
        record.arrival = self.host.now
        record.size = <uint16_t>size
        record.origin = <uint16_t>origin
        record.port = port
        record.failure = <uint16_t>failure
        if size:
            memcpy(record + 1, data, size)
        self._store.count += 1
        self.happen(EVENT_READABLE)
        return True

    cdef void _account(self, size_t before) noexcept:
        # Its store had so much room before.
        if self.host is not None and self._store.room != before:
            self.host.memory.change(INBOUND, before, self._store.room)

    cdef DatagramHeader *_next(self) noexcept:
        # The oldest record, its data behind it; valid until the next one is kept.
        cdef Store *store = &self._store
        cdef DatagramHeader *record
        if store.count == 0:
            return NULL
        record = <DatagramHeader *>(store.bytes + store.head)
        store.head += _stride(record.size)
        store.count -= 1
        if store.count == 0:
            store.head = store.tail = 0
        if self.host is not None:
            self.host.memory.drop_datagram(record.origin, _stride(record.size))
        return record

    cdef void _spare(self) noexcept:
        # An empty store keeps its room, unless memory is short.
        if self._store.count == 0 and self.host is not None and self.host.memory.pressed:
            self._clear()

    cdef void _clear(self) noexcept:
        cdef size_t before = self._store.room
        while self._next() != NULL:
            pass
        free(self._store.bytes)
        memset(&self._store, 0, sizeof(Store))
        self._account(before)

    cdef void leave(self) noexcept:
        # What was received can still be read; it counts for the stack no more.
        cdef Memory memory
        cdef size_t at = self._store.head
        cdef DatagramHeader *record
        if self.host is not None:
            memory = self.host.memory
            memory.change(INBOUND, self._store.room, 0)
            while at < self._store.tail:
                record = <DatagramHeader *>(self._store.bytes + at)
                memory.drop_datagram(record.origin, _stride(record.size))
                at += _stride(record.size)
        Endpoint.leave(self)

    cdef bint _may_send(self, const uint8_t *target, size_t size, size_t mtu) except -1:
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


cdef class UdpSocket(DatagramSocket):
    """A UDP socket."""

    def __cinit__(self):
        self._memo = [None] * MEMO

    cdef void deliver(self, const uint8_t *source, uint16_t port, const uint8_t *data, size_t size) noexcept:
        self.keep(source, port, 0, data, size)

    cdef void failed(self, int code) noexcept:
        if self.connected:
            self.failure = code
            self.happen(EVENT_FAILED)

    cdef object _source(self, DatagramHeader *record):
        cdef int slot = (record.source[15] ^ record.port) & (MEMO - 1)
        cdef tuple known = self._memo[slot]
        if known is None or known[1] != record.port or memcmp(<char *>(<bytes>known[0]), record.source, 16):
            known = (PyBytes_FromStringAndSize(<char *>record.source, 16), record.port)
            self._memo[slot] = known
        return known

    @property
    def local(self):
        return (self.local_address[:16], self.local_port)

    @property
    def remote(self):
        return (self.remote_address[:16], self.remote_port) if self.connected else None

    @property
    def pending(self):
        return self._store.count

    def send(self, data, bytes address=None, int port=0):
        """Send one datagram; False when the link has no room now."""
        cdef const uint8_t[::1] view = memoryview(data).cast("B")
        cdef const uint8_t *target = self.remote_address
        if self.host is None:
            raise os_error(self.failure or errno.EBADF)
        check_fork(self.host.made_in)
        if self.connected:
            if address is not None:
                raise os_error(errno.EISCONN)
            self._raise_pending()
            port = self.remote_port
        else:
            if address is None:
                raise os_error(errno.EDESTADDRREQ)
            if len(address) != 16 or not 0 < port < 65536:
                raise ValueError("a destination is 16 bytes and a port of 1 to 65535")
            target = <const uint8_t *><const char *>address
        return _send_udp(self, target, port, &view[0] if view.shape[0] else NULL, view.shape[0])

    def recv_many(self, Py_ssize_t limit=1 << 62):
        """Return up to `limit` datagrams with their (address, port)."""
        cdef DatagramHeader *record
        cdef list result = []
        while len(result) < limit:
            record = self._next()
            if record == NULL:
                break
            result.append((PyBytes_FromStringAndSize(<char *>(record + 1), record.size), self._source(record)))
        self._spare()
        if not result:
            self._raise_pending()
        return result

    def _raise_pending(self):
        cdef int code = self.failure
        if code:
            if self.host is not None:
                self.failure = 0        # what ended the socket stays
            raise os_error(code)


cdef object _send_udp(UdpSocket socket, const uint8_t *target, uint16_t port, const uint8_t *data, size_t size):
    cdef size_t whole = IP_HEADER + UDP_HEADER + size
    cdef size_t mtu = socket.host.path_mtu(target)
    cdef Packet *packet
    cdef uint8_t *header
    cdef uint64_t total
    cdef uint16_t folded
    if not socket._may_send(target, whole, mtu):
        return False
    packet = packet_new(whole)
    if packet == NULL:
        raise os_error(errno.ENOBUFS)
    packet.size = whole
    header = packet.data + IP_HEADER
    write_header(packet.data, UDP_HEADER + size, NEXT_UDP, 0, _own_address(socket), target)
    put16(header, socket.local_port)
    put16(header + 2, port)
    put16(header + 4, <uint32_t>(UDP_HEADER + size))
    put16(header + 6, 0)
    total = sum_bytes(header, UDP_HEADER, sum_pseudo(packet.data + SOURCE, UDP_HEADER + size, NEXT_UDP))
    folded = ~sum_fold(sum_copy(header + UDP_HEADER, data, size, False, total))
    if folded == 0:
        folded = 0xffff             # zero would mean "no checksum" (RFC 8200, 8.1)
    memcpy(header + 6, &folded, 2)
    socket.host.emit_within(packet, mtu)
    return True


cdef const uint8_t *_own_address(DatagramSocket socket) noexcept:
    return socket.host.default_address() if is_unspecified(socket.local_address) else socket.local_address


cdef class EchoSocket(DatagramSocket):
    """Sends echo requests and keeps the replies."""

    cdef void deliver(
        self, const uint8_t *source, uint16_t sequence, int failure, const uint8_t *data, size_t size
    ) noexcept:
        if failure == 0 and self.host.now >= self._tell_at:
            self._tell_at = self.host.now + TELL_AFTER
            self.host.works(source)
        self.keep(source, sequence, failure, data, size)

    @property
    def identifier(self):
        return self.local_port

    def send(self, bytes address not None, int sequence, payload=b""):
        """Send one request; False when the link has no room now."""
        cdef const uint8_t[::1] view = memoryview(payload).cast("B")
        cdef const uint8_t *target = <const uint8_t *><const char *>address
        cdef size_t whole = IP_HEADER + ICMP_HEADER + view.shape[0]
        cdef size_t mtu
        cdef Packet *packet
        if self.host is None:
            raise os_error(self.failure or errno.EBADF)
        check_fork(self.host.made_in)
        if len(address) != 16 or not 0 <= sequence < 65536:
            raise ValueError("an address is 16 bytes, a sequence number 0 to 65535")
        mtu = self.host.path_mtu(target)
        if not (whole <= MIN_MTU and self.host.has_spare(target, whole)) and not self._may_send(target, whole, mtu):
            return False
        packet = icmp_echo(
            _own_address(self), target, ICMP_ECHO_REQUEST, self.local_port, sequence,
            &view[0] if view.shape[0] else NULL, view.shape[0],
        )
        if packet == NULL:
            raise os_error(errno.ENOBUFS)
        self.host.emit_within(packet, mtu)
        return True

    def recv_many(self):
        """Return what came back: (errno, sequence, address, payload, arrival in ns) each."""
        cdef DatagramHeader *record
        cdef list result = []
        while True:
            record = self._next()
            if record == NULL:
                self._spare()
                return result
            result.append((
                record.failure, record.port, record.source[:16],
                PyBytes_FromStringAndSize(<char *>(record + 1), record.size), record.arrival,
            ))
