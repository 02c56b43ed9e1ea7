"""Echo sockets."""

import errno

from cpython.bytes cimport PyBytes_FromStringAndSize

from ygg_c.base.forks cimport check_fork
from ygg_c.base.packet cimport Packet
from ygg_c.ip.header cimport IP_HEADER, MIN_MTU, put16
from ygg_c.ip.icmp cimport ICMP_ECHO_REQUEST, ICMP_HEADER, icmp_echo
from ygg_c.socket.endpoint cimport COUNT_ECHO_FULL, TELL_AFTER, os_error


cdef class EchoSocket(DatagramSocket):
    """Sends echo requests and keeps the replies."""

    def __cinit__(self):
        self.full_count = COUNT_ECHO_FULL

    cdef void deliver(
        self, const uint8_t *source, uint16_t sequence, int failure, const uint8_t *data, size_t size
    ) noexcept:
        if failure == 0 and self.host.now >= self._tell_at:
            self._tell_at = self.host.now + TELL_AFTER
            self.host.works(source)
        self.keep(source, sequence, failure, data, size)

    cdef void unbind(self) noexcept:
        cdef uint8_t key[2]
        put16(key, self.local_port)
        self.bound_in.discard(key)

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
        if not (whole <= MIN_MTU and self.host.has_spare(target, whole)) and not self.may_send(target, whole, mtu):
            return False
        packet = icmp_echo(
            self.own_address(), target, ICMP_ECHO_REQUEST, self.local_port, sequence,
            &view[0] if view.shape[0] else NULL, view.shape[0],
        )
        if packet == NULL:
            raise os_error(errno.ENOBUFS)
        self.host.emit_within(packet, mtu)
        return True

    def recv_many(self):
        """Return what came back: (errno, sequence, address, payload, arrival in ns) each."""
        cdef Datagram *datagram
        cdef list result = []
        while True:
            datagram = self.next()
            if datagram == NULL:
                self.spare()
                return result
            result.append((
                datagram.failure, datagram.port, datagram.source[:16],
                PyBytes_FromStringAndSize(<char *>(datagram + 1), datagram.size), datagram.arrival,
            ))
