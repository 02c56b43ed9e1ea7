"""How fast sessions seal and open."""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from ygg_c.base.packet cimport Packet, packet_free, packet_new
from ygg_c.base.sodium cimport Random
from ygg_c.session.session cimport OPENED, PAYLOAD_LARGEST, Handshake, KeyPair, Session, fresh_pair

import time


def measure_box(size_t size, size_t count):
    """Seal and open `count` payloads of `size` bytes through two sessions; return the seconds it took."""
    cdef Session left = Session.__new__(Session)
    cdef Session right = Session.__new__(Session)
    cdef KeyPair pairs[2]
    cdef Handshake hello
    cdef Packet *packet
    cdef uint8_t *payload
    cdef size_t payload_size = 0
    cdef size_t _index
    cdef int result = OPENED
    if size > PAYLOAD_LARGEST:
        raise ValueError(f"a payload has at most {PAYLOAD_LARGEST} bytes")
    left.random = right.random = Random()
    fresh_pair(&pairs[0], left.random)
    fresh_pair(&pairs[1], left.random)
    memset(&hello, 0, sizeof(hello))
    memcpy(hello.current, pairs[0].public, 32)
    memcpy(hello.next, pairs[1].public, 32)
    right.start(&hello, NULL, NULL, 1)
    right.describe(&hello)
    left.start(&hello, &pairs[0], &pairs[1], 1)
    begun = time.perf_counter()
    for _index in range(count):
        packet = packet_new(size)
        if packet == NULL:
            raise MemoryError
        packet.size = size
        result = left.seal(packet)
        if result == 0:
            result = right.open(packet.data, packet.size, 1, &payload, &payload_size)
        packet_free(packet)
        if result != OPENED or payload_size != size:
            raise RuntimeError("a payload did not pass its session")
    return time.perf_counter() - begun
