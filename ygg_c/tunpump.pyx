"""IPv6 packets between a gateway and the descriptor of a TUN device, without Python."""

import os

from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint8_t, uint64_t

from ygg_c.buffer cimport Packet, packet_free, packet_new
from ygg_c.packetio cimport Upper

from ygg_c.pump import clock

cdef extern from "<unistd.h>" nogil:
    ssize_t read(int fd, void *buffer, size_t size)
    ssize_t write(int fd, const void *buffer, size_t size)


cdef class TunPump(Upper):
    """Carries IPv6 packets between a gateway and a TUN device."""

    def __cinit__(self):
        self.fd = -1

    def __init__(self, int fd, size_t mtu, on_lost):
        self.fd = fd
        self._mtu = mtu
        self.on_lost = on_lost

    def readable(self):
        """Send what the device holds, in bounded measure."""
        cdef int _turn
        cdef ssize_t size
        cdef Packet *packet
        cdef uint64_t now = clock()[0]
        for _turn in range(PACKETS):
            if self.fd < 0:
                return
            packet = packet_new(self._mtu)
            if packet == NULL:
                break
            size = read(self.fd, packet.data, self._mtu)
            if size <= 0:
                packet_free(packet)
                if size < 0 and errno != EAGAIN and errno != EINTR:
                    self.on_lost(OSError(errno, os.strerror(errno)))
                break
            packet.size = size
            self.packets_in += 1
            if self.lower is None:
                self.dropped += 1
                packet_free(packet)
            else:
                self.lower.packet_out(packet, now)
        if self.lower is not None:
            self.lower.want_turn()

    def close(self):
        """Use the descriptor no more. Idempotent."""
        self.fd = -1
        self.on_lost = None

    cdef void packet_in(self, uint8_t *data, size_t size, uint64_t now) noexcept:
        # A full device is a full link: the packet is lost, and TCP behind it notices.
        if self.fd >= 0 and write(self.fd, data, size) == <ssize_t>size:
            self.packets_out += 1
        else:
            self.dropped += 1
