"""The packet queue of a link as Python has it."""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

from ygg_c.base.packet cimport Packet, packet_free, packet_new
from ygg_c.link.fairqueue cimport FairQueue


cdef class QueueTap(FairQueue):
    """The same queue with packets as bytes."""

    def put(
        self, bytes data not None, bytes source not None, bytes dest not None, bint own=False, uint64_t now=0,
        uint8_t ecn=0, bint paced=False
    ):
        """Queue a packet of a flow, whose keys have 32 bytes, at `now` ns; `ecn`: its ECN field; `paced`: its sender
        waits for credit.
        """
        cdef Packet *packet
        if len(source) != 32 or len(dest) != 32:
            raise ValueError("keys have 32 bytes")
        packet = packet_new(len(data))
        if packet == NULL:
            raise MemoryError
        memcpy(packet.data, <const char *>data, len(data))
        packet.size = len(data)
        packet.ecn = ecn
        packet.paced = paced
        self.push(packet, source, dest, own, now)

    def get(self, uint64_t now=0):
        """Return the packet to send next, or None."""
        cdef Packet *packet = self.pop(now)
        if packet == NULL:
            return None
        data = packet.data[:packet.size]
        packet_free(packet)
        return data
