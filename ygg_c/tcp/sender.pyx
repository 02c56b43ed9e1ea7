"""TCP's sending half: what leaves, acknowledgements, loss, the retransmission timer; see sender.pxd for the theory."""

from libc.errno cimport ETIMEDOUT
from libc.stdint cimport uint16_t
from libc.string cimport memset

from ygg_c.endpoint cimport (
    COUNT_TCP_RETRANSMITS, COUNT_TCP_TIMEOUTS, EVENT_DRAINED, EVENT_WRITABLE, TELL_AFTER,
)
from ygg_c.ipv6 cimport IP_HEADER
from ygg_c.packetio cimport NEVER
from ygg_c.ranges cimport Range, ranges_add, ranges_clear, ranges_gap, ranges_trim
from ygg_c.remotenode cimport OUTBOUND
from ygg_c.tcp.congestion.base cimport Acked
from ygg_c.tcp.rtt cimport rtt_lost_syn, rtt_sample, rtt_start, rtt_timeout
from ygg_c.tcp.state cimport ESTABLISHED, GOT_ACK_OF_FIN, SYN_RCVD, SYN_SENT, TIME_WAIT
from ygg_c.tcp.wire cimport (
    ACK, DEFAULT_MSS, FIN, FIRST_POSITION, MAX_OPTIONS, MIN_MSS, PSH, SYN, TCP_HEADER, TIMESTAMP_ROOM, unwrap,
)

cdef enum:
    DUP_THRESHOLD = 3
    RUN_BYTES = 65536           # what one connection sends before the next has its turn, or RUN_SEGMENTS if more
    RUN_SEGMENTS = 4

cdef extern from *:
    """
    #define YGG_PATH_CHECK 1000000000ULL
    """
    const uint64_t PATH_CHECK "YGG_PATH_CHECK"      # ns until the MTU of a path that takes less than ours is looked up again


