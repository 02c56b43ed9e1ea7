"""TCP's sending half: segments, acknowledgements, loss, the retransmission timer. See sender.pxd for the theory."""

from libc.errno cimport ETIMEDOUT
from libc.string cimport memcpy, memset

from ygg_c.buffer cimport Packet, packet_new
from ygg_c.checksum cimport sum_bytes, sum_fold
from ygg_c.endpoint cimport (
    COUNT_NO_MEMORY, COUNT_TCP_RETRANSMITS, COUNT_TCP_TIMEOUTS, EVENT_DRAINED, EVENT_WRITABLE, TELL_AFTER,
)
from ygg_c.ipv6 cimport IP_HEADER, put16, put32
from ygg_c.packetio cimport NEVER
from ygg_c.ranges cimport Range, ranges_add, ranges_clear, ranges_gap, ranges_trim
from ygg_c.remotenode cimport INBOUND, OUTBOUND, RemoteNode
from ygg_c.tcp.congestion.base cimport Acked
from ygg_c.tcp.rtt cimport rtt_lost_syn, rtt_sample, rtt_start, rtt_timeout
from ygg_c.tcp.wire cimport (
    ACK, FIN, MAX_SACKS, PSH, RST, SYN, TCP_HEADER, TIMESTAMP_ROOM, unwrap, write_sacks, write_syn_options,
    write_timestamp,
)

cdef enum:
    MAX_OPTIONS = 40
    DUP_THRESHOLD = 3
    RUN_BYTES = 65536           # what one connection sends before the next has its turn, or RUN_SEGMENTS if more
    RUN_SEGMENTS = 4
    LEAST_FULL = 536            # a sender of small pieces does not earn an ACK for every two


