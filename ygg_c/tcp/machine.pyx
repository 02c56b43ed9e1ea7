"""The state machine of a TCP connection: what each segment that arrives does (RFC 9293, 3.10.7), and its timers."""

from libc.errno cimport ECONNREFUSED, ECONNRESET, ETIMEDOUT
from libc.string cimport memcpy

from ygg_c.buffer cimport Packet, packet_new
from ygg_c.census cimport LIVE_TCP, born, died
from ygg_c.checksum cimport sum_bytes, sum_fold, sum_pseudo
from ygg_c.endpoint cimport (
    COUNT_ACCEPT_QUEUE_FULL, COUNT_NO_MEMORY, COUNT_TCP_ANSWERS_LIMITED, COUNT_TCP_BEYOND_WINDOW,
    COUNT_TCP_CHALLENGES, COUNT_TCP_IGNORED, COUNT_TCP_NO_BUFFER, COUNT_TCP_NO_ROOM,
    COUNT_TCP_OUT_OF_ORDER, COUNT_TCP_PAWS, COUNT_TCP_RESETS_IN, COUNT_TCP_RESETS_SENT, COUNT_TCP_UNACCEPTABLE,
    EVENT_CLOSED, EVENT_CONNECTED, EVENT_EOF, EVENT_FAILED, EVENT_READABLE,
)
from ygg_c.icmpv6 cimport ICMP_TOO_BIG, bucket_take, icmp_errno
from ygg_c.ipv6 cimport IP_HEADER, MIN_MTU, NEXT_TCP, SOURCE, put16, put32, write_header
from ygg_c.packetio cimport NEVER
from ygg_c.tcp.rtt cimport rtt_timeout
from ygg_c.tcp.sender cimport (
    CLOSED, CLOSE_WAIT, CLOSING, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, SYN_RCVD, SYN_SENT,
    TIME_WAIT,
)
from ygg_c.tcp.wire cimport ACK, DEFAULT_MSS, FIN, MAX_SCALE, MIN_MSS, RST, SYN, TCP_HEADER, sequence_length, unwrap

cdef enum:
    CHALLENGES_PER_SECOND = 2       # for each connection (RFC 5961, 7)
    STRAYS_PER_SECOND = 10          # answers to empty segments outside the window: two ends must not do this for ever
    CHECKS = 2                      # more probes when a peer that may have restarted does not answer the first

cdef extern from *:
    """
    #define YGG_FIRST_POSITION (1ULL << 32)
    #define YGG_LEAST_CHECK 1000000000ULL
    """
    const uint64_t LEAST_CHECK "YGG_LEAST_CHECK"            # ns between them at least
    const uint64_t FIRST_POSITION "YGG_FIRST_POSITION"      # positions start here, so that none before is negative


cdef void send_reset(Host host, const uint8_t *key, const Segment *segment) noexcept:
    cdef Packet *packet
    cdef uint8_t *tcp
    cdef uint16_t folded
    if segment.flags & RST:
        return
    packet = packet_new(IP_HEADER + TCP_HEADER)
    if packet == NULL:
        host.count[COUNT_NO_MEMORY] += 1
        return
    packet.size = IP_HEADER + TCP_HEADER
    write_header(packet.data, TCP_HEADER, NEXT_TCP, 0, key + 16, key)
    tcp = packet.data + IP_HEADER
    memcpy(tcp, key + 34, 2)
    memcpy(tcp + 2, key + 32, 2)
    put32(tcp + 4, segment.ack if segment.flags & ACK else 0)
    put32(tcp + 8, 0 if segment.flags & ACK else segment.seq + <uint32_t>sequence_length(segment))
    tcp[12] = TCP_HEADER << 2
    tcp[13] = RST if segment.flags & ACK else RST | ACK
    put16(tcp + 14, 0)
    put32(tcp + 16, 0)
    folded = ~sum_fold(sum_bytes(tcp, TCP_HEADER, sum_pseudo(packet.data + SOURCE, TCP_HEADER, NEXT_TCP)))
    memcpy(tcp + 16, &folded, 2)
    host.count[COUNT_TCP_RESETS_SENT] += 1
    host.emit(packet)


