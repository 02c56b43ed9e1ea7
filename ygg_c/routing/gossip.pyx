"""The gossip of records.

Every neighbour is told our ancestry, then its own: root first, so that each record connects to one that it has. What
exceeds the depth of any real tree follows in portions, and neighbours take turns. Who takes nothing is told no more.
"""

from ygg_c.base.clock cimport MS, NEVER
from ygg_c.base.ratelimit cimport bucket_init, bucket_take
from ygg_c.link.wire cimport ANNOUNCE, ANNOUNCE_MAX, Announce, encode_announce
from ygg_c.routing.records cimport DEPTH_MAX

# records told a neighbour in a second, after a burst that any real ancestry fits into
cdef uint64_t TELL_RATE = 2500
cdef uint64_t TELL_BURST = 64
cdef uint64_t TELL_GAP = 10 * MS                # between portions of what does not fit
cdef size_t TELL_BACKLOG = 16384                # bytes of a link's control messages that go before more is told
cdef size_t TELL_LOOKS = 20000                  # at records in one go, for all neighbours together


cdef void gossip_meet(Neighbour neighbour, uint64_t now) noexcept:
    bucket_init(&neighbour.tellings, TELL_RATE, TELL_BURST, now)


# A neighbour that tells us thousands of records is told anew what it lacks: that takes fewer.
cdef void _bound_sent(Neighbour neighbour) noexcept:
    if neighbour.sent.count >= SENT_MAX:
        neighbour.sent.clear()


# Whether what it was told before has not left yet.
cdef bint _is_behind(Neighbour neighbour) noexcept:
    cdef Link link
    for link in neighbour.links:
        if link.control_waiting() > TELL_BACKLOG:
            return True
    return False


cdef class Gossip:
    """What the neighbours of one node are told."""

    def __cinit__(self):
        self._telling = []
        self.tell_at = NEVER

    cdef void want(self, Neighbour neighbour) noexcept:
        if not neighbour.telling:
            neighbour.telling = True
            self._telling.append(neighbour)

    cdef void soon(self, LinkHost host) noexcept:
        self.tell_at = host.now
        host.due = min(host.due, self.tell_at)

    cdef void note_sent(self, Neighbour neighbour, const uint8_t *key) noexcept:
        _bound_sent(neighbour)
        neighbour.sent.add(key)

    cdef void send_record(self, Link link, Record record) noexcept:
        cdef uint8_t body[ANNOUNCE_MAX]
        cdef Announce message
        message.node = record.key
        message.parent = record.parent
        message.seq = record.seq
        message.nonce = record.nonce
        message.port = record.port
        message.psig = record.psig
        message.sig = record.sig
        link.send_control(ANNOUNCE, body, encode_announce(body, &message))

    cdef void tell_all(self, Records records, list unproven) noexcept:
        cdef Neighbour neighbour
        cdef Link link
        for neighbour in records.neighbours:
            self.want(neighbour)
        self.tell(records)
        for link in unproven:
            self.greet(records, link)

    cdef void greet(self, Records records, Link link) noexcept:
        self._greet(records, link, records.host.key)
        self._greet(records, link, link.neighbour.key)

    cdef void _greet(self, Records records, Link link, const uint8_t *key) noexcept:
        cdef void *found[DEPTH_MAX]
        cdef size_t count = records.ancestry(key, None, found, DEPTH_MAX)
        cdef Record record
        while count and link.told.count < GREETED_MAX:
            count -= 1
            record = <Record>found[count]
            if not link.told.has(record.key):
                link.told.add(record.key)
                self.send_record(link, record)

    cdef void tell(self, Records records) noexcept:
        cdef LinkHost host = records.host
        cdef void *above[DEPTH_MAX]
        cdef size_t count = records.ancestry(host.key, None, above, DEPTH_MAX)
        cdef size_t looks = 0
        cdef list telling = self._telling
        cdef list unfinished = []
        cdef list later = []
        cdef Neighbour neighbour
        self._telling = []
        for neighbour in telling:
            neighbour.telling = False
            if not neighbour.links:
                continue
            if looks >= TELL_LOOKS:
                later.append(neighbour)
            elif not self._tell(records, neighbour, above, count, &looks):
                unfinished.append(neighbour)
        for neighbour in later + unfinished:
            self.want(neighbour)                    # who had to wait for others is first
        self.tell_at = host.now + TELL_GAP if self._telling else NEVER
        host.due = min(host.due, self.tell_at)

    cdef bint _tell(self, Records records, Neighbour neighbour, void **above, size_t count, size_t *looks) noexcept:
        cdef void *below[DEPTH_MAX]
        if _is_behind(neighbour):
            return False
        _bound_sent(neighbour)
        looks[0] += count
        if not self._tell_some(records.host, neighbour, above, count):
            return False
        count = records.ancestry(neighbour.key, records.own, below, DEPTH_MAX)
        looks[0] += count
        return self._tell_some(records.host, neighbour, below, count)

    cdef bint _tell_some(self, LinkHost host, Neighbour neighbour, void **records, size_t count) noexcept:
        cdef Record record
        cdef Link link
        while count:
            count -= 1
            record = <Record>records[count]
            if neighbour.sent.has(record.key):
                continue
            if not bucket_take(&neighbour.tellings, host.now):
                return False
            neighbour.sent.add(record.key)
            for link in neighbour.links:
                self.send_record(link, record)
        return True
