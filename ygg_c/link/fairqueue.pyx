"""The packet queue of a link; see fairqueue.pxd for how it chooses."""

from libc.math cimport sqrt
from libc.stdlib cimport calloc, free

from ygg_c.base.clock cimport MS
from ygg_c.base.mix cimport mix_16
from ygg_c.base.packet cimport packet_free, queue_clear, queue_pop, queue_push
from ygg_c.ip.header cimport CE

cdef uint64_t CODEL_TARGET = 10 * MS        # that a packet may wait while the queue is bad
cdef uint64_t CODEL_INTERVAL = 100 * MS     # that the wait must stay above it before the first drop


cdef inline uint64_t _hash(const uint8_t *key, uint64_t salt) noexcept nogil:
    cdef uint64_t code = mix_16(key, salt)
    return code ^ (code >> 32)


cdef class FairQueue:
    """Packets waiting for one link. `salt` keeps strangers from choosing the bin their packets share."""

    def __cinit__(self, *args):
        self._new.first = self._new.last = self._old.first = self._old.last = -1
        self._target = CODEL_TARGET
        self.credit = self.own_limit = OWN_LIMIT

    def __init__(self, uint64_t salt=0):
        self._salt = salt

    def __dealloc__(self):
        self.clear()
        free(self._bins)

    cdef void clear(self) noexcept:
        cdef int index
        self._new.first = self._new.last = self._old.first = self._old.last = -1
        self.bytes = self.own_bytes = self.count = 0
        for index in range(2 * GROUPS):
            self._group_bytes[index] = 0
        if self._bins == NULL:
            return
        for index in range(BINS):
            queue_clear(&self._bins[index].packets)
            self._bins[index].next = -1
            self._bins[index].listed = False

    cdef void push(self, Packet *packet, const uint8_t *source, const uint8_t *dest, bint own, uint64_t now) noexcept:
        cdef uint64_t dest_hash = _hash(dest, self._salt)
        cdef uint64_t flow = dest_hash >> 8 if own else _hash(source, self._salt)
        cdef int index = (<int>(dest_hash & (GROUPS - 1))
                          + (GROUPS if own else 0)) * SUBBINS + <int>(flow & (SUBBINS - 1))
        cdef Bin *bin
        if self._bins == NULL:
            self._bins = <Bin *>calloc(BINS, sizeof(Bin))
            if self._bins == NULL:
                self.dropped += 1
                packet_free(packet)
                return
            self.clear()
        bin = &self._bins[index]
        packet.stamp = now
        queue_push(&bin.packets, packet)
        self.count += 1
        self.bytes += packet.size
        self._group_bytes[index // SUBBINS] += packet.size
        if not bin.listed:
            bin.listed = True
            bin.deficit = QUANTUM
            bin.largest = 0
            self._append(&self._new, index)
        bin.largest = max(bin.largest, packet.size)
        if packet.size > self._largest or self.count == 1:
            self._largest = packet.size
            self._set_target()
        if own:
            self.own_bytes += packet.size
            while self.own_bytes > QUEUE_LIMIT:
                self._drop_fattest(GROUPS)
        else:
            while self.bytes - self.own_bytes > QUEUE_LIMIT:
                self._drop_fattest(0)

    cdef Packet *pop(self, uint64_t now) noexcept:
        cdef List *flows
        cdef Bin *bin
        cdef Packet *packet
        while self._new.first >= 0 or self._old.first >= 0:
            flows = &self._new if self._new.first >= 0 else &self._old
            bin = &self._bins[flows.first]
            # One packet may be worth many quanta: a flow that owes more than one pays, though nothing of it waits.
            if bin.deficit <= (0 if bin.packets.count else -QUANTUM):
                bin.deficit += QUANTUM
                self._move_first(flows, &self._old)
            elif bin.packets.count == 0:
                # Sent or dropped empty. A new one stays for a round of the old ones, lest it be new again at once.
                bin.listed = flows == &self._new and self._old.first >= 0
                self._move_first(flows, &self._old if bin.listed else NULL)
            else:
                packet = self._pop_from(flows.first, now)
                bin.deficit -= packet.size
                return packet
        return NULL

    cdef Packet *_pop_from(self, int index, uint64_t now) noexcept:
        return self._take(index) if self._is_paused(index) else self._pop_codel(index, now)

    cdef bint _is_paused(self, int index) noexcept:
        # Whether the sender of this flow waits for room as far as one can tell, and needs no other sign. That more
        # waits than there is credit for shows nothing of a paced one: it was sent when there was more.
        if index < GROUPS * SUBBINS:
            return False
        if self._bins[index].packets.head.paced:
            return True
        if self._bins[index].packets.head.ecn and self.own_bytes > self.credit + self._largest:
            return False
        return self.own_bytes <= self.own_limit

    cdef void set_rate(self, uint64_t rate, size_t credit, size_t own_limit) noexcept:
        self.rate = rate
        self.credit = credit
        self.own_limit = own_limit
        self._set_target()

    cdef void _set_target(self) noexcept:
        self._target = CODEL_TARGET
        if self.rate:
            self._target = max(self._target, <uint64_t>(2e9 * self._largest / self.rate))

    cdef void _append(self, List *flows, int index) noexcept:
        self._bins[index].next = -1
        if flows.last < 0:
            flows.first = index
        else:
            self._bins[flows.last].next = index
        flows.last = index

    cdef void _move_first(self, List *flows, List *to) noexcept:
        cdef int index = flows.first
        flows.first = self._bins[index].next
        if flows.first < 0:
            flows.last = -1
        if to != NULL:
            self._append(to, index)

    cdef Packet *_take(self, int index) noexcept:
        cdef Packet *packet = queue_pop(&self._bins[index].packets)
        self.count -= 1
        self.bytes -= packet.size
        self._group_bytes[index // SUBBINS] -= packet.size
        if index >= GROUPS * SUBBINS:
            self.own_bytes -= packet.size
        return packet

    cdef void _drop(self, int index) noexcept:
        self.dropped += 1
        packet_free(self._take(index))

    # CoDel's sign to the sender of a flow's first packet: a mark, or its loss. True: it is marked, and sent.
    cdef bint _signal(self, int index) noexcept:
        cdef Bin *bin = &self._bins[index]
        if bin.packets.head.ecn and (bin.drops <= MARKS_MOST or self.own_bytes <= self.own_limit):
            bin.packets.head.ecn = CE
            self.marked += 1
            return True
        self._drop(index)
        return False

    # CoDel (RFC 8289): once packets have waited too long for a whole interval, drop or mark at a rate that grows until
    # they do not.
    cdef Packet *_pop_codel(self, int index, uint64_t now) noexcept:
        cdef Bin *bin = &self._bins[index]
        cdef bint marked
        if not self._too_long(bin, now):
            bin.dropping = False
        elif not bin.dropping:
            bin.dropping = True
            # Soon after the last time it was bad: go on near the rate that helped then.
            bin.drops = bin.drops - 2 if bin.drops > 2 and now - bin.drop_at < 8 * CODEL_INTERVAL else 1
            bin.drop_at = now + <uint64_t>(CODEL_INTERVAL / sqrt(bin.drops))
            self._signal(index)
        else:
            marked = False
            while now >= bin.drop_at and bin.dropping and not marked:
                marked = self._signal(index)
                bin.drops += 1
                bin.drop_at += <uint64_t>(CODEL_INTERVAL / sqrt(bin.drops))
                if not self._too_long(bin, now):
                    bin.dropping = False
        return self._take(index)

    cdef bint _too_long(self, Bin *bin, uint64_t now) noexcept:
        if bin.packets.bytes <= 2 * bin.largest or now - bin.packets.head.stamp < self._target:
            bin.above_since = 0
            return False
        if bin.above_since == 0:
            bin.above_since = now
            return False
        return now - bin.above_since >= CODEL_INTERVAL

    # Head drop from the destination with most bytes waiting, and there from the source with most.
    cdef void _drop_fattest(self, int first_group) noexcept:
        cdef int group, sub, index
        cdef int worst = first_group
        for group in range(first_group, first_group + GROUPS):
            if self._group_bytes[group] > self._group_bytes[worst]:
                worst = group
        index = worst * SUBBINS
        for sub in range(worst * SUBBINS, (worst + 1) * SUBBINS):
            if self._bins[sub].packets.bytes > self._bins[index].packets.bytes:
                index = sub
        self._drop(index)
