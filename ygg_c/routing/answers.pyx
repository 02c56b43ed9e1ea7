"""Where this node tells others that it is; see answers.pxd."""

from cpython.bytes cimport PyBytes_AsString, PyBytes_Size
from libc.string cimport memcpy

from ygg_c.base.clock cimport MS, NEVER
from ygg_c.base.packet cimport Packet, packet_new
from ygg_c.base.ratelimit cimport bucket_init, bucket_take, recent_pass
from ygg_c.link.wire cimport FRAME_MAX, PATH_MAX, PATH_NOTIFY, UV_MAX, frame_header_size, frame_put, uv_put, uv_size
from ygg_c.routing.nexthop cimport Hop

# ns from an Init until its receiver, which has to open it first, looks for us
cdef uint64_t INTRODUCTION_AFTER = 10 * MS
cdef uint64_t ANSWER_INTERVAL = 100 * MS        # between answers to the same source at the same place
cdef enum:
    INTRODUCTIONS_MAX = 1024                    # that wait for their time
    MOVES_RATE = 100                            # a second, for all moves together
    MOVES_BURST = 500


cdef void send_routed(Link link, int kind, const uint8_t *path, size_t path_size, uint64_t watermark,
                      const uint8_t *rest, size_t rest_size, bint own) noexcept:
    cdef size_t size = path_size + uv_size(watermark) + rest_size
    cdef size_t whole = size + frame_header_size(size)
    cdef Packet *packet
    cdef uint8_t *at
    packet = packet_new(whole) if size < FRAME_MAX else NULL
    if packet == NULL:
        link.lost += 1
        return
    packet.size = whole
    at = frame_put(packet.data, kind, size)
    memcpy(at, path, path_size)
    at = uv_put(at + path_size, watermark)
    memcpy(at, rest, rest_size)
    link.send_packet(packet, rest, rest + 32, own)


cdef class Answers:
    """What one node tells others of its place."""

    def __cinit__(self, LinkHost host not None, NextHops hops not None, Location location not None):
        self.host = host
        self.hops = hops
        self.location = location
        self._salt = host.random.u64()
        # An answer costs no work with keys: one signature serves all of a second (see location.pyx).
        self._answers = Budget(500, 1000, self._salt)
        self._introductions = []
        self.introduce_at = NEVER
        bucket_init(&self._moves, MOVES_RATE, MOVES_BURST, host.now)

    cdef void answer(self, uint64_t origin, const Lookup *message, bint known) noexcept:
        cdef uint8_t asker[32]
        cdef uint64_t now = self.host.now
        cdef size_t index
        # Source and place together: a forged lookup can then only keep back an answer that was sent to the same place
        # just now.
        memcpy(asker, message.source, 32)
        for index in range(message.origin_size):
            asker[8 + index % 24] ^= message.origin[index]
        if (not recent_pass(&self._answered, asker, self._salt, now, ANSWER_INTERVAL)
                or not self._answers.take(origin, message.source, known, 1.0, now)):
            self.limited += 1
            return
        self.unroutable += not self._notify(message.source, message.origin, message.origin_size)

    # Tell a node at these coordinates where we are; False when no link leads there.
    cdef bint _notify(self, const uint8_t *dest, const uint8_t *path, size_t size) noexcept:
        cdef uint8_t rest[64 + UV_MAX + PATH_MAX + 64]
        cdef bytes info
        cdef Hop hop
        self.hops.towards(dest, path, size, &hop)
        if hop.link == NULL:
            return False
        info = self.location.signed()
        memcpy(rest, self.host.key, 32)
        memcpy(rest + 32, dest, 32)
        memcpy(rest + 64, PyBytes_AsString(info), PyBytes_Size(info))
        send_routed(<Link>hop.link, PATH_NOTIFY, path, size, hop.distance, rest, 64 + PyBytes_Size(info), True)
        return True

    # Who has a path takes a notify of a higher number unasked, and there is one for each place (see location.pyx).
    cdef bint tell_moved(self, Path path) noexcept:
        if not bucket_take(&self._moves, self.host.now):
            return False
        self._notify(path.key, path.ports, path.size)
        return True

    # A notify that comes before its receiver looks for us is refused, without a verification.
    cdef void introduce(self, Path path) noexcept:
        if path.introduce_at != NEVER or len(self._introductions) >= INTRODUCTIONS_MAX:
            return
        path.introduce_at = self.host.now + INTRODUCTION_AFTER
        self._introductions.append(path)
        self.introduce_at = min(self.introduce_at, path.introduce_at)
        self.host.due = min(self.host.due, self.introduce_at)

    cdef void send_introductions(self) noexcept:
        cdef Path path
        self.introduce_at = NEVER
        while self._introductions:
            path = <Path>self._introductions[0]
            if path.introduce_at > self.host.now:
                self.introduce_at = path.introduce_at
                return
            # An answer that is here already needs no more.
            if path.confirmed + INTRODUCTION_AFTER <= path.introduce_at:
                self._notify(path.key, path.ports, path.size)
            path.introduce_at = NEVER
            self._introductions.pop(0)
