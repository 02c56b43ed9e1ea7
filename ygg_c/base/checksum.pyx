"""The Internet checksum: 32-bit words into a 64-bit accumulator, in loops the compiler vectorises."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.string cimport memcpy

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    /* Where the toolchain can choose at load time, wider vectors double or triple the speed. */
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
    #define YGG_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define YGG_WIDE
    #endif

    YGG_WIDE static uint64_t ygg_sum(const uint8_t *restrict data, size_t words) {
        uint64_t total = 0;
        for (size_t i = 0; i < words; i++) {
            uint32_t word;
            memcpy(&word, data + 4 * i, 4);
            total += word;
        }
        return total;
    }

    YGG_WIDE static uint64_t ygg_sum_copy(uint8_t *restrict target, const uint8_t *restrict data, size_t words) {
        uint64_t total = 0;
        for (size_t i = 0; i < words; i++) {
            uint32_t word;
            memcpy(&word, data + 4 * i, 4);
            memcpy(target + 4 * i, &word, 4);
            total += word;
        }
        return total;
    }
    """
    uint64_t ygg_sum(const uint8_t *data, size_t words) noexcept nogil
    uint64_t ygg_sum_copy(uint8_t *target, const uint8_t *data, size_t words) noexcept nogil


cdef inline uint32_t _tail(const uint8_t *data, size_t size) noexcept nogil:
    cdef uint32_t word = 0
    if size:
        memcpy(&word, data, size)
    return word


# Of no bytes there may be no address: NULL must not be passed on, nor added to.
cdef uint64_t sum_bytes(const uint8_t *data, size_t size, uint64_t total) noexcept nogil:
    cdef size_t words = size >> 2
    if size == 0:
        return total
    total += ygg_sum(data, words)
    return total + _tail(data + 4 * words, size & 3)


cdef uint64_t sum_copy(uint8_t *target, const uint8_t *data, size_t size, bint odd, uint64_t total) noexcept nogil:
    cdef size_t words = size >> 2
    cdef uint64_t piece
    cdef uint16_t folded
    if size == 0:
        return total
    piece = ygg_sum_copy(target, data, words)
    memcpy(target + 4 * words, data + 4 * words, size & 3)
    piece += _tail(data + 4 * words, size & 3)
    if odd:
        folded = sum_fold(piece)
        piece = <uint16_t>((folded << 8) | (folded >> 8))
    return total + piece


cdef uint64_t sum_pseudo(const uint8_t *addresses, uint32_t size, uint8_t next_header) noexcept nogil:
    cdef uint8_t tail[8]
    tail[0], tail[1], tail[2], tail[3] = size >> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255
    tail[4], tail[5], tail[6], tail[7] = 0, 0, 0, next_header
    return sum_bytes(tail, 8, sum_bytes(addresses, 32, 0))


def checksum(data):
    """Return the Internet checksum (RFC 1071) of a bytes-like object."""
    cdef Py_buffer view
    cdef uint16_t folded
    cdef uint8_t wire[2]
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    folded = sum_fold(sum_bytes(<const uint8_t *>view.buf, view.len, 0))
    PyBuffer_Release(&view)
    memcpy(wire, &folded, 2)
    return 0xffff ^ (wire[0] << 8 | wire[1])
