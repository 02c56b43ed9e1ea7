"""TCP's receiving half; see receiver.pxd."""

import cython

from libc.stdlib cimport calloc, free
from libc.string cimport memset

from ygg_c.base.clock cimport MS, NEVER, SECOND
from ygg_c.base.ranges cimport Range, ranges_find, ranges_overlap
from ygg_c.base.ratelimit cimport tokens_take
from ygg_c.ip.memory cimport INBOUND
from ygg_c.socket.endpoint cimport (
    COUNT_TCP_ANSWERS_LIMITED, COUNT_TCP_BEYOND_WINDOW, COUNT_TCP_CHALLENGES, COUNT_TCP_IGNORED, COUNT_TCP_NO_BUFFER,
    COUNT_TCP_NO_ROOM, COUNT_TCP_OUT_OF_ORDER, COUNT_TCP_PAWS, COUNT_TCP_UNACCEPTABLE, EVENT_READABLE,
)
from ygg_c.tcp.receivequeue cimport (
    received_clear, received_covered, received_growth, received_insert, received_renege, received_rest, received_spare,
    received_start,
)
from ygg_c.tcp.rtt cimport RTT_GRAIN
from ygg_c.tcp.wire cimport FIN, MAX_SACKS, PSH, RST, SYN, sequence_length, write_sacks

cdef enum:
    MOST_LAG = 100                  # ticks of the peer's clock, of a millisecond as a rule
    CHALLENGES_PER_SECOND = 2       # for each connection (RFC 5961, 7)
    STRAYS_PER_SECOND = 10          # answers to empty segments outside the window: two ends must not do this for ever
    LEAST_FULL = 536                # a sender of small pieces does not earn an ACK for every two
    AT_ONCE = 16                    # segments acknowledged each after one out of order
    KIB = 1024
    LEAST_STEP = 1220               # the window moves in steps of a segment, of this size while none has come
    # ns over which the application's reading is measured, and a round trip nothing is known of
    LEAST_INTERVAL = 200000

cdef uint64_t RTT_SPAN = 10 * SECOND        # for which the least round trip counts
cdef uint64_t LONG_PATH = 50 * MS           # on shorter ones the window at first serves some 160 Mbit/s


