"""Layers between a gateway and what uses its packets, for tests and as examples."""

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.packet cimport Packet, packet_free
from ygg_c.ip.layer cimport Layer, Way


cdef class CountingLayer(Layer):
    """Counts what passes."""

    cdef readonly uint64_t packets_in, packets_out, bytes_in, bytes_out, batches, polls, placed, taken_out

    cdef void packet_in(self, uint8_t *data, size_t size, uint64_t now) noexcept:
        self.packets_in += 1
        self.bytes_in += size
        Layer.packet_in(self, data, size, now)

    cdef void packet_out(self, Packet *packet, uint64_t now) noexcept:
        self.packets_out += 1
        self.bytes_out += packet.size
        Layer.packet_out(self, packet, now)

    cdef void batch_end(self, uint64_t now) noexcept:
        self.batches += 1
        Layer.batch_end(self, now)

    cdef uint64_t run_due(self, uint64_t now) noexcept:
        self.polls += 1
        return Layer.run_due(self, now)

    cdef void lower_changed(self) noexcept:
        if self.lower is None:
            self.taken_out += 1
        else:
            self.placed += 1


cdef class Gate(Layer):
    """Lets nothing pass while it is shut, and refuses credit."""

    cdef public bint shut
    cdef readonly uint64_t dropped, refused

    def __init__(self, bint shut=True):
        self.shut = shut

    cdef void packet_in(self, uint8_t *data, size_t size, uint64_t now) noexcept:
        if self.shut:
            self.dropped += 1
        else:
            Layer.packet_in(self, data, size, now)

    cdef void packet_out(self, Packet *packet, uint64_t now) noexcept:
        if self.shut:
            self.dropped += 1
            packet_free(packet)
        else:
            Layer.packet_out(self, packet, now)

    cdef void find_way(self, const uint8_t *address, size_t wanted, Way *way) noexcept:
        Layer.find_way(self, address, wanted, way)
        if self.shut:
            self.refused += 1
            way.credit = way.spare = 0
