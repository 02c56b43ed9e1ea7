# IPv6 packets between a gateway and the descriptor of a TUN device, without Python.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.clock cimport Clock
from ygg_c.base.packet cimport Packet
from ygg_c.ip.layer cimport Upper

cdef enum:
    BATCH_PACKETS = 256     # read at once: bounds what the device makes the links wait
    BATCH_BYTES = 1048576

cdef class TunPump(Upper):
    cdef int fd
    cdef Clock _clock
    cdef size_t _mtu
    cdef object on_lost
    cdef object on_waiting
    cdef bint _watched                  # the event loop calls readable()
    cdef bint _waiting                  # for credit: the device is not read
    cdef bint _resumed                  # credit has come, or the wait was long enough: read in this turn
    cdef uint64_t _until                # end of the wait, in ns
    cdef uint64_t _link                 # number of the link that the last packet went by
    cdef uint64_t _shared_at            # when a packet last went by another link than the one before it, in ns
    cdef readonly uint64_t packets_in, packets_out, waits
    cdef uint64_t _now                  # of the last poll
    cdef readonly uint64_t dropped_full, dropped_detached

    cdef void _read(self, uint64_t now) noexcept
    cdef Py_ssize_t _read_packet(self, uint64_t now) noexcept       # bytes; 0: nothing more now
    cdef void _send(self, Packet *packet, uint64_t now) noexcept
    cdef void _resume(self) noexcept
    cdef bint _must_wait(self, const uint8_t *target, uint64_t now) noexcept
    cdef void _watch(self, bint watched) noexcept
