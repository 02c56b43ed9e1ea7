"""UDP sockets."""

import errno

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from ygg_c.base.checksum cimport sum_bytes, sum_copy, sum_fold, sum_pseudo
from ygg_c.base.forks cimport check_fork
from ygg_c.base.packet cimport Packet, packet_new
from ygg_c.ip.header cimport IP_HEADER, NEXT_UDP, SOURCE, put16, write_header
from ygg_c.socket.endpoint cimport COUNT_UDP_FULL, EVENT_FAILED, os_error
from ygg_c.socket.ends cimport bound_key, pair_key


cdef class UdpSocket(DatagramSocket):
    """A UDP socket."""

    def __cinit__(self):
        self.full_count = COUNT_UDP_FULL
        self._memo = [None] * MEMO

    cdef void write_key(self, uint8_t *key) noexcept:
        if self.connected:
            pair_key(key, self.remote_address, self.local_address, self.remote_port, self.local_port)
        else:
            bound_key(key, self.local_address, self.local_port)

    cdef void unbind(self) noexcept:
        cdef uint8_t key[36]
        self.write_key(key)
        self.bound_in.discard(key)
        self.ports[self.local_port] -= 1
        if self.ports[self.local_port] == 0:
            del self.ports[self.local_port]

    cdef void deliver(self, const uint8_t *source, uint16_t port, const uint8_t *data, size_t size) noexcept:
        self.keep(source, port, 0, data, size)

    cdef void failed(self, int code) noexcept:
        if self.connected:
            self.failure = code
            self.happen(EVENT_FAILED)

    cdef object _source(self, Datagram *datagram):
        cdef int slot = (datagram.source[15] ^ datagram.port) & (MEMO - 1)
        cdef tuple known = self._memo[slot]
        if known is None or known[1] != datagram.port or memcmp(<char *>(<bytes>known[0]), datagram.source, 16):
            known = (PyBytes_FromStringAndSize(<char *>datagram.source, 16), datagram.port)
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
        cdef Datagram *datagram
        cdef list result = []
        while len(result) < limit:
            datagram = self.next()
            if datagram == NULL:
                break
            result.append((PyBytes_FromStringAndSize(<char *>(datagram + 1), datagram.size), self._source(datagram)))
        self.spare()
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
    if not socket.may_send(target, whole, mtu):
        return False
    packet = packet_new(whole)
    if packet == NULL:
        raise os_error(errno.ENOBUFS)
    packet.size = whole
    header = packet.data + IP_HEADER
    write_header(packet.data, UDP_HEADER + size, NEXT_UDP, 0, socket.own_address(), target)
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
