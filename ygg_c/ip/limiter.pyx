"""A layer that limits packets and bytes a second, each way; see limiter.pxd."""

from operator import index

from libc.stdint cimport SIZE_MAX, uint8_t

from ygg_c.base.clock cimport NEVER
from ygg_c.base.packet cimport Packet, packet_free
from ygg_c.base.ratelimit cimport tokens_left, tokens_put_back, tokens_take, tokens_wait

cdef enum:
    LEAST_BURST = 131072        # bytes: twice the largest packet, for less would keep it out for ever


RATE_MOST = 10**10           # a second: with as much at once the buckets' numbers do not overflow


cdef Limit _limit(packets, bytes_, double burst) except *:
    cdef Limit limit
    for rate in (index(packets), index(bytes_)):       # a fraction, cut down to 0, would be no limit
        if not 0 <= rate <= RATE_MOST:
            raise ValueError(f"a rate is 0 (no limit) to {RATE_MOST} a second, not {rate}")
    limit.packet_rate = packets
    limit.packet_burst = max(<uint64_t>1, <uint64_t>(packets * burst))
    limit.byte_rate = bytes_
    limit.byte_burst = max(<uint64_t>LEAST_BURST, <uint64_t>(bytes_ * burst))
    limit.packets.used = limit.packets.stamp = limit.bytes.used = limit.bytes.stamp = 0
    limit.dropped = 0
    return limit


cdef bint _passes(Limit *limit, size_t size, uint64_t now) noexcept:
    if limit.packet_rate and not tokens_take(&limit.packets, limit.packet_rate, limit.packet_burst, 1, now):
        limit.dropped += 1
        return False
    if limit.byte_rate and not tokens_take(&limit.bytes, limit.byte_rate, limit.byte_burst, size, now):
        if limit.packet_rate:
            tokens_put_back(&limit.packets, 1)
        limit.dropped += 1
        return False
    return True


cdef size_t _room(const Limit *limit, size_t wanted, uint64_t now) noexcept:
    # Bytes that may be sent now, in packets of `wanted` bytes; 0: in any.
    cdef uint64_t packets
    cdef size_t room = SIZE_MAX
    if limit.byte_rate:
        room = tokens_left(&limit.bytes, limit.byte_rate, limit.byte_burst, now)
    if limit.packet_rate:
        packets = tokens_left(&limit.packets, limit.packet_rate, limit.packet_burst, now)
        if packets == 0 or wanted:
            room = min(room, packets * wanted)
    return room


cdef uint64_t _ready(const Limit *limit, size_t size, uint64_t now) noexcept:
    # When a packet of this size may pass.
    cdef uint64_t at = now + 1
    cdef uint64_t cost = min(<uint64_t>size, limit.byte_burst)
    if limit.byte_rate:
        at = max(at, limit.bytes.stamp + tokens_wait(&limit.bytes, limit.byte_rate, limit.byte_burst, cost))
    if limit.packet_rate:
        at = max(at, limit.packets.stamp + tokens_wait(&limit.packets, limit.packet_rate, limit.packet_burst, 1))
    return at


cdef class Limiter(Layer):
    """Limits what passes."""

    def __init__(self, packets_in=0, bytes_in=0, packets_out=0, bytes_out=0, double burst=0.1):
        if not 0 <= burst <= 1:
            raise ValueError(f"a burst is what 0 to 1 s allow, not {burst}")
        self._in = _limit(packets_in, bytes_in, burst)
        self._out = _limit(packets_out, bytes_out, burst)
        self._again_at = NEVER

    @property
    def dropped_in(self):
        return self._in.dropped

    @property
    def dropped_out(self):
        return self._out.dropped

    # Upwards.

    cdef void packet_in(self, uint8_t *data, size_t size, uint64_t now) noexcept:
        self._now = now
        if _passes(&self._in, size, now):
            Layer.packet_in(self, data, size, now)

    cdef void batch_end(self, uint64_t now) noexcept:
        self._now = now
        Layer.batch_end(self, now)

    cdef void credit_in(self, uint64_t link, uint64_t now) noexcept:
        self._now = now
        Layer.credit_in(self, link, now)

    cdef uint64_t run_due(self, uint64_t now) noexcept:
        # What is above may be refused in either call.
        cdef uint64_t deadline
        self._now = now
        if self._again_at <= now:
            self._again_at = NEVER
            Layer.credit_in(self, self._refused_link, now)
        deadline = Layer.run_due(self, now)
        return min(deadline, self._again_at)

    cdef void lower_changed(self) noexcept:
        self._again_at = NEVER      # the gateway has all ask again

    # Downwards.

    cdef void packet_out(self, Packet *packet, uint64_t now) noexcept:
        self._now = now
        if _passes(&self._out, packet.size, now):
            Layer.packet_out(self, packet, now)
        else:
            packet_free(packet)

    cdef void find_way(self, const uint8_t *address, size_t wanted, Way *way) noexcept:
        cdef size_t room
        Layer.find_way(self, address, wanted, way)
        room = _room(&self._out, wanted, self._now)
        way.spare = min(way.spare, room)
        if way.credit >= wanted > room:
            self._refuse(way, wanted)
        way.credit = min(way.credit, room)

    cdef void _refuse(self, Way *way, size_t wanted) noexcept:
        # Below there is room: so it is for us to tell when there are tokens.
        way.full_since = min(way.full_since, self._now)
        if self._again_at == NEVER:
            self._again_at = _ready(&self._out, wanted, self._now)
            self._refused_link = way.link
            Layer.want_turn(self)           # for its deadline: this turn's may have been asked for already
        else:
            self._again_at = min(self._again_at, _ready(&self._out, wanted, self._now))
            if self._refused_link != way.link:
                self._refused_link = 0
