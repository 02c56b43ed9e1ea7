"""Fragments in any order become the packet they were."""

from libc.stdint cimport uint16_t
from libc.string cimport memcmp, memcpy, memset

from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.base.packet cimport packet_copy, packet_free, packet_new
from ygg_c.base.ranges cimport ranges_add, ranges_clear
from ygg_c.ip.header cimport CE, NOT_ECT, SOURCE, get16, get_ecn, put16, put_ecn
from ygg_c.ip.memory cimport INBOUND

cdef enum:
    DATAGRAM_SIZE = MAX_UNFRAGMENTED + MAX_PAYLOAD

cdef uint64_t REASSEMBLY_TIMEOUT = 60 * SECOND


cdef class Reassembler:
    """Holds up to MAX_DATAGRAMS incomplete packets; of the origin that holds most of them the oldest gives way."""

    def __cinit__(self, Memory memory not None):
        self._memory = memory

    def __dealloc__(self):
        cdef int index
        for index in range(MAX_DATAGRAMS):
            packet_free(self._datagrams[index].packet)
            ranges_clear(&self._datagrams[index].ranges)

    cdef void clear(self) noexcept:
        cdef int index
        for index in range(MAX_DATAGRAMS):
            self._drop(&self._datagrams[index])

    cdef void _drop(self, Datagram *datagram) noexcept:
        if datagram.deadline:
            self._memory.change(INBOUND, DATAGRAM_SIZE, 0)
            self._memory.drop_datagram(datagram.origin, DATAGRAM_SIZE)
        packet_free(datagram.packet)
        ranges_clear(&datagram.ranges)
        memset(datagram, 0, sizeof(Datagram))

    cdef Datagram *_find(self, const uint8_t *key, uint64_t origin, uint64_t now) noexcept:
        cdef int index
        cdef Datagram *datagram
        for index in range(MAX_DATAGRAMS):
            datagram = &self._datagrams[index]
            if datagram.packet != NULL and memcmp(datagram.key, key, 36) == 0:
                return datagram
        datagram = self._place(origin)
        if datagram.packet != NULL:
            self.evicted += 1
            self._drop(datagram)
        if not self._memory.takes_datagram(origin, DATAGRAM_SIZE):
            return NULL
        datagram.packet = packet_new(DATAGRAM_SIZE)
        if datagram.packet == NULL:
            return NULL
        self._memory.change(INBOUND, 0, DATAGRAM_SIZE)
        self._memory.keep_datagram(origin, DATAGRAM_SIZE)
        memcpy(datagram.key, key, 36)
        datagram.origin = origin
        datagram.deadline = now + REASSEMBLY_TIMEOUT
        return datagram

    cdef Datagram *_place(self, uint64_t origin) noexcept:
        # A free place, or that of the oldest datagram of the origin that would hold most.
        cdef uint16_t held[256]
        cdef int index
        cdef uint16_t count, most = 0
        cdef Datagram *datagram
        cdef Datagram *chosen = NULL
        memset(held, 0, sizeof(held))
        held[origin & 255] = 1
        for index in range(MAX_DATAGRAMS):
            if self._datagrams[index].packet == NULL:
                return &self._datagrams[index]
            held[self._datagrams[index].origin & 255] += 1
        for index in range(MAX_DATAGRAMS):
            datagram = &self._datagrams[index]
            count = held[datagram.origin & 255]
            if count > most or (count == most and datagram.deadline < chosen.deadline):
                most = count
                chosen = datagram
        return chosen

    cdef Fragment add(
        self, const uint8_t *packet, size_t size, Chain *chain, uint64_t origin, uint64_t now
    ) noexcept:
        cdef const uint8_t *fragment = packet + chain.offset
        cdef size_t offset = get16(fragment + 2) & 0xfff8
        cdef bint more = fragment[3] & 1
        cdef size_t length = size - chain.offset - 8
        cdef uint8_t key[36]
        cdef Datagram *datagram
        cdef long long fresh
        if more and (length & 7 or length == 0):
            chain.code, chain.pointer = 0, 4
            return FRAGMENT_PROBLEM
        if offset + length + chain.offset - 40 > MAX_PAYLOAD:
            chain.code, chain.pointer = 0, chain.offset + 2
            return FRAGMENT_PROBLEM
        if chain.offset > MAX_UNFRAGMENTED or length == 0:
            return FRAGMENT_DROPPED
        memcpy(key, packet + SOURCE, 32)
        memcpy(key + 32, fragment + 4, 4)
        datagram = self._find(key, origin, now)
        if datagram == NULL or datagram.refused:
            return FRAGMENT_DROPPED
        fresh = ranges_add(&datagram.ranges, offset, offset + length, MAX_RANGES)
        if fresh == 0 and memcmp(datagram.packet.data + MAX_UNFRAGMENTED + offset, fragment + 8, length) == 0 and (
            more or datagram.total == offset + length
        ):
            return FRAGMENT_DROPPED         # it came twice
        if fresh != <long long>length or (datagram.total and (not more or offset + length > datagram.total)):
            datagram.refused = True
            return FRAGMENT_DROPPED
        datagram.marks |= 1 << get_ecn(packet)
        memcpy(datagram.packet.data + MAX_UNFRAGMENTED + offset, fragment + 8, length)
        if not more:
            datagram.total = offset + length
            if datagram.ranges.items[datagram.ranges.count - 1].end > datagram.total:
                datagram.refused = True
                return FRAGMENT_DROPPED
        if offset == 0:
            datagram.headers = chain.offset
            memcpy(datagram.packet.data + MAX_UNFRAGMENTED - chain.offset, packet, chain.offset)
            (datagram.packet.data + MAX_UNFRAGMENTED - chain.offset)[chain.next_field] = fragment[0]
        if datagram.total == 0 or datagram.headers == 0 or datagram.ranges.total != datagram.total:
            return FRAGMENT_HELD
        if datagram.marks >> CE & 1 and datagram.marks >> NOT_ECT & 1:
            # The node that has marked one would have dropped it: its sender does not look at marks (RFC 3168, 5.3).
            datagram.refused = True
            return FRAGMENT_DROPPED
        self._done = datagram
        return FRAGMENT_WHOLE

    cdef Packet *take(self) noexcept:
        cdef Datagram *datagram = self._done
        cdef Packet *packet = datagram.packet
        packet.data += MAX_UNFRAGMENTED - datagram.headers
        packet.size = datagram.headers + datagram.total
        put16(packet.data + 4, <unsigned int>(packet.size - 40))
        if datagram.marks >> CE & 1:
            put_ecn(packet.data, CE)
        datagram.packet = NULL
        self._drop(datagram)
        self._done = NULL
        return packet

    cdef Packet *expire(self, uint64_t now, bint *more) noexcept:
        cdef int index
        cdef Datagram *datagram
        cdef Packet *first = NULL
        more[0] = False
        for index in range(MAX_DATAGRAMS):
            datagram = &self._datagrams[index]
            if datagram.packet == NULL or datagram.deadline > now:
                continue
            more[0] = True
            if datagram.headers and not datagram.refused:
                first = packet_copy(
                    datagram.packet.data + MAX_UNFRAGMENTED - datagram.headers,
                    datagram.headers + min(datagram.ranges.items[0].end, <uint64_t>1280),
                )
            self._drop(datagram)
            break
        return first

    cdef uint64_t deadline(self) noexcept:
        cdef int index
        cdef uint64_t earliest = NEVER
        for index in range(MAX_DATAGRAMS):
            if self._datagrams[index].packet != NULL:
                earliest = min(earliest, self._datagrams[index].deadline)
        return earliest
