# IPv6 packets for Python code: an OS TUN device, an object written in Python.

from libc.stdint cimport uint64_t

from ygg_c.ip.layer cimport Upper

cdef class PacketPort(Upper):
    cdef public object on_packets
    cdef public object on_error
    cdef public size_t limit            # bytes collected for one call; more are dropped and counted
    cdef readonly uint64_t dropped
    cdef list _batch
    cdef size_t _bytes
    cdef uint64_t _now