cdef class TcpSender(Endpoint):
    """Sends what a connection has to send."""

    def __cinit__(self):
        self.out = SendQueue()
        self.inbound = ReceiveQueue()
        self.rto_at = self.ack_at = self.life_at = NEVER
        rtt_start(&self.rtt)
        self.own_scale = -1

    def __dealloc__(self):
        ranges_clear(&self.sacked)

    cdef void fin_acknowledged(self, uint64_t now) noexcept:
        pass

    # Segments.

    cdef uint64_t ack_position(self) noexcept:
        return self.inbound.next + self.fin_received

    cdef uint64_t window_edge(self) noexcept:
        return self.inbound.read + min(self.receive_cap, self.node.allowance(INBOUND))

    cdef size_t send_room(self) noexcept:
        return min(self.send_cap, self.node.allowance(OUTBOUND))

    cdef void account(self) noexcept:
        cdef size_t received = self.inbound.held + self.inbound.ranges.room * sizeof(Range)
        cdef size_t queued = self.out.held + self.sacked.room * sizeof(Range)
        if self.node is None:
            return
        if received != self._held[INBOUND]:
            self.node.hold(INBOUND, self._held[INBOUND], received)
            self._held[INBOUND] = received
        if queued != self._held[OUTBOUND]:
            self.node.hold(OUTBOUND, self._held[OUTBOUND], queued)
            self._held[OUTBOUND] = queued

    cdef void leave(self) noexcept:
        cdef RemoteNode node = self.node
        if node is not None:
            self.node = None
            node.hold(INBOUND, self._held[INBOUND], 0)
            node.hold(OUTBOUND, self._held[OUTBOUND], 0)
            node.leave()
        Endpoint.leave(self)

    cdef uint16_t _window_field(self, uint64_t ack, bint syn) noexcept:
        # The edge moves in steps worth a segment (silly-window avoidance, RFC 9293, 3.8.6.2.2) and never back.
        cdef uint64_t edge = self.window_edge()
        cdef uint64_t step = min((edge - self.inbound.read) // 2, <uint64_t>max(self.largest, <size_t>1220))
        cdef int scale = 0 if syn or self.own_scale < 0 else self.own_scale
        cdef uint64_t most = <uint64_t>65535 << scale
        if edge > ack + most:
            edge = ack + most
        if edge >= self.advertised + step:
            self.advertised = edge
        if self.advertised <= ack:
            return 0
        return <uint16_t>min((self.advertised - ack) >> scale, <uint64_t>65535)

    cdef uint8_t *_sack_option(self, uint8_t *at, size_t room) noexcept:
        # The duplicate being reported first (RFC 2883), then the block that changed last, then the others.
        cdef uint64_t blocks[2 * MAX_SACKS]
        cdef int count = 0
        cdef int most = min(<int>(room - 4) // 8, MAX_SACKS)
        cdef size_t index, last = self.inbound.ranges.count
        if self._dsack[1]:
            blocks[0], blocks[1] = self._dsack[0], self._dsack[1]
            self._dsack[1] = 0
            count = 1
        for index in range(self.inbound.ranges.count):
            if count < most and self.inbound.ranges.items[index].start <= self.newest < self.inbound.ranges.items[index].end:
                blocks[2 * count] = self.inbound.ranges.items[index].start
                blocks[2 * count + 1] = self.inbound.ranges.items[index].end
                count += 1
                last = index
        for index in range(self.inbound.ranges.count):
            if index != last and count < most:
                blocks[2 * count] = self.inbound.ranges.items[index].start
                blocks[2 * count + 1] = self.inbound.ranges.items[index].end
                count += 1
        return write_sacks(at, blocks, count)

    cdef void transmit(self, uint64_t position, size_t size, uint8_t flags, uint64_t now) noexcept:
        cdef uint8_t options[MAX_OPTIONS]
        cdef uint8_t *at = options
        cdef uint64_t ack = self.ack_position() if flags & ACK else 0
        cdef size_t header
        cdef Packet *packet
        cdef uint8_t *tcp
        cdef uint64_t total
        cdef uint16_t folded
        if flags & SYN:
            at = write_syn_options(at, <uint16_t>min(self.host._mtu - 60, <size_t>65535), self.own_scale, self.sack)
        if self.stamps:
            at = write_timestamp(at, self._stamp(now), self.ts_recent if flags & ACK else 0)
        if self.sack and flags & ACK and size == 0 and not flags & (SYN | RST) and (
            self.inbound.ranges.count or self._dsack[1]
        ):
            at = self._sack_option(at, MAX_OPTIONS - (at - options))
        header = TCP_HEADER + (at - options)
        packet = packet_new(IP_HEADER + header + size)
        if packet == NULL:
            self.host.count[COUNT_NO_MEMORY] += 1
            return
        packet.size = IP_HEADER + header + size
        memcpy(packet.data, self.template, 44)
        put16(packet.data + 4, <uint32_t>(header + size))
        tcp = packet.data + IP_HEADER
        put32(tcp + 4, <uint32_t>position)
        put32(tcp + 8, <uint32_t>ack)
        tcp[12] = <uint8_t>(header << 2)
        tcp[13] = flags
        put16(tcp + 14, self._window_field(ack, flags & SYN) if flags & ACK else min(self.receive_cap, <size_t>65535))
        put32(tcp + 16, 0)
        memcpy(tcp + TCP_HEADER, options, at - options)
        put16(<uint8_t *>&folded, <uint32_t>(header + size))
        total = sum_bytes(tcp, header, self._pseudo + folded)
        if size:
            total = self.out.copy(tcp + header, position, size, total)
            self.bytes_out += size
        folded = ~sum_fold(total)
        memcpy(tcp + 16, &folded, 2)
        self.segments_out += 1
        if flags & ACK:
            self.ack_now = False
            self.ack_bytes = 0
            self.ack_at = NEVER
            self.last_acked = ack
        self.host.emit(packet)

    cdef uint32_t _stamp(self, uint64_t now) noexcept:
        return <uint32_t>(now // 1000000) + self.stamp_offset

    cdef void resize(self) noexcept:
        cdef size_t most = min(self.peer_mss, self.path - IP_HEADER - TCP_HEADER)
        self.mss = most - (TIMESTAMP_ROOM if self.stamps else 0)
        self.congestion.segment_size(self.mss)

    cdef uint64_t _empty_position(self) noexcept:
        # Where a segment without data stands: within a window that shrank too, or the peer would not look at its ACK.
        return self.nxt if self._state == SYN_RCVD else min(self.nxt, self.una + self.window)

    # Output.

    cdef bint flush(self, uint64_t now) noexcept:
        cdef bint more = False
        if self._state == SYN_SENT or self._state == SYN_RCVD:
            if self.syn_due:
                self.syn_due = False
                self.transmit(self.iss, 0, SYN if self._state == SYN_SENT else SYN | ACK, now)
                if self.nxt == self.iss:
                    self.nxt = self.iss + 1
                    self._timed, self._timed_at = self.nxt, now
                if self.rto_at == NEVER:
                    self.rto_at = now + rtt_timeout(&self.rtt, self.host.max_rto)
        elif self._state != TIME_WAIT:
            more = self._send_data(now)
        if self.ack_now or (self.ack_bytes and self.ack_bytes >= 2 * max(self.largest, <size_t>LEAST_FULL)):
            if self._state != SYN_SENT:
                self.transmit(self._empty_position(), 0, ACK, now)
        elif self.ack_bytes and self.ack_at == NEVER:
            self.ack_at = now + self.host.delayed_ack
        self.arm()
        return more

    cdef uint64_t _pipe(self) noexcept:
        cdef uint64_t pipe = self.nxt - self.una - self.sacked.total
        cdef uint64_t at = max(self.una, self.retransmitted)
        cdef uint64_t limit
        while at < self.lost_edge:
            limit = self.lost_edge
            at = ranges_gap(&self.sacked, at, &limit)
            if at < limit:
                pipe -= min(pipe, limit - at)
            at = max(at, limit)
        return pipe - min(pipe, self._inflated)

    cdef bint _pick_new(self, uint64_t *size) noexcept:
        # How much new data may leave as one segment; False: none, and no FIN either.
        cdef uint64_t end = self.out.end
        cdef uint64_t edge = self.una + self.window
        cdef uint64_t unsent, usable
        if self.nxt > end:
            return False
        unsent = end - self.nxt
        usable = edge - self.nxt if edge > self.nxt else 0
        size[0] = min(min(unsent, usable), <uint64_t>self.mss)
        if size[0] == 0:
            if unsent:
                self._held_back = True
            return self.fin_wanted and unsent == 0
        if size[0] == self.mss:
            return True
        if size[0] < unsent:
            # The window cuts it short: wait for more of it, unless it is half of the largest ever seen.
            if usable >= self.max_window // 2 or self._window_forced:
                return True
            self._held_back = True
            return False
        if self.fin_wanted:
            return True
        if self.is_corked:
            return False
        return self.no_delay or self.nxt == self.una

    cdef bint _send_data(self, uint64_t now) noexcept:
        cdef size_t credit = 0
        cdef uint64_t pipe = self._pipe()
        cdef uint64_t cwnd = self.congestion.cwnd
        cdef size_t run = max(<size_t>RUN_BYTES, RUN_SEGMENTS * self.mss)
        cdef uint64_t position, size, limit
        cdef bint again, last, fin
        self._held_back = False
        self._cwnd_bound = False
        if self.progress_at == NEVER:
            self.progress_at = now
        while True:
            position = max(self.una, self.retransmitted)
            limit = self.lost_edge
            if position < limit:
                position = ranges_gap(&self.sacked, position, &limit)
            again = position < limit
            if again:
                if self.window == 0:
                    self._held_back = True
                    break
                size = min(min(limit, self.out.end) - min(position, self.out.end), <uint64_t>self.mss)
            else:
                position = self.nxt
                if not self._pick_new(&size):
                    break
                if self.una == self.nxt and self._sent_at:
                    self.congestion.idle(now - self._sent_at, self.rtt.rto, now)
                    cwnd = self.congestion.cwnd
                    self._sent_at = now
            if pipe and pipe + size > cwnd and not (again and self._resend_now):
                self._cwnd_bound = True
                break
            if credit < size + IP_HEADER + TCP_HEADER + MAX_OPTIONS:
                # What was told before knows nothing of what went straight out since.
                credit = self.host.credit_for(self, self.key, size + IP_HEADER + TCP_HEADER + MAX_OPTIONS)
            if credit < size + IP_HEADER + TCP_HEADER + MAX_OPTIONS:
                self._held_back = True
                break
            if run < size:
                return True
            last = position + size == self.out.end
            fin = last and self.fin_wanted and (not again or self.nxt > self.out.end)
            self.transmit(position, size, ACK | (PSH if last and size else 0) | (FIN if fin else 0), now)
            credit -= size + IP_HEADER + TCP_HEADER + MAX_OPTIONS
            run -= size
            pipe += size
            self._sent(position, size + fin, again, now)
            self.congestion.sent(now, size, pipe)
        self._window_forced = False
        if self.rto_at == NEVER and (self.una < self.nxt or self._held_back):
            self.rto_at = now + rtt_timeout(&self.rtt, self.host.max_rto)
        return False

    cdef void _sent(self, uint64_t position, uint64_t length, bint again, uint64_t now) noexcept:
        self._sent_at = now
        if again:
            self.retransmitted = position + length
            self._resend_now = False
            self._timed_at = 0
            self.retransmits += 1
            self.host.count[COUNT_TCP_RETRANSMITS] += 1
            if self._resend_stamp == 0:
                self._resend_stamp = <uint64_t>1 << 32 | self._stamp(now)
                self.rto_at = NEVER
            return
        if self.una == self.nxt:
            self.progress_at = now
            # It may have run as persist timer until now.
            self.rto_at = NEVER
            self.rtt.backoff = 0
        self.nxt = position + length
        if self._timed_at == 0:
            self._timed = self.nxt
            self._timed_at = now

    # Acknowledgements.

    cdef bint acknowledge(self, const Segment *segment, uint64_t position, uint64_t now) noexcept:
        # Take the ACK of an acceptable segment; False when it acknowledges what was never sent.
        cdef uint64_t ack = unwrap(segment.ack, self.una)
        cdef uint64_t window = <uint64_t>segment.window << self.send_scale
        cdef uint64_t before = self.sacked.total
        cdef bint reopened = False
        cdef bint same = window == self.window
        if ack > self.nxt:
            return False
        # Whoever acknowledges more spoke later, though with an older position: it was sent again, or filled a hole.
        if ack > self.una or (ack == self.una and (
            position > self.wl1 or (position == self.wl1 and ack >= self.wl2)
        )):
            reopened = self.window == 0 and window > 0
            self.window = window
            self.max_window = max(self.max_window, window)
            self.wl1, self.wl2 = position, ack
        if self.window == 0 and not self.orphan:
            self.tries = 0
        if reopened:
            self.rtt.backoff = 0
            if self.una == self.nxt:
                self.rto_at = NEVER
        if self.sack and segment.sacks:
            self._take_sacks(segment)
        if ack > self.una:
            self._advance(ack, segment, now)
        elif ack == self.una and self.una < self.nxt and segment.size == 0 and not segment.flags & (SYN | FIN):
            if self.sacked.total > before or (not self.sack and same):
                self.duplicates += 1
                if not self.sack and self.phase != LOSS:
                    self._inflated = min(self._inflated + self.mss, self.nxt - self.una)
        if self.una < self.nxt:
            self._find_loss(now)
            if reopened and self.phase == OPEN and ack == self.una:
                self.repair()
        return True

    cdef void _take_sacks(self, const Segment *segment) noexcept:
        cdef int index
        cdef uint64_t start, end
        for index in range(segment.sacks):
            start = unwrap(segment.sack[2 * index], self.una)
            end = unwrap(segment.sack[2 * index + 1], self.una)
            if self.una < start < end <= self.nxt:
                ranges_add(&self.sacked, start, end)

    cdef void _advance(self, uint64_t ack, const Segment *segment, uint64_t now) noexcept:
        cdef uint64_t gained = ack - self.una
        cdef uint64_t sample = 0
        cdef uint32_t age
        if self._timed_at and ack >= self._timed:
            sample = now - self._timed_at + 1
            self._timed_at = 0
        elif self._timed_at == 0 and self.stamps and segment.stamped:
            # It answers a retransmission, or an original that was late: the samples that Karn's algorithm would not have
            # (RFC 7323, 4.1). Timestamps are whole milliseconds: the most it can have been counts, so that the shortest
            # round trip is not invented.
            age = self._stamp(now) - segment.ts_echo
            if age < <uint32_t>1 << 31:
                sample = (<uint64_t>age + 1) * 1000000
        if sample:
            rtt_sample(&self.rtt, sample, now, self.host.min_rto, self.host.max_rto)
        if self.una == self.iss and self.tries:
            rtt_lost_syn(&self.rtt)
        if self._undoable and self._resend_stamp and segment.stamped and (
            <int>(segment.ts_echo - <uint32_t>self._resend_stamp) < 0
        ):
            # It answers the original, sent before the retransmission: nothing was lost (Eifel, RFC 3522).
            self.congestion.undone(now)
            self.phase = OPEN
            self.lost_edge = ack
        self._undoable = False
        self.una = ack
        self.tries = 0
        self.duplicates = 0
        self.progress_at = now
        if now >= self._tell_at:
            self._tell_at = now + TELL_AFTER
            self.host.works(self.key)
        self.soft_error = 0
        self.rto_at = NEVER
        ranges_trim(&self.sacked, ack)
        self.out.release(min(ack, self.out.end))
        self.account()
        if self.phase != OPEN and ack >= self.recover:
            if self.phase == RECOVERY:
                self.congestion.recovered(self.nxt - ack, now)
            self.phase = OPEN
            self.lost_edge = ack
            self._inflated = 0
        elif self.phase == RECOVERY and not self.sack:
            # A partial ACK: the segment after it is the next one missing (RFC 6582).
            self._inflated -= min(self._inflated, gained - min(gained, <uint64_t>self.mss))
            self.lost_edge = min(ack + self.mss, self.nxt)
            self.retransmitted = ack
            self._resend_now = True
        else:
            self._inflated = 0 if self.phase == OPEN else self._inflated
        if self.phase != RECOVERY:
            self._grow(gained, segment, now)
            self.send_cap = max(self.send_cap, min(2 * self.congestion.cwnd, self.host.send_buffer_max))
        if self.starved and self.out.end - self.out.base <= self.send_room() // 2:
            self.starved = False
            self.happen(EVENT_WRITABLE)
        if self.fin_wanted and ack > self.out.end:
            self.happen(EVENT_DRAINED)
            self.fin_acknowledged(now)

    cdef void _grow(self, uint64_t gained, const Segment *segment, uint64_t now) noexcept:
        # Tell congestion control what was acknowledged.
        cdef Acked ack
        memset(&ack, 0, sizeof(ack))
        ack.now, ack.bytes = now, gained
        ack.una, ack.nxt = self.una, self.nxt
        ack.in_flight = self._pipe()
        ack.prior_in_flight = ack.in_flight + gained
        ack.srtt, ack.least_rtt = self.rtt.smoothed, self.rtt.least
        ack.after_timeout = self.phase == LOSS
        ack.cwnd_limited = self._cwnd_bound or ack.after_timeout
        if self.phase == OPEN and self.stamps and segment.stamped and <int>(self._stamp(now) - segment.ts_echo) >= 0:
            ack.rtt = <uint64_t>(self._stamp(now) - segment.ts_echo) * 1000000 + 1
        self.congestion.acked(&ack)

    cdef void _find_loss(self, uint64_t now) noexcept:
        cdef uint64_t edge = 0
        cdef uint64_t above = 0
        cdef size_t index = self.sacked.count
        cdef int ranges = 0
        while index:
            index -= 1
            above += self.sacked.items[index].end - self.sacked.items[index].start
            ranges += 1
            if ranges >= DUP_THRESHOLD or above > (DUP_THRESHOLD - 1) * self.mss:
                edge = self.sacked.items[index].start
                break
        if edge == 0 and self.duplicates >= DUP_THRESHOLD and self.phase == OPEN and (
            self.sack or self.una > self.recover
        ):
            edge = min(self.una + self.mss, self.sacked.items[0].start if self.sacked.count else self.nxt)
        if edge <= self.una:
            return
        if self.phase == OPEN:
            self._undoable = True
            self._enter(RECOVERY)
            self.congestion.lost(edge - self.una, self.nxt - self.una, now)
            self.congestion.cwnd = min(self.congestion.cwnd, self.congestion.ssthresh)
            self._resend_now = True
            self.lost_edge = edge
        elif self.sack:
            self.lost_edge = max(self.lost_edge, edge)

    cdef void _enter(self, Phase phase) noexcept:
        self.phase = phase
        self.recover = self.nxt
        self.retransmitted = self.una
        self._resend_stamp = 0

    cdef void repair(self) noexcept:
        self._enter(REPAIR)
        self._undoable = False
        self.lost_edge = self.nxt
        self._inflated = 0

    # Timers.

    cdef void arm(self) noexcept:
        self.due = min(min(self.rto_at, self.ack_at), self.life_at)
        if self.host is not None:
            self.host.timers.note(self)

    cdef void timeout(self, uint64_t now) noexcept:
        # The retransmission timer, or the persist timer when the window or the link is what stops us.
        cdef bint first = self.phase != LOSS
        cdef bint opening = self._state == SYN_SENT or self._state == SYN_RCVD
        self.rto_at = NEVER
        if not opening and self.una == self.nxt and not self._held_back:
            return
        self.tries += 1
        if self.tries > (self.host.syn_retries if opening else self.host.retries) or (
            self.user_limit and now - self.progress_at >= self.user_limit
        ):
            self.fail(self.soft_error or ETIMEDOUT, not opening)
            return
        self.timeouts += 1
        self.host.count[COUNT_TCP_TIMEOUTS] += 1
        if self.tries > 1 or opening:
            self.host.suspect(self.key)
        self.rtt.backoff += 1
        self._timed_at = 0
        if opening:
            self.syn_due = True
            self.congestion.start(1)
        elif self.window == 0:
            # An old sequence number: the answer shows the window (RFC 9293, 3.8.6.1).
            self.transmit(self.una - 1, 0, ACK, now)
        elif self.una == self.nxt:
            self._window_forced = True
        else:
            if self.sacked.count and self.sacked.items[0].start <= self.una:
                ranges_clear(&self.sacked)          # the peer went back on its word
            self.congestion.timed_out(self.nxt - self.una - self.sacked.total, first, now)
            self._undoable = first
            self._enter(LOSS)
            self.lost_edge = self.nxt
            self._inflated = 0
            self.duplicates = 0
            # One segment at once, whatever is in flight; the rest as its acknowledgement comes.
            self._resend_now = True
        self.host.mark(self)
