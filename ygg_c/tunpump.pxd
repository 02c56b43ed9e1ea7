# IPv6 packets between a gateway and the descriptor of a TUN device, without Python.

from libc.stdint cimport uint64_t

from ygg_c.packetio cimport Upper

cdef enum:
    PACKETS = 256       # read for one readable event: bounds what the device makes the links wait

cdef class TunPump(Upper):
    cdef int fd
    cdef size_t _mtu
    cdef object on_lost
    cdef readonly uint64_t packets_in, packets_out, dropped