@cython.no_gc      # what it refers to refers to nothing
cdef class Receiver:
    """Takes what a connection receives."""

    def __cinit__(self):
        received_start(&self.queue, 0)
        self.ack_at = NEVER
        self.scale = -1

    def __dealloc__(self):
        received_clear(&self.queue)
        free(self._to_tell)

    # The handshake.

    cdef void open(self, Host host, TcpOptions options) noexcept:
        self.cap = options.receive_most or host.receive_buffer
        self.fixed = options.receive_most > 0
        self.quick = options.quick_ack
        self.scale = <signed char>options.scale(host)

    cdef void begin(self, uint64_t first, uint32_t stamp, TcpEndpoint connection) noexcept:
        received_start(&self.queue, first)
        self.last_acked = self._tuned_from = first
        self.advertised = min(self.edge(connection), first + 65535)
        self.ts_recent = stamp
        self.ts_recent_at = connection.host.now

    # Acceptability (RFC 9293, 3.10.7.4).

    cdef uint64_t ack_position(self) noexcept:
        return self.queue.next + self.fin_received

    cdef bint acceptable(self, const Segment *segment, uint64_t position, TcpEndpoint connection,
                         uint64_t now) noexcept:
        cdef uint64_t expected = self.ack_position()
        cdef uint64_t length = sequence_length(segment)
        cdef uint64_t edge = max(self.advertised, expected)
        if connection.stamps and not segment.flags & (RST | SYN) and not segment.stamped:
            connection.host.count[COUNT_TCP_IGNORED] += 1       # RFC 7323, 3.2
            return False
        if connection.stamps and not segment.flags & (RST | SYN) and (
            stamp_is_old(segment.ts_value + self._lag(position, length), self.ts_recent, now - self.ts_recent_at)
        ):
            # PAWS: from an earlier round of the sequence numbers, or late beyond use (RFC 7323, 5.3).
            connection.host.count[COUNT_TCP_PAWS] += 1
            if length:
                self.ack_now = True
            else:
                self._stray(connection, now)
            return False
        if segment.flags & (SYN | RST) == SYN:
            return True
        if length == 0:
            # At the edge, too: a peer that has filled the window has no other place for its ACKs. Where both have, and
            # both have lost the first segment, they would wait for one another.
            if expected <= position <= edge:
                return True
        elif position == expected or (position < edge and position + length > expected):
            return True
        connection.host.count[COUNT_TCP_UNACCEPTABLE if position < edge else COUNT_TCP_BEYOND_WINDOW] += 1
        if segment.flags & RST:
            return False
        if length:
            # The peer missed our ACK; without an answer it would send this for ever.
            self.ack_now = True
            if position < expected:
                self._report(position, min(position + segment.size, expected))
        else:
            self._stray(connection, now)
        return False

    cdef void note_stamp(self, const Segment *segment, uint64_t position, uint64_t now) noexcept:
        if segment.stamped and position <= self.last_acked and not (
            stamp_is_old(segment.ts_value, self.ts_recent, now - self.ts_recent_at)
        ):
            self.ts_recent = segment.ts_value
            self.ts_recent_at = now
            self._hole_filled = self.queue.ranges.count > 0

    cdef uint32_t _lag(self, uint64_t position, uint64_t length) noexcept:
        # What fills a hole was sent again, later than what lies above it; of that some may still be on its way. To drop
        # it would be to lose it, so it may have a stamp as much older as segments overtake one another.
        return MOST_LAG if self._hole_filled and length and position >= self.queue.next else 0

    cdef void challenge(self, TcpEndpoint connection, uint64_t now) noexcept:
        if tokens_take(&self._challenges, CHALLENGES_PER_SECOND, 1, 1, now):
            connection.host.count[COUNT_TCP_CHALLENGES] += 1
            self.ack_now = True
        else:
            connection.host.count[COUNT_TCP_ANSWERS_LIMITED] += 1

    cdef void _stray(self, TcpEndpoint connection, uint64_t now) noexcept:
        if tokens_take(&self._strays, STRAYS_PER_SECOND, STRAYS_PER_SECOND, 1, now):
            self.ack_now = True
        else:
            connection.host.count[COUNT_TCP_ANSWERS_LIMITED] += 1

    # Data.

    cdef bint take(self, const Segment *segment, uint64_t position, TcpEndpoint connection, uint64_t now) noexcept:
        cdef const uint8_t *data = segment.data
        cdef uint64_t expected = self.queue.next
        cdef uint64_t end = position + segment.size
        if segment.flags & FIN and end <= max(self.advertised, expected):
            self.fin_at = end
        if position < expected:
            if segment.size:
                self._report(position, min(end, expected))
                self.ack_now = True
            data += min(expected - position, <uint64_t>segment.size)
            position = expected
        if end > self.advertised:
            connection.host.count[COUNT_TCP_BEYOND_WINDOW] += 1
            self.ack_now = True
            end = self.advertised
        if end > position:
            self._note_size(segment)
            self.took_at = <uint32_t>(now // MS)
            if connection.stamps:
                self._measure(segment, connection, now)
            self._store(position, data, end, connection)
        if self.fin_at and self.fin_at == self.queue.next and not self.fin_received:
            self.fin_received = True
            self.ack_now = True
            return True
        if segment.flags & FIN:
            self.ack_now = True
        return False

    cdef void _note_size(self, const Segment *segment) noexcept:
        # A peer may change the size of its segments. What ends a write is shorter than they are.
        self.largest = max(self.largest, segment.size)
        if segment.size >= self._full:
            self._full = <uint32_t>segment.size
        elif not segment.flags & PSH:
            self._full -= (self._full - <uint32_t>segment.size + 3) // 4

    cdef void _store(self, uint64_t position, const uint8_t *data, uint64_t end, TcpEndpoint connection) noexcept:
        cdef uint64_t expected = self.queue.next
        cdef uint64_t again[2]
        # At once on a hole, and when one is filled (RFC 5681, 4.2).
        if position > expected or self.queue.ranges.count:
            self.ack_now = True
            self._at_once = AT_ONCE
            if ranges_overlap(&self.queue.ranges, position, end, again):
                self._report(again[0], again[1])
        end = self._fit(position, end, connection)
        if end == position:
            connection.host.count[COUNT_TCP_NO_BUFFER] += 1
        elif received_insert(&self.queue, position, data, end - position):
            if position > expected:
                connection.host.count[COUNT_TCP_OUT_OF_ORDER] += 1
                self._arrived_at(position)
            self.ack_bytes += self.queue.next - expected
            self.bytes += self.queue.next - expected
            if self.queue.next > expected:
                connection.happen(EVENT_READABLE)
        else:
            connection.host.count[COUNT_TCP_NO_ROOM] += 1

    cdef uint64_t _fit(self, uint64_t position, uint64_t end, TcpEndpoint connection) noexcept:
        # Where data ends for which there is memory: all, nothing, or of data in order as much as is kept in any case.
        cdef size_t growth = received_growth(&self.queue, position, end)
        cdef bint in_order = position == self.queue.next
        if growth == 0:
            return end
        if connection.host.memory.pressed and not connection.node.ours:
            connection.host.relieve(connection.node, growth, in_order)
            growth = received_growth(&self.queue, position, end)
        if connection.node.takes(growth, in_order):
            return end
        received_spare(&self.queue)
        if not in_order:
            return position
        return max(position, min(end, max(received_covered(&self.queue), self.queue.read + connection.node.least())))

    cdef void _report(self, uint64_t start, uint64_t end) noexcept:
        # Tell of a duplicate; what repeats the one before it, or goes on behind it, is told with it.
        cdef uint64_t *told
        if start >= end or not self._has_to_tell():
            return
        told = self._to_tell.dsack
        if start <= told[1] and end >= told[0]:
            start, end = min(start, told[0]), max(end, told[1])
        told[0], told[1] = start, end

    cdef bint _has_to_tell(self) noexcept:
        if self._to_tell == NULL:
            self._to_tell = <ToTell *>calloc(1, sizeof(ToTell))
        return self._to_tell != NULL

    cdef void _arrived_at(self, uint64_t position) noexcept:
        # Put the block of `position` in front. Of places in one block only the latest is kept.
        cdef uint64_t moved = position
        cdef size_t block = ranges_find(&self.queue.ranges, position)
        cdef int index
        if not self._has_to_tell():
            return
        for index in range(MAX_SACKS):
            self._to_tell.recent[index], moved = moved, self._to_tell.recent[index]
            if moved == 0 or ranges_find(&self.queue.ranges, moved) == block:
                return

    cdef size_t memory(self) noexcept:
        return self.queue.held + self.queue.ranges.room * sizeof(Range) + (sizeof(ToTell) if self._to_tell != NULL
                                                                           else 0)

    cdef void rest(self) noexcept:
        received_rest(&self.queue)

    cdef void clear(self) noexcept:
        received_clear(&self.queue)

    cdef Aging *ahead(self) noexcept:
        return NULL if self._to_tell == NULL else &self._to_tell.ahead

    cdef void renege(self) noexcept:
        received_renege(&self.queue)
        if self._to_tell != NULL:
            memset(self._to_tell.recent, 0, sizeof(self._to_tell.recent))

    # What the peer is told.

    cdef bint ack_due(self, Host host, uint64_t now) noexcept:
        cdef size_t most = 1 if self.quick or self._at_once else 2 * max(self._full, <uint32_t>LEAST_FULL)
        if self.ack_now or self.ack_bytes >= most:
            if self.ack_now or self.ack_bytes:
                self._at_once -= self._at_once > 0
            return True
        if self.ack_bytes and self.ack_at == NEVER:
            self.ack_at = now + host.delayed_ack
        return False

    cdef void acknowledged(self, uint64_t ack) noexcept:
        self.ack_now = False
        self.ack_bytes = 0
        self.ack_at = NEVER
        self.last_acked = ack
        if self._to_tell != NULL and self.queue.ranges.count == 0 and self._to_tell.dsack[1] == 0 and (
            self._to_tell.ahead.owner == NULL
        ):
            free(self._to_tell)
            self._to_tell = NULL

    cdef int sack_count(self, size_t room) noexcept:
        cdef int count
        if self._to_tell == NULL:
            return 0
        count = <int>self.queue.ranges.count + (self._to_tell.dsack[1] != 0)
        return min(count, min(<int>(max(room, <size_t>4) - 4) // 8, MAX_SACKS))

    cdef uint8_t *write_blocks(self, uint8_t *at, int count) noexcept:
        # The duplicate being reported first (RFC 2883), then the blocks that changed last (RFC 2018, 4), then others.
        cdef uint64_t blocks[2 * MAX_SACKS]
        cdef size_t told[MAX_SACKS]
        cdef size_t block
        cdef int filled = 0
        cdef int index, other
        if self._to_tell.dsack[1]:
            blocks[0], blocks[1] = self._to_tell.dsack[0], self._to_tell.dsack[1]
            self._to_tell.dsack[0] = self._to_tell.dsack[1] = 0
            told[0] = <size_t>-1
            filled = 1
        for index in range(MAX_SACKS + <int>self.queue.ranges.count):
            if filled == count:
                break
            if index < MAX_SACKS:
                block = ranges_find(&self.queue.ranges, self._to_tell.recent[index])
            else:
                block = index - MAX_SACKS
            for other in range(filled):
                if told[other] == block:
                    block = self.queue.ranges.count
                    break
            if block < self.queue.ranges.count:
                told[filled] = block
                blocks[2 * filled] = self.queue.ranges.items[block].start
                blocks[2 * filled + 1] = self.queue.ranges.items[block].end
                filled += 1
        return write_sacks(at, blocks, filled)

    # The window.

    cdef uint64_t edge(self, TcpEndpoint connection) noexcept:
        return self.queue.read + min(self.cap, connection.node.allowance(INBOUND))

    cdef uint16_t window_field(self, uint64_t ack, bint syn, TcpEndpoint connection) noexcept:
        cdef int scale = 0 if syn or self.scale < 0 else self.scale
        self.advertised = max(self.advertised, self._next_edge(ack, scale, connection))
        if self.advertised <= ack:
            return 0
        return <uint16_t>min((self.advertised - ack) >> scale, <uint64_t>65535)

    cdef uint64_t _next_edge(self, uint64_t ack, int scale, TcpEndpoint connection) noexcept:
        # The edge that may be shown beyond the present one, 0: none. It moves in steps worth a segment (silly-window
        # avoidance, RFC 9293, 3.8.6.2.2) and never back, and no further than the field can say.
        cdef uint64_t room = self.edge(connection)
        cdef uint64_t step = min((room - self.queue.read) // 2, <uint64_t>max(self.largest, <size_t>LEAST_STEP))
        cdef uint64_t edge = min(room, ack + (<uint64_t>65535 << scale))
        return edge if edge >= self.advertised + max(step, <uint64_t>1) else 0

    cdef void was_read(self, uint64_t rtt, TcpEndpoint connection) noexcept:
        # Tell the peer when the window grew by a good part.
        cdef Host host = connection.host
        cdef uint64_t edge
        if self.fin_received:
            return
        self._tune(rtt, connection, host.now)
        edge = self._next_edge(self.ack_position(), max(self.scale, 0), connection)
        if edge and edge - self.advertised >= min((edge - self.queue.read) // 4, self._shown()):
            self.ack_now = True
            host.mark(connection)

    # Autotuning: the window is to be twice what the application reads in a round trip, so that neither it nor a sender
    # that probes for more has to wait; four times on a long path while that grows as in a slow start, or it would wait
    # in every second round trip. The least round trip of late counts, not the present one: what waits in queues on the
    # way is in it already. On a path within one machine the window so stays as small as serves, and what waits there is
    # still in the processor's caches when it is read.

    cdef void _tune(self, uint64_t rtt, TcpEndpoint connection, uint64_t now) noexcept:
        cdef uint64_t passed = now - self._tuned_at
        cdef uint64_t most = max(connection.host.receive_buffer_max, self.cap)
        cdef uint64_t wanted
        if self.fixed:
            return
        if self.rtt == 0:
            self.rtt = max(rtt, <uint64_t>LEAST_INTERVAL)
            self._rtt_low = NEVER
            self._rtt_since = now if rtt > RTT_GRAIN else 0
            self._tuned_at = now
        elif passed > max(self.rtt, <uint64_t>LEAST_INTERVAL):
            wanted = min(self._wanted(passed), most)
            self.cap = self.cap if connection.host.memory.pressed else wanted
            self._tuned_at = now
        else:
            return
        self._tuned_from = self.queue.read

    cdef uint64_t _wanted(self, uint64_t passed) noexcept:
        cdef double size = <double>(self.queue.read - self._tuned_from) * self.rtt / passed     # read in a round trip
        cdef bint grows = self.rtt >= LONG_PATH and self._read_before and size >= 1.5 * KIB * self._read_before
        self._read_before = <uint32_t>min(size / KIB, <double>0xffffffff)
        return 2 * self.cap if size * (4 if grows else 2) > self.cap else self.cap

    cdef void _measure(self, const Segment *segment, TcpEndpoint connection, uint64_t now) noexcept:
        # Data that echo the timestamp of our ACK: a round trip, and for how long the sender had nothing to send.
        # Timestamps are whole milliseconds: of a shorter one they only say that.
        cdef uint32_t age = connection.stamp(now) - segment.ts_echo
        cdef uint64_t sample = age * MS if age else min(self.rtt, MS)
        if self.rtt == 0 or age >> 31:
            return
        self._rtt_low = min(self._rtt_low, sample)
        self.rtt = min(self.rtt, sample)
        # A handshake within one turn says nothing, for the clock stood still: then the first sample ends the span.
        if self._rtt_since == 0 or now - self._rtt_since > RTT_SPAN:
            # A little longer it may seem only because all that the window allows waits on the way: a larger one would
            # wait there longer still.
            if self._rtt_since == 0 or self._rtt_low >= LONG_PATH:
                self.rtt = self._rtt_low
            self._rtt_low, self._rtt_since = NEVER, now

    cdef uint64_t _shown(self) noexcept:
        # The window the peer sees, or two segments where it sees less.
        cdef uint64_t shown = self.advertised - min(self.advertised, self.queue.next)
        return max(shown, 2 * <uint64_t>max(self.largest, <size_t>LEAST_STEP))