cdef class Acceptor(Endpoint):
    """What made a connection that nobody has accepted yet."""

    cdef bint promote(self, TcpMachine connection) noexcept:
        return False

    cdef void forget(self, TcpMachine connection) noexcept:
        pass


cdef class TcpMachine(TcpSender):
    """A connection as the network sees it."""

    def __cinit__(self):
        born(LIVE_TCP)

    def __dealloc__(self):
        died(LIVE_TCP)

    # Opening.

    cdef void start(self, Host host, const uint8_t *key, uint32_t iss, uint64_t secret, uint64_t now):
        self.host = host
        memcpy(self.key, key, 36)
        write_header(self.template, 0, NEXT_TCP, <uint32_t>secret & 0xfffff, key + 16, key)
        memcpy(self.template + 40, key + 34, 2)
        memcpy(self.template + 42, key + 32, 2)
        # The ports are summed with the segment; its length is added there.
        self._pseudo = sum_pseudo(key, 0, NEXT_TCP)
        self.stamp_offset = <uint32_t>(secret >> 32)
        self.iss = FIRST_POSITION | iss
        self.una = self.nxt = self.iss
        self.out.base = self.out.end = self.out._origin = self.out._near_at = self.iss + 1
        self.send_cap = host.send_buffer
        self.receive_cap = host.receive_buffer
        self.path = host.path_mtu(key)
        self.peer_mss = DEFAULT_MSS
        self.stamps = self.sack = True
        self.own_scale = 0
        while self.own_scale < MAX_SCALE and <size_t>65535 << self.own_scale < host.receive_buffer_max:
            self.own_scale += 1
        self.progress_at = self._heard_at = now

    cdef void open(self) noexcept:
        self._state = SYN_SENT
        self.syn_due = True
        self.host.mark(self)

    cdef void accept_syn(self, Acceptor parent, const Segment *segment) noexcept:
        self.parent = parent
        self._state = SYN_RCVD
        self._learn_syn(segment, False)
        self.syn_due = True
        self.host.mark(self)

    cdef void _learn_syn(self, const Segment *segment, bint answer) noexcept:
        cdef uint64_t first = (FIRST_POSITION | segment.seq) + 1
        self.inbound.read = self.inbound.next = first
        self.advertised = min(self.window_edge(), first + 65535)
        self.last_acked = first
        if segment.mss:
            self.peer_mss = max(segment.mss, <uint16_t>MIN_MSS)
        if segment.scale >= 0:
            self.send_scale = segment.scale
        else:
            self.own_scale = -1
        self.stamps = segment.stamped
        self.ts_recent = segment.ts_value
        self.sack = self.sack and segment.sack_permitted
        self.window = self.max_window = segment.window
        self.wl1, self.wl2 = first - 1, self.una
        self._tuned_from = first
        self.resize()

    # Segment arrival (RFC 9293, 3.10.7).

    cdef void segment_in(self, const Segment *segment, uint64_t now) noexcept:
        cdef uint64_t position
        self.segments_in += 1
        self.host.mark(self)
        if self._state == SYN_SENT:
            self._in_syn_sent(segment, now)
            return
        position = unwrap(segment.seq, self.ack_position())
        if not self._acceptable(segment, position, now):
            return
        self._heard_at = now
        self._probes = self._checks = 0
        if segment.flags & RST:
            self._reset_in(position, now)
            return
        if segment.flags & SYN:
            if self._state == SYN_RCVD and self.parent is not None and position + 1 == self.inbound.next:
                self.syn_due = True
            else:
                self._challenge(now)
            return
        if not segment.flags & ACK:
            self.host.count[COUNT_TCP_IGNORED] += 1
            return
        if not self._established(segment, position, now):
            return
        if not self.acknowledge(segment, position, now):
            self._challenge(now)
            return
        if self.host is None:
            return
        if segment.stamped and position <= self.last_acked:
            self.ts_recent = segment.ts_value
        if segment.size or segment.flags & FIN:
            self._take_data(segment, position, now)
        self.account()

    cdef void _in_syn_sent(self, const Segment *segment, uint64_t now) noexcept:
        cdef uint64_t ack = unwrap(segment.ack, self.una)
        cdef bint answers = segment.flags & ACK and ack == self.nxt and self.nxt > self.iss
        if segment.flags & ACK and not answers:
            self._answer_reset(segment)
            return
        if segment.flags & RST:
            if answers:
                self.host.count[COUNT_TCP_RESETS_IN] += 1
                self.fail(ECONNREFUSED, False)
            else:
                self.host.count[COUNT_TCP_IGNORED] += 1
            return
        if not segment.flags & SYN:
            self.host.count[COUNT_TCP_IGNORED] += 1
            return
        self._learn_syn(segment, answers)
        self._heard_at = now
        if not answers:
            # Both opened at once: answer with SYN,ACK and wait for the ACK.
            self._state = SYN_RCVD
            self.syn_due = True
            return
        self._state = FIN_WAIT_1 if self.fin_wanted else ESTABLISHED
        self._advance(ack, segment, now)
        self.wl2 = ack
        self.ack_now = True
        self.happen(EVENT_CONNECTED)
        self._keep_alive(now)

    cdef bint _acceptable(self, const Segment *segment, uint64_t position, uint64_t now) noexcept:
        cdef uint64_t expected = self.ack_position()
        cdef uint64_t length = sequence_length(segment)
        cdef uint64_t edge = max(self.advertised, expected)
        cdef bint old = self.stamps and segment.stamped and <int>(segment.ts_value - self.ts_recent) < 0
        if old and not segment.flags & (RST | SYN):
            # PAWS: from an earlier round of the sequence numbers, or late beyond use (RFC 7323, 5.3).
            self.host.count[COUNT_TCP_PAWS] += 1
            if length:
                self.ack_now = True
            else:
                self._stray(now)
            return False
        if segment.flags & SYN and not segment.flags & RST and self._state != TIME_WAIT:
            return True
        if length == 0:
            if position == expected or expected <= position < edge:
                return True
        elif position == expected or (position < edge and position + length > expected):
            return True
        self.host.count[COUNT_TCP_UNACCEPTABLE if position < edge else COUNT_TCP_BEYOND_WINDOW] += 1
        if segment.flags & RST:
            return False
        if length:
            # The peer missed our ACK; without an answer it would send this for ever.
            self.ack_now = True
            if position < expected:
                self._dsack[0], self._dsack[1] = position, min(position + segment.size, expected)
                if self._dsack[0] >= self._dsack[1]:
                    self._dsack[1] = 0
            if self._state == TIME_WAIT and segment.flags & FIN:
                self.life_at = now + self.host.time_wait
        else:
            self._stray(now)
        return False

    cdef void _reset_in(self, uint64_t position, uint64_t now) noexcept:
        if self._state == TIME_WAIT:
            self.host.count[COUNT_TCP_IGNORED] += 1     # RFC 1337
            return
        if position != self.ack_position():
            self._challenge(now)    # RFC 5961, 3.2
            return
        self.host.count[COUNT_TCP_RESETS_IN] += 1
        if self._state == SYN_RCVD:
            self.fail(ECONNREFUSED, False)
        else:
            self.fail(ECONNRESET, False)

    cdef bint _established(self, const Segment *segment, uint64_t position, uint64_t now) noexcept:
        # Whether the connection is synchronised, completing a handshake that this ACK ends.
        cdef uint64_t ack
        if self._state != SYN_RCVD:
            return True
        ack = unwrap(segment.ack, self.una)
        if not self.una < ack <= self.nxt:
            self._answer_reset(segment)
            return False
        if self.parent is not None and not self.parent.promote(self):
            self.host.count[COUNT_ACCEPT_QUEUE_FULL] += 1
            return False
        self._state = ESTABLISHED
        self.window = <uint64_t>segment.window << self.send_scale
        self.max_window = max(self.max_window, self.window)
        self.wl1, self.wl2 = position, ack
        if self.parent is None:
            self.happen(EVENT_CONNECTED)
        if self.fin_wanted:
            self._state = FIN_WAIT_1
        self._keep_alive(now)
        return True

    cdef void _take_data(self, const Segment *segment, uint64_t position, uint64_t now) noexcept:
        cdef const uint8_t *data = segment.data
        cdef uint64_t expected = self.inbound.next
        cdef uint64_t end = position + segment.size
        cdef uint64_t edge = self.advertised
        if self._state != ESTABLISHED and self._state != FIN_WAIT_1 and self._state != FIN_WAIT_2:
            self.ack_now = True
            self.host.count[COUNT_TCP_IGNORED] += 1
            if self._state == TIME_WAIT and segment.flags & FIN:
                self.life_at = now + self.host.time_wait
            return
        if self.orphan and end > expected:
            # Nobody will read it (RFC 9293, 3.6.1).
            self.fail(ECONNRESET, True)
            return
        if segment.flags & FIN and end <= max(edge, expected):
            self._fin_at = end
        if position < expected:
            if segment.size:
                self._dsack[0], self._dsack[1] = position, min(end, expected)
                self.ack_now = True
            data += min(expected - position, <uint64_t>segment.size)
            position = expected
        if end > edge:
            self.host.count[COUNT_TCP_BEYOND_WINDOW] += 1
            self.ack_now = True
            end = edge
        if end > position:
            self.largest = max(self.largest, segment.size)
            if position > expected:
                self.host.count[COUNT_TCP_OUT_OF_ORDER] += 1
                self.newest = position
            # At once on a hole, and when one is filled (RFC 5681, 4.2).
            if position > expected or self.inbound.ranges.count:
                self.ack_now = True
            end = self._fit(position, end)
            if end == position:
                self.host.count[COUNT_TCP_NO_BUFFER] += 1
            elif self.inbound.insert(position, data, end - position):
                self.ack_bytes += self.inbound.next - expected
                self.bytes_in += self.inbound.next - expected
                if self.inbound.next > expected:
                    self.happen(EVENT_READABLE)
            else:
                self.host.count[COUNT_TCP_NO_ROOM] += 1
        if self._fin_at and self._fin_at == self.inbound.next:
            self._take_fin(now)
        elif segment.flags & FIN:
            self.ack_now = True

    cdef uint64_t _fit(self, uint64_t position, uint64_t end) noexcept:
        # Where data ends for which there is memory: all, nothing, or of data in order as much as is kept in any case.
        cdef size_t growth = self.inbound.growth(end)
        cdef bint in_order = position == self.inbound.next
        if growth == 0 or self.node.takes(growth, in_order):
            return end
        self.inbound.spare()
        if not in_order:
            return position
        return max(position, min(end, max(self.inbound.covered(), self.inbound.read + self.node.least())))

    cdef void _take_fin(self, uint64_t now) noexcept:
        self.fin_received = True
        self.ack_now = True
        self.happen(EVENT_EOF)
        if self._state == ESTABLISHED:
            self._state = CLOSE_WAIT
        elif self._state == FIN_WAIT_1:
            self._state = CLOSING
        elif self._state == FIN_WAIT_2:
            self._time_wait(now)

    cdef void fin_acknowledged(self, uint64_t now) noexcept:
        if self._state == FIN_WAIT_1:
            self._state = FIN_WAIT_2
            if self.orphan:
                self.life_at = now + self.host.fin_wait
        elif self._state == CLOSING:
            self._time_wait(now)
        elif self._state == LAST_ACK:
            self._finish()

    cdef void _challenge(self, uint64_t now) noexcept:
        if bucket_take(&self._challenges, now, CHALLENGES_PER_SECOND, 1):
            self.host.count[COUNT_TCP_CHALLENGES] += 1
            self.ack_now = True
        else:
            self.host.count[COUNT_TCP_ANSWERS_LIMITED] += 1

    cdef void _stray(self, uint64_t now) noexcept:
        if bucket_take(&self._strays, now, STRAYS_PER_SECOND, STRAYS_PER_SECOND):
            self.ack_now = True
        else:
            self.host.count[COUNT_TCP_ANSWERS_LIMITED] += 1

    cdef void _answer_reset(self, const Segment *segment) noexcept:
        send_reset(self.host, self.key, segment)

    cdef void icmp_in(self, uint8_t kind, uint8_t code, uint32_t parameter, uint32_t seq) noexcept:
        # An ICMPv6 error that quotes a segment of ours; believed only for one in flight (RFC 5927).
        cdef uint64_t position = unwrap(seq, self.una)
        cdef bint hard
        cdef int failure
        if not self.una <= position < self.nxt:
            return
        if kind == ICMP_TOO_BIG:
            parameter = max(parameter, <uint32_t>MIN_MTU)
            if parameter < self.path:
                self.path = parameter
                self.resize()
                if self._state != SYN_SENT and self._state != SYN_RCVD:
                    self.repair()
                    self.host.mark(self)
            return
        failure = icmp_errno(kind, code, &hard)
        if hard and (self._state == SYN_SENT or self._state == SYN_RCVD):
            self.fail(failure, False)
        else:
            self.soft_error = failure

    cdef bint yields_to(self, const Segment *segment) noexcept:
        if self._state != TIME_WAIT or segment.flags & (SYN | ACK | RST) != SYN:
            return False
        if self.stamps and segment.stamped and <int>(segment.ts_value - self.ts_recent) > 0:
            return True
        return unwrap(segment.seq, self.ack_position()) > self.ack_position()

    # Life and death.

    cdef void fire(self, uint64_t now) noexcept:
        if self.ack_at <= now:
            self.ack_at = NEVER
            self.ack_now = True
            self.host.mark(self)
        if self.life_at <= now:
            self.life_at = NEVER
            if self._state == TIME_WAIT or self._state == FIN_WAIT_2:
                if self._state == TIME_WAIT or self.orphan:
                    self._finish()
                    return
            self._keep_alive(now)
        if self.host is not None and self.rto_at <= now:
            self.timeout(now)
        if self.host is not None:
            self.arm()

    cdef bint check(self, uint64_t now) noexcept:
        if self._state < ESTABLISHED or self._state == TIME_WAIT or self._checks:
            return False
        if self.rto_at != NEVER:
            # What is sent again asks as well. It only must not wait for a timer that silence has made long, nor must the next
            # one, for this may be lost.
            if self.rtt.backoff == 0:
                return False
            self.rtt.backoff = 1
            self.rto_at = now
            self.tries = 0
        else:
            self._probe(now)
            if not self.orphan:
                self._checks = CHECKS
                self.life_at = now + max(rtt_timeout(&self.rtt, self.host.max_rto), LEAST_CHECK)
        self.arm()
        return True

    cdef void _probe(self, uint64_t now) noexcept:
        # An old sequence number calls for an answer (RFC 9293, 3.8.4).
        self.transmit(self.una - 1, 0, ACK, now)

    cdef void _keep_alive(self, uint64_t now) noexcept:
        # Look whether a probe is due, and when to look again.
        if self._state == TIME_WAIT or self.orphan or self._state < ESTABLISHED:
            return
        if self._checks:
            self._checks -= 1
            self.host.suspect(self.key)
            self._probe(now)
            # The last one comes after a link that swallows what it is given has been found out.
            self.life_at = now + 4 * max(rtt_timeout(&self.rtt, self.host.max_rto), LEAST_CHECK)
            return
        if self._keep_idle == 0:
            return
        if now < self._heard_at + self._keep_idle or self.una < self.nxt:
            self.life_at = max(self._heard_at, now if self.una < self.nxt else 0) + self._keep_idle
            return
        if self._probes >= self._keep_count:
            self.fail(ETIMEDOUT, True)
            return
        self._probes += 1
        if self._probes > 1:
            self.host.suspect(self.key)
        self._probe(now)
        self.life_at = now + self._keep_interval

    cdef void _time_wait(self, uint64_t now) noexcept:
        self._state = TIME_WAIT
        self.rto_at = NEVER
        self.life_at = now + self.host.time_wait
        self.out.clear()
        self.account()
        self.happen(EVENT_CLOSED)
        self.host.enter_time_wait(self)

    cdef void _finish(self) noexcept:
        self._state = CLOSED
        self.out.clear()
        self.happen(EVENT_CLOSED)
        self.leave()

    cdef void fail(self, int code, bint reset) noexcept:
        if self.host is None:
            return
        if reset:
            self.host.count[COUNT_TCP_RESETS_SENT] += 1
            self.transmit(self.nxt, 0, RST | ACK, self.host._now)
        self.failure = code
        self.happen(EVENT_FAILED)
        self._finish()

    cdef void leave(self) noexcept:
        cdef Acceptor parent = self.parent
        if parent is not None:
            self.parent = None
            parent.forget(self)
        self.give_place()
        TcpSender.leave(self)

    cdef void give_place(self) noexcept:
        if self.has_place:
            self.has_place = False
            self.node.incoming -= 1
