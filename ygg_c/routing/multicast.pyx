"""Which neighbours lead to which keys (protocol 0.5, Bloom filters)."""

from libc.string cimport memcmp

from ygg_c.base.address cimport lookup_key
from ygg_c.base.packet cimport Packet, packet_copy, packet_push
from ygg_c.link.bloom cimport (
    BLOOM_WIRE_MAX, BLOOM_WORDS, bloom_add, bloom_clear, bloom_decode, bloom_encode, bloom_equal, bloom_has,
    bloom_merge, probe_init,
)
from ygg_c.link.wire cimport BLOOM_FILTER, ERR_DECODE, OK, PATH_LOOKUP, frame_header_size, frame_put
from ygg_c.routing.records cimport Record

cdef uint64_t REPEAT_AFTER = 3600       # ticks after which an unchanged filter is sent again


cdef class Reach:
    """The filters of one node's neighbours."""

    def __cinit__(self, LinkHost host not None, Tree tree not None):
        cdef uint8_t target[32]
        self.host = host
        self.tree = tree
        lookup_key(host.key, target)
        probe_init(&self._own, target)

    # A neighbour keeps one filter of ours, not one a link: what a further link brings takes the place of what it has.
    cdef void link_up(self, Link link) noexcept:
        cdef uint8_t body[BLOOM_WIRE_MAX]
        cdef Bloom empty
        if not link.neighbour.links:
            bloom_clear(&empty)
            link.send_control(BLOOM_FILTER, body, bloom_encode(&empty, body))

    cdef void link_proven(self, Link link) noexcept:
        if len(link.neighbour.links) > 1:
            self._send(link.neighbour, link)

    cdef void link_down(self, Neighbour neighbour) noexcept:
        self._send(neighbour, None)

    # Send what it should have, on one link or on all.
    cdef void _send(self, Neighbour neighbour, Link only) noexcept:
        cdef uint8_t body[BLOOM_WIRE_MAX]
        cdef size_t size = bloom_encode(&neighbour.filter_out, body)
        cdef Link link
        for link in neighbour.links:
            if only is None or link is only:
                link.send_control(BLOOM_FILTER, body, size)

    cdef int filter_in(self, Link link, const uint8_t *body, size_t size) noexcept:
        cdef Bloom bloom
        cdef Neighbour neighbour = link.neighbour
        cdef uint64_t gained = 0
        cdef int index
        if bloom_decode(&bloom, body, size) < 0:
            return ERR_DECODE
        for index in range(BLOOM_WORDS):
            gained |= bloom.words[index] & ~neighbour.filter_in.words[index]
        neighbour.filter_in = bloom
        if gained and neighbour.ontree:
            self.gains += 1
            self.host.want_maintenance(self.host.now)
        return OK

    cdef bint _is_ontree(self, Neighbour neighbour) noexcept:
        cdef Record own = self.tree.own
        cdef Record record
        if own is not None and memcmp(own.parent, neighbour.key, 32) == 0:
            return True
        record = self.tree.record(neighbour.key)
        return record is not None and memcmp(record.parent, self.host.key, 32) == 0

    cdef void maintain(self, bint tick) noexcept:
        cdef Bloom once, twice      # bits that at least one, that at least two neighbours reach
        cdef Neighbour neighbour
        cdef bint was
        cdef int index
        bloom_clear(&once)
        bloom_clear(&twice)
        for neighbour in self.tree.neighbours:
            was = neighbour.ontree
            neighbour.ontree = self._is_ontree(neighbour)
            if was and not neighbour.ontree:
                bloom_clear(&neighbour.filter_out)
                self._send(neighbour, None)
            if neighbour.ontree:
                self.gains += not was
                for index in range(BLOOM_WORDS):
                    twice.words[index] |= once.words[index] & neighbour.filter_in.words[index]
                    once.words[index] |= neighbour.filter_in.words[index]
        for neighbour in self.tree.neighbours:
            if neighbour.ontree:
                self._refresh(neighbour, &once, &twice, tick)

    # What is reached through us from one neighbour: ourselves, and what any other neighbour reaches.
    cdef void _refresh(self, Neighbour neighbour, const Bloom *once, const Bloom *twice, bint tick) noexcept:
        cdef Bloom bloom, wider
        cdef int index
        for index in range(BLOOM_WORDS):
            bloom.words[index] = (once.words[index] & ~neighbour.filter_in.words[index]) | twice.words[index]
        bloom_add(&bloom, &self._own)
        if tick and neighbour.dirty:
            neighbour.dirty = False
        else:
            # Bits come at once and go a tick later, lest the tree's every move makes them flap.
            wider = bloom
            bloom_merge(&wider, &neighbour.filter_out)
            if tick:
                neighbour.dirty = not bloom_equal(&wider, &bloom)
            bloom = wider
        neighbour.age += tick
        if neighbour.age >= REPEAT_AFTER or not bloom_equal(&bloom, &neighbour.filter_out):
            neighbour.filter_out = bloom
            neighbour.age = 0
            self._send(neighbour, None)

    cdef size_t leads(self, const Probe *probe) noexcept:
        cdef Neighbour neighbour
        cdef size_t count = 0
        for neighbour in self.tree.neighbours:
            count += _towards(neighbour, probe) is not None
        return count

    cdef size_t multicast(self, const uint8_t *body, size_t size, Neighbour came_from,
                          const uint8_t *source, const uint8_t *target) noexcept:
        cdef uint8_t transformed[32]
        cdef Probe probe
        cdef Neighbour neighbour
        cdef Link link
        cdef Packet *packet
        cdef size_t count = 0
        lookup_key(target, transformed)
        probe_init(&probe, transformed)
        for neighbour in self.tree.neighbours:
            link = _towards(neighbour, &probe) if neighbour is not came_from else None
            if link is None:
                continue
            count += 1
            packet = packet_copy(body, size)
            if packet != NULL:
                frame_put(packet_push(packet, frame_header_size(size)), PATH_LOOKUP, size)
                link.send_packet(packet, source, target, came_from is None)
        self.host.work -= 1 + count + (len(self.tree.neighbours) >> 3)
        return count


# The link that a lookup takes to a neighbour; None when the neighbour does not lead there.
cdef Link _towards(Neighbour neighbour, const Probe *probe):
    return _preferred(neighbour) if neighbour.ontree and bloom_has(&neighbour.filter_in, probe) else None


cdef Link _preferred(Neighbour neighbour):
    cdef Link link
    cdef Link best = None
    for link in neighbour.links:
        if link.proven and (best is None or link.priority < best.priority):
            best = link
    return best