cdef class Sender:
    """Sends what a connection has to send."""

    def __cinit__(self):
        self.out = SendQueue()
        self.timer_at = NEVER
        rtt_start(&self.rtt)

    def __dealloc__(self):
        ranges_clear(&self.sacked)

    # The handshake.

    cdef void open(self, uint32_t iss, size_t path, TcpEndpoint connection, uint64_t now) noexcept:
        self.iss = FIRST_POSITION | iss
        self.una = self.nxt = self.iss
        self.out.base = self.out.end = self.out._origin = self.out._near_at = self.iss + 1
        self.cap = connection.host.send_buffer
        self.path = path
        self._path_until = NEVER if path >= connection.host._mtu else now + PATH_CHECK
        self.peer_mss = DEFAULT_MSS
        self.progress_at = now

    cdef void learn_syn(self, const Segment *segment, uint64_t position, TcpEndpoint connection) noexcept:
        if segment.mss:
            self.peer_mss = max(segment.mss, <uint16_t>MIN_MSS)
        self.scale = max(segment.scale, 0)
        self.window = self.max_window = segment.window
        self.wl1, self.wl2 = position, self.una
        self._resize(connection)

    cdef void answered(self, uint64_t sent_at, int again) noexcept:
        self.nxt = self.iss + 1
        self.timeouts = self.tries = again
        if again:
            self.congestion.start(1)
        elif sent_at:
            self._timed, self._timed_at = self.nxt, sent_at

    cdef void opened(self, const Segment *segment, uint64_t position, TcpEndpoint connection) noexcept:
        self.window = <uint64_t>segment.window << self.scale
        self.max_window = max(self.max_window, self.window)
        self.wl1, self.wl2 = position, unwrap(segment.ack, self.una)

    # Queues and sizes.

    cdef size_t room(self, TcpEndpoint connection) noexcept:
        return min(self.cap, connection.node.allowance(OUTBOUND))

    cdef size_t memory(self) noexcept:
        return self.out.held + self.sacked.room * sizeof(Range)

    cdef void clear(self) noexcept:
        self.out.clear()

    cdef void _resize(self, TcpEndpoint connection) noexcept:
        cdef size_t most = min(self.peer_mss, self.path - IP_HEADER - TCP_HEADER)
        self.mss = most - (TIMESTAMP_ROOM if connection.stamps else 0)
        self.congestion.segment_size(self.mss)

    cdef uint64_t empty_position(self, TcpEndpoint connection) noexcept:
        # Within a window that shrank too, or the peer would not look at its ACK.
        return self.nxt if connection._state == SYN_RCVD else min(self.nxt, self.una + self.window)

    cdef void _take_path(self, size_t path, TcpEndpoint connection, uint64_t now) noexcept:
        self.path = path
        self._path_until = NEVER if path >= connection.host._mtu else now + PATH_CHECK
        self._resize(connection)

    cdef void path_shrunk(self, size_t path, TcpEndpoint connection, uint64_t now) noexcept:
        self._take_path(path, connection, now)
        if connection._state >= ESTABLISHED:
            self._repair()
            connection.host.mark(connection)

    # Output.

    cdef bint _flush_syn(self, TcpEndpoint connection, uint64_t now) noexcept:
        if not self.syn_due:
            return False
        self.syn_due = False
        connection.transmit(self.iss, 0, SYN if connection._state == SYN_SENT else SYN | ACK, now)
        if self.nxt == self.iss:
            self.nxt = self.iss + 1
            self._timed, self._timed_at = self.nxt, now
        if self.timer_at == NEVER:
            self.timer_at = now + rtt_timeout(&self.rtt, connection.host.max_rto)
        return False

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

    cdef bint _pick_new(self, uint64_t *size, uint64_t full) noexcept:
        # How much new data may leave as one segment; False: none, and no FIN either.
        cdef uint64_t end = self.out.end
        cdef uint64_t edge = self.una + self.window
        cdef uint64_t unsent, usable
        if self.nxt > end:
            return False
        unsent = end - self.nxt
        usable = edge - self.nxt if edge > self.nxt else 0
        size[0] = min(min(unsent, usable), full)
        if size[0] == 0:
            if unsent:
                self._held_back = True
            return self.fin_wanted and unsent == 0
        if size[0] == full:
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

    cdef bint flush(self, TcpEndpoint connection, uint64_t now) noexcept:
        cdef size_t credit = 0
        cdef uint64_t pipe = self._pipe()
        cdef uint64_t cwnd = self.congestion.cwnd
        cdef size_t run = max(<size_t>RUN_BYTES, RUN_SEGMENTS * self.mss)
        cdef uint64_t position, size, limit, full
        cdef bint again, last, fin
        if connection._state < ESTABLISHED:
            return self._flush_syn(connection, now)
        if connection._state == TIME_WAIT:
            return False
        if now >= self._path_until:
            self._take_path(connection.host.path_mtu(connection.key), connection, now)
        self._held_back = False
        self._cwnd_bound = False
        if self.progress_at == NEVER:
            self.progress_at = now
        while True:
            full = self.mss - connection.sack_size()
            position = max(self.una, self.retransmitted)
            limit = self.lost_edge
            if position < limit:
                position = ranges_gap(&self.sacked, position, &limit)
            again = position < limit
            if again:
                if self.window == 0:
                    self._held_back = True
                    break
                size = min(min(limit, self.out.end) - min(position, self.out.end), full)
            else:
                position = self.nxt
                if not self._pick_new(&size, full):
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
                credit = connection.host.credit_for(connection, connection.key, size + IP_HEADER + TCP_HEADER + MAX_OPTIONS)
            if credit < size + IP_HEADER + TCP_HEADER + MAX_OPTIONS:
                self._held_back = True
                break
            if run < size:
                return True
            last = position + size == self.out.end
            fin = last and self.fin_wanted and (not again or self.nxt > self.out.end)
            connection.transmit(position, size, ACK | (PSH if last and size else 0) | (FIN if fin else 0), now)
            credit -= size + IP_HEADER + TCP_HEADER + MAX_OPTIONS
            run -= size
            pipe += size
            self._sent(position, size + fin, again, connection, now)
            self.congestion.sent(now, size, pipe)
        self._window_forced = False
        if self.timer_at == NEVER and (self.una < self.nxt or self._held_back):
            self.timer_at = now + rtt_timeout(&self.rtt, connection.host.max_rto)
        return False

    cdef void _sent(self, uint64_t position, uint64_t length, bint again, TcpEndpoint connection, uint64_t now) noexcept:
        self._sent_at = now
        if again:
            self.retransmitted = position + length
            self._resend_now = False
            self._timed_at = 0
            self.retransmits += 1
            connection.host.count[COUNT_TCP_RETRANSMITS] += 1
            if self._resend_stamp == 0:
                self._resend_stamp = <uint64_t>1 << 32 | connection.stamp(now)
                self.timer_at = NEVER
            return
        if self.una == self.nxt:
            self.progress_at = now
            # It may have run as persist timer until now.
            self.timer_at = NEVER
            self.rtt.backoff = 0
        self.nxt = position + length
        if self._timed_at == 0:
            self._timed = self.nxt
            self._timed_at = now

    # Acknowledgements.

    cdef bint acknowledge(self, const Segment *segment, uint64_t position, TcpEndpoint connection, uint64_t now) noexcept:
        cdef uint64_t ack = unwrap(segment.ack, self.una)
        cdef uint64_t window = <uint64_t>segment.window << self.scale
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
        if self.window == 0 and not connection.orphan:
            self.tries = 0
        if reopened:
            self.rtt.backoff = 0
            if self.una == self.nxt:
                self.timer_at = NEVER
        if connection.sack and segment.sacks:
            self._take_sacks(segment)
        if ack > self.una:
            self.advance(ack, segment, connection, now)
        elif ack == self.una and self.una < self.nxt and segment.size == 0 and not segment.flags & (SYN | FIN):
            if self.sacked.total > before or (not connection.sack and same):
                self.duplicates += 1
                if not connection.sack and self.phase != LOSS:
                    self._inflated = min(self._inflated + self.mss, self.nxt - self.una)
        if self.una < self.nxt:
            self._find_loss(connection, now)
            if reopened and self.phase == OPEN and ack == self.una:
                self._repair()
        return True

    cdef void _take_sacks(self, const Segment *segment) noexcept:
        cdef int index
        cdef uint64_t start, end
        for index in range(segment.sacks):
            start = unwrap(segment.sack[2 * index], self.una)
            end = unwrap(segment.sack[2 * index + 1], self.una)
            if self.una < start < end <= self.nxt:
                ranges_add(&self.sacked, start, end)

    cdef void advance(self, uint64_t ack, const Segment *segment, TcpEndpoint connection, uint64_t now) noexcept:
        cdef uint64_t gained = ack - self.una
        cdef uint64_t sample = 0
        cdef uint32_t age
        if self._timed_at and ack >= self._timed:
            sample = now - self._timed_at + 1
            self._timed_at = 0
        elif self._timed_at == 0 and connection.stamps and segment.stamped:
            # It answers a retransmission, or an original that was late: the samples that Karn's algorithm would not have
            # (RFC 7323, 4.1). Timestamps are whole milliseconds: the most it can have been counts, so that the shortest
            # round trip is not invented.
            age = connection.stamp(now) - segment.ts_echo
            if age < <uint32_t>1 << 31:
                sample = (<uint64_t>age + 1) * 1000000
        if sample:
            rtt_sample(&self.rtt, sample, now, connection.host.min_rto, connection.host.max_rto)
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
            connection.host.works(connection.key)
        self.soft_error = 0
        self.timer_at = NEVER
        ranges_trim(&self.sacked, ack)
        self.out.release(min(ack, self.out.end))
        connection.account()
        if self.phase != OPEN and ack >= self.recover:
            if self.phase == RECOVERY:
                self.congestion.recovered(self.nxt - ack, now)
            self.phase = OPEN
            self.lost_edge = ack
            self._inflated = 0
        elif self.phase == RECOVERY and not connection.sack:
            # A partial ACK: the segment after it is the next one missing (RFC 6582).
            self._inflated -= min(self._inflated, gained - min(gained, <uint64_t>self.mss))
            self.lost_edge = min(ack + self.mss, self.nxt)
            self.retransmitted = ack
            self._resend_now = True
        else:
            self._inflated = 0 if self.phase == OPEN else self._inflated
        if self.phase != RECOVERY:
            self._grow(gained, segment, connection, now)
            self.cap = max(self.cap, min(2 * self.congestion.cwnd, connection.host.send_buffer_max))
        if self.starved and self.out.end - self.out.base <= self.room(connection) // 2:
            self.starved = False
            connection.happen(EVENT_WRITABLE)
        if self.fin_wanted and ack > self.out.end:
            connection.happen(EVENT_DRAINED)
            connection.step(GOT_ACK_OF_FIN)

    cdef void _grow(self, uint64_t gained, const Segment *segment, TcpEndpoint connection, uint64_t now) noexcept:
        # Tell congestion control what was acknowledged.
        cdef Acked ack
        cdef uint32_t age = connection.stamp(now) - segment.ts_echo
        memset(&ack, 0, sizeof(ack))
        ack.now, ack.bytes = now, gained
        ack.una, ack.nxt = self.una, self.nxt
        ack.in_flight = self._pipe()
        ack.prior_in_flight = ack.in_flight + gained
        ack.srtt, ack.least_rtt = self.rtt.smoothed, self.rtt.least
        ack.after_timeout = self.phase == LOSS
        ack.cwnd_limited = self._cwnd_bound or ack.after_timeout
        if self.phase == OPEN and connection.stamps and segment.stamped and age < <uint32_t>1 << 31:
            ack.rtt = <uint64_t>age * 1000000 + 1
        self.congestion.acked(&ack)

    cdef void _find_loss(self, TcpEndpoint connection, uint64_t now) noexcept:
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
            connection.sack or self.una > self.recover
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
        elif connection.sack:
            self.lost_edge = max(self.lost_edge, edge)

    cdef void _enter(self, Phase phase) noexcept:
        self.phase = phase
        self.recover = self.nxt
        self.retransmitted = self.una
        self._resend_stamp = 0

    cdef void _repair(self) noexcept:
        self._enter(REPAIR)
        self._undoable = False
        self.lost_edge = self.nxt
        self._inflated = 0

    # Timers.

    cdef void timeout(self, TcpEndpoint connection, uint64_t now) noexcept:
        # The retransmission timer, or the persist timer when the window or the link is what stops us.
        cdef bint first = self.phase != LOSS
        cdef bint opening = connection._state < ESTABLISHED
        self.timer_at = NEVER
        if not opening and self.una == self.nxt and not self._held_back:
            return
        self.tries += 1
        if self.tries > (connection.host.syn_retries if opening else connection.host.retries) or (
            self.user_limit and now - self.progress_at >= self.user_limit
        ):
            connection.expire(self.soft_error or ETIMEDOUT)
            return
        self.timeouts += 1
        connection.host.count[COUNT_TCP_TIMEOUTS] += 1
        if self.tries > 1 or opening:
            connection.host.suspect(connection.key)
        self.rtt.backoff += 1
        self._timed_at = 0
        if opening:
            self.syn_due = True
            self.congestion.start(1)
        elif self.window == 0:
            self.probe(connection, now)             # the answer shows the window (RFC 9293, 3.8.6.1)
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
        connection.host.mark(connection)

    cdef void probe(self, TcpEndpoint connection, uint64_t now) noexcept:
        connection.transmit(self.una - 1, 0, ACK, now)

    cdef bint hasten(self, uint64_t now) noexcept:
        # What is sent again asks as well. It only must not wait for a timer that silence has made long, nor must the next one,
        # for this may be lost.
        if self.rtt.backoff == 0:
            return False
        self.rtt.backoff = 1
        self.timer_at = now
        self.tries = 0
        return True
