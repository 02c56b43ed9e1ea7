"""TCP's sending half: what leaves, what an ACK does, the timers; see sender.pxd for the theory."""

from libc.errno cimport ETIMEDOUT
from libc.stdint cimport uint16_t
from libc.string cimport memset

from ygg_c.endpoint cimport (
    COUNT_TCP_NO_ROOM, COUNT_TCP_RETRANSMITS, COUNT_TCP_TIMEOUTS, EVENT_DRAINED, EVENT_WRITABLE, TELL_AFTER,
)
from ygg_c.ipv6 cimport IP_HEADER, MIN_MTU
from ygg_c.packetio cimport NEVER
from ygg_c.remotenode cimport OUTBOUND
from ygg_c.tcp.congestion.base cimport Acked
from ygg_c.tcp.pathsearch cimport VANISHED, search_begin, search_failed, search_passed, search_told
from ygg_c.tcp.rack cimport (
    rack_detect, rack_duplicate, rack_late, rack_probe_acked, rack_recovered, rack_start, rack_take, rack_timed_out,
    rack_window,
)
from ygg_c.tcp.recovery cimport (
    ADVANCED_ONCE, LOSS, OPEN, RECOVERY, REPAIR, TIMED_OUT_NOW, Recovery, recovery_advanced, recovery_allows,
    recovery_answered, recovery_begin, recovery_duplicate, recovery_end, recovery_resent,
)
from ygg_c.tcp.rtt cimport RTT_GRAIN, rtt_lost_syn, rtt_sample, rtt_start, rtt_timeout
from ygg_c.tcp.scoreboard cimport (
    LIMITED, LOST, RESENT, SACKED, Sent, board_acknowledge, board_free, board_has_room, board_lose, board_next_lost,
    board_push, board_record, board_resend, board_rest, board_restore, board_sack, board_split, board_unsack, sent_end,
)
from ygg_c.tcp.state cimport ESTABLISHED, GOT_ACK_OF_FIN, SYN_RCVD, SYN_SENT, TIME_WAIT
from ygg_c.tcp.wire cimport (
    ACK, DEFAULT_MSS, FIN, FIRST_POSITION, MAX_OPTIONS, MAX_SACKS, MIN_MSS, PSH, SYN, TCP_HEADER, TIMESTAMP_ROOM, unwrap,
)

cdef enum:
    DUP_THRESHOLD = 3
    RUN_BYTES = 65536           # what one connection sends before the next has its turn, or RUN_SEGMENTS if more
    RUN_SEGMENTS = 4
    OVERHEAD = IP_HEADER + TCP_HEADER + MAX_OPTIONS
    HALF_SPACE = 1 << 30        # an older DSACK is none
    MILLISECOND = 1000000
    LEAST_PROBE_TIME = 10 * MILLISECOND     # ns: hosts are late, too

cdef extern from *:
    """
    #define YGG_PATH_CHECK 1000000000ULL
    """
    const uint64_t PATH_CHECK "YGG_PATH_CHECK"      # ns until the MTU of a path that takes less than ours is looked up again


cdef class Sender:
    """Sends what a connection has to send."""

    def __cinit__(self):
        self.out = SendQueue()
        self.timer_at = self.rto_at = NEVER
        rtt_start(&self.rtt)
        rack_start(&self.rack)

    def __dealloc__(self):
        board_free(&self.board)

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
        self._syn_at = 0 if again else sent_at
        if again:
            self.congestion.start(1)

    cdef void opened(self, const Segment *segment, uint64_t position, TcpEndpoint connection) noexcept:
        self.window = self._shown(segment)
        self.max_window = max(self.max_window, self.window)
        self.wl1, self.wl2 = position, unwrap(segment.ack, self.una)

    # Queues and sizes.

    cdef size_t room(self, TcpEndpoint connection) noexcept:
        return min(self.cap, connection.node.allowance(OUTBOUND))

    cdef size_t memory(self) noexcept:
        return self.out.held + ((self.board.mask + 1) * sizeof(Sent) if self.board.ring != NULL else 0)

    cdef void clear(self) noexcept:
        self.out.clear()
        board_free(&self.board)
        rack_start(&self.rack)
        self.timer_at = self.rto_at = NEVER

    cdef uint64_t pipe(self) noexcept:
        return self.board.in_flight - min(self.board.in_flight, self.recovery.inflated)

    cdef void _resize(self, TcpEndpoint connection) noexcept:
        cdef size_t most = min(self.peer_mss, self.path - IP_HEADER - TCP_HEADER)
        self.mss = most - (TIMESTAMP_ROOM if connection.stamps else 0)
        self.congestion.segment_size(self.mss)

    cdef uint64_t empty_position(self, TcpEndpoint connection) noexcept:
        # Within a window that shrank too, or the peer would not look at its ACK. A FIN may stand behind the window: who has got
        # it expects what follows it.
        cdef uint64_t edge = self.una + self.window
        return self.nxt if connection._state == SYN_RCVD or self.nxt == edge + 1 > self.out.end else min(self.nxt, edge)

    cdef void _take_path(self, size_t path, TcpEndpoint connection, uint64_t now) noexcept:
        cdef size_t before = self.mss
        self.path = path
        self._path_until = NEVER if path >= connection.host._mtu else now + PATH_CHECK
        self._resize(connection)
        if self.mss < before:
            self.search.most = 0
            self.search.out = False
            self._divide(connection, now)

    cdef void _divide(self, TcpEndpoint connection, uint64_t now) noexcept:
        # Have what is larger than a full segment sent again in parts. Without memory for that, the timer sends it as it is.
        if self.board.count and board_split(&self.board, <uint32_t>self.mss):
            self._repair(now)
            connection.account()

    # The path MTU.

    cdef void path_told(self, size_t mtu, TcpEndpoint connection, uint64_t now) noexcept:
        if mtu < self.path:
            self._take_path(mtu, connection, now)
        elif self.search.out and mtu < self.search.size:
            search_told(&self.search, self.path, mtu)
            self._divide(connection, now)
        else:
            return
        if connection._state >= ESTABLISHED:
            connection.host.mark(connection)

    cdef void _look_at_path(self, TcpEndpoint connection, uint64_t now) noexcept:
        # What the stack knows of it: others may have been told, or it was told too long ago.
        cdef size_t known = connection.host.path_mtu(connection.key)
        cdef size_t most = min(known, self.peer_mss + IP_HEADER + TCP_HEADER)
        self._path_until = now + PATH_CHECK
        if known < self.path or most <= self.path:
            self._take_path(known, connection, now)
        elif self.search.most == 0:
            search_begin(&self.search, self.path, most)

    cdef uint64_t _search_size(self, uint64_t full, TcpEndpoint connection) noexcept:
        # The data of the next new segment, which may be a larger one to try the path with: others must follow it, so that its
        # loss is seen. It waits for room in the congestion window, which acknowledgements of small segments leave little by
        # little.
        cdef uint64_t size = full + self.search.size - self.path
        cdef uint64_t all = size + 3 * full
        if self.search.out or self.recovery.phase != OPEN or not connection.sack or size > connection.burst or (
            full + connection.sack_size() < self.mss or self.nxt + all > self.out.end
        ):
            return full
        return size if self.nxt + all <= self.una + self.window and all <= self.congestion.cwnd else full

    cdef void _vanished(self, TcpEndpoint connection, uint64_t now) noexcept:
        # What is sent again and again may be too large for the path, or the path is cut: the smallest segments will show.
        if self.path > MIN_MTU and board_record(&self.board, self.board.first).size + IP_HEADER + TCP_HEADER > MIN_MTU:
            self._take_path(MIN_MTU, connection, now)
            self._path_until = now

    cdef void _search_answered(self, TcpEndpoint connection, uint64_t now) noexcept:
        cdef uint32_t at = self.search.number - self.board.first
        cdef size_t size = self.search.size
        if at < self.board.count and not board_record(&self.board, self.search.number).flags & SACKED:
            return
        connection.host.widen_path(connection.key, size)
        if not search_passed(&self.search):
            connection.host.narrow_path(connection.key, size)
        self._take_path(size, connection, now)

    cdef uint64_t _search_lost(self, TcpEndpoint connection, uint64_t now) noexcept:
        # Bytes of what is lost that are so because the path does not take them, if those are.
        cdef uint32_t at = self.search.number - self.board.first
        cdef uint64_t size
        if at >= self.board.count or not board_record(&self.board, self.search.number).flags & LOST:
            return 0
        size = board_record(&self.board, self.search.number).size
        if not search_failed(&self.search, self.path):
            connection.host.narrow_path(connection.key, self.path)
        self._divide(connection, now)
        return size

    cdef void _repair(self, uint64_t now) noexcept:
        self._repaired = self.nxt
        self.rack.probe_at = NEVER
        if self.recovery.phase == OPEN:
            recovery_begin(&self.recovery, REPAIR, self.una, self.nxt, now)

    # Output.

    cdef bint flush(self, TcpEndpoint connection, uint64_t now) noexcept:
        cdef bint more
        cdef uint32_t room = self.board.mask
        if connection._state < ESTABLISHED:
            more = self._flush_syn(connection, now)
        elif connection._state == TIME_WAIT:
            return False
        else:
            more = self._flush_data(connection, now)
            board_rest(&self.board)
            if self.board.mask != room:
                connection.account()
        self._set_timer(connection, now)
        return more

    cdef bint _flush_syn(self, TcpEndpoint connection, uint64_t now) noexcept:
        if not self.syn_due:
            return False
        self.syn_due = False
        connection.transmit(self.iss, 0, SYN if connection._state == SYN_SENT else SYN | ACK, now)
        self._syn_at = now if self.nxt == self.iss else 0
        self.nxt = self.iss + 1
        return False

    cdef bint _flush_data(self, TcpEndpoint connection, uint64_t now) noexcept:
        cdef size_t credit = 0
        cdef uint64_t pipe = self.pipe()
        cdef size_t run = max(<size_t>RUN_BYTES, RUN_SEGMENTS * self.mss)
        cdef uint64_t size = 0
        cdef uint32_t number = 0
        cdef Next next
        if now >= self._path_until:
            self._look_at_path(connection, now)
        self._held_back = False
        self._cwnd_bound = False
        if self.progress_at == NEVER:
            self.progress_at = now
        while True:
            next = self._pick(&number, &size, min(self.mss, connection.burst) - connection.sack_size(), connection)
            if next == NOTHING:
                break
            if pipe == 0:
                self._begin_flight(now)
            elif pipe + size > self.congestion.cwnd and not self._probing and not (next == AGAIN and self._resend_now):
                self._cwnd_bound = True
                break
            if credit < size + OVERHEAD:
                # What was told before knows nothing of what went straight out since.
                credit = connection.host.credit_for(connection, connection.key, size + OVERHEAD)
            if credit < size + OVERHEAD:
                self._held_back = True
                break
            if run < size:
                return True
            if next == NEW and not board_has_room(&self.board):
                connection.host.count[COUNT_TCP_NO_ROOM] += 1
                break
            self._send(next, number, size, connection, now)
            credit -= size + OVERHEAD
            run -= size
            pipe += size
            self.congestion.sent(now, size, pipe)
        self._window_forced = False
        return False

    cdef void _begin_flight(self, uint64_t now) noexcept:
        if self._sent_at and self.una == self.nxt:
            self.congestion.idle(now - self._sent_at, self.rtt.rto, now)
            self._sent_at = now
        self._delivered_at = self._flight_at = now

    cdef Next _pick(self, uint32_t *number, uint64_t *size, uint64_t full, TcpEndpoint connection) noexcept:
        cdef Next next
        if self._probing:
            return self._pick_probe(number, size, full)
        if self.board.lost and self.recovery.doubt != ADVANCED_ONCE:
            if self.window == 0:
                self._held_back = True
                return NOTHING
            board_next_lost(&self.board, number)
            size[0] = self._data_size(number[0])
            return AGAIN
        next = self._pick_new(size, full)
        if self.search.most and next == NEW and size[0] == full:
            size[0] = self._search_size(full, connection)
        return next

    cdef uint64_t _data_size(self, uint32_t number) noexcept:
        cdef Sent *record = board_record(&self.board, number)
        return min(sent_end(record), self.out.end) - min(record.start, self.out.end)

    cdef Next _pick_probe(self, uint32_t *number, uint64_t *size, uint64_t full) noexcept:
        # New data, or what was sent last (RFC 8985, 7.3).
        cdef Sent *record
        if self._pick_new(size, full) == NEW:
            return NEW
        number[0] = self.board.first + self.board.count - 1
        if self.board.count:
            record = board_record(&self.board, number[0])
            if not record.flags & (SACKED | LOST) and self.window:
                size[0] = self._data_size(number[0])
                return AGAIN
        self._probing = False
        return NOTHING

    cdef Next _pick_new(self, uint64_t *size, uint64_t full) noexcept:
        # How much new data may leave as one segment; a FIN may leave alone.
        cdef uint64_t end = self.out.end
        cdef uint64_t edge = self.una + self.window
        cdef uint64_t unsent, usable
        if self.nxt > end:
            return NOTHING
        unsent = end - self.nxt
        usable = edge - self.nxt if edge > self.nxt else 0
        size[0] = min(min(unsent, usable), full)
        if size[0] == 0:
            if unsent:
                self._held_back = True
            else:
                self._limited = max(self._delivered + self.board.in_flight, <uint64_t>1)
            return NEW if self.fin_wanted and unsent == 0 else NOTHING
        if size[0] == full:
            return NEW
        if size[0] < unsent:
            # The window cuts it short: wait for more of it, unless it is half of the largest ever seen.
            if usable >= self.max_window // 2 or self._window_forced:
                return NEW
            self._held_back = True
            return NOTHING
        if self.fin_wanted:
            return NEW
        if self.is_corked:
            return NOTHING
        return NEW if self.no_delay or self.nxt == self.una else NOTHING

    cdef void _send(self, Next next, uint32_t number, uint64_t size, TcpEndpoint connection, uint64_t now) noexcept:
        cdef uint64_t position = self.nxt if next == NEW else board_record(&self.board, number).start
        cdef bint last = position + size == self.out.end
        cdef bint fin = last and self.fin_wanted and (next == NEW or sent_end(board_record(&self.board, number)) > self.out.end)
        connection.transmit(position, size, ACK | (PSH if last and size else 0) | (FIN if fin else 0), now)
        self._sent_at = now
        if next == NEW:
            self._sent_new(size + fin, connection, now)
        else:
            self._sent_again(number, connection, now)
        if self._probing:
            self._probing = False
            self.rack.probe_end = self.nxt
            self.rack.probe_resent = next == AGAIN
            self.rto_at = NEVER

    cdef void _sent_new(self, uint64_t length, TcpEndpoint connection, uint64_t now) noexcept:
        cdef Sent *record = board_push(&self.board, self.nxt, <uint32_t>length, now)
        if self.una == self.nxt:
            self.progress_at = now
            self.rto_at = NEVER
            if self._persists:
                self._persists = False
                self.rtt.backoff = 0
        if length > self.mss + 1:
            self.search.out = True
            self.search.number = self.board.first + self.board.count - 1
        self.nxt += length
        self.recovery.sent += length
        self._rearm = True
        record.delivered, record.delivered_at, record.flight_at = self._delivered, self._delivered_at, self._flight_at
        if self._limited:
            record.flags |= LIMITED

    cdef void _sent_again(self, uint32_t number, TcpEndpoint connection, uint64_t now) noexcept:
        cdef Sent *record = board_record(&self.board, number)
        if self.recovery.resend_stamp == 0 and not self._probing:
            self.rto_at = NEVER
        if record.flags & LOST and self.recovery.phase != OPEN:
            recovery_resent(&self.recovery, sent_end(record), record.size, connection.stamp(now))
        board_resend(&self.board, number, now)
        record.delivered, record.delivered_at, record.flight_at = self._delivered, self._delivered_at, self._flight_at
        record.flags = (record.flags & ~LIMITED) | (LIMITED if self._limited else 0)
        self._resend_now = False
        self.retransmits += 1
        connection.host.count[COUNT_TCP_RETRANSMITS] += 1

    # Acknowledgements.

    cdef bint acknowledge(self, const Segment *segment, uint64_t position, TcpEndpoint connection, uint64_t now) noexcept:
        cdef Arrived arrived
        cdef uint64_t ack = unwrap(segment.ack, self.una)
        cdef bint same = self._shown(segment) == self.window
        cdef bint reopened
        if ack > self.nxt:
            return False
        reopened = self._take_window(segment, ack, position, connection)
        memset(&arrived, 0, sizeof(arrived))
        arrived.ack = ack
        arrived.advances = ack > self.una
        arrived.repeats = ack == self.una < self.nxt and segment.size == 0 and not segment.flags & (SYN | FIN) and (
            same or connection.sack
        )
        if reopened and not arrived.advances and self.una < self.nxt and self.recovery.phase == OPEN:
            # The peer may have dropped what was in flight when its window closed.
            while self.board.listed:
                board_lose(&self.board, self.board.oldest)
            self._repair(now)
            return True
        if arrived.advances or arrived.repeats or segment.sacks:
            self._arrive(segment, &arrived, connection, now)
        return True

    cdef uint64_t _shown(self, const Segment *segment) noexcept:
        # The window of a SYN is not scaled (RFC 7323, 2.2).
        return <uint64_t>segment.window << (0 if segment.flags & SYN else self.scale)

    cdef bint _take_window(self, const Segment *segment, uint64_t ack, uint64_t position, TcpEndpoint connection) noexcept:
        # Whether it opens a closed window.
        cdef uint64_t window = self._shown(segment)
        cdef bint reopened = False
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
            self._persists = False
            self.rtt.backoff = 0
            if self.una == self.nxt:
                self.rto_at = NEVER
        return reopened

    cdef void advance(self, uint64_t ack, const Segment *segment, TcpEndpoint connection, uint64_t now) noexcept:
        cdef Arrived arrived
        memset(&arrived, 0, sizeof(arrived))
        arrived.ack = ack
        arrived.advances = True
        self._arrive(segment, &arrived, connection, now)

    cdef void _arrive(self, const Segment *segment, Arrived *arrived, TcpEndpoint connection, uint64_t now) noexcept:
        cdef Delivery delivery
        cdef uint32_t age = connection.stamp(now) - segment.ts_echo
        memset(&delivery, 0, sizeof(delivery))
        arrived.prior = self.pipe()
        arrived.stamped = connection.stamps and segment.stamped and age < <uint32_t>1 << 31
        arrived.echo = segment.ts_echo
        if arrived.advances:
            # What left later than what it echoes is not what it answers.
            delivery.credible = now - min(self.rtt.least, now)
            if arrived.stamped:
                delivery.credible = min(delivery.credible, (now // MILLISECOND + 1 - age) * MILLISECOND - 1)
            board_acknowledge(&self.board, arrived.ack, &delivery)
        # Nor, as a rule, is what left much less than a round trip ago; with a hole below, the echo tells nothing.
        delivery.credible = now - min(max(self.rtt.least, self.rtt.smoothed // 4 * 3), now)
        if connection.sack and segment.sacks:
            self._take_sacks(segment, arrived, &delivery)
        if delivery.size or arrived.advances:
            self._measure(arrived, &delivery, connection, now)
        if arrived.advances:
            self._advanced(arrived.ack, connection, now)
        self._react(arrived, &delivery, connection, now)
        if arrived.advances:
            self._released(connection)

    cdef void _take_sacks(self, const Segment *segment, Arrived *arrived, Delivery *delivery) noexcept:
        # In order of position, so that what one ACK tells does not look as if it had been reordered.
        cdef uint64_t starts[MAX_SACKS]
        cdef uint64_t ends[MAX_SACKS]
        cdef uint64_t start, end
        cdef int index, at
        cdef int count = 0
        for index in range(segment.sacks):
            start = unwrap(segment.sack[2 * index], arrived.ack)
            end = unwrap(segment.sack[2 * index + 1], arrived.ack)
            if not start < end <= self.nxt:
                continue
            if index == 0 and start + HALF_SPACE > arrived.ack and (end <= arrived.ack or (
                segment.sacks > 1 and unwrap(segment.sack[2], arrived.ack) <= start
                and end <= unwrap(segment.sack[3], arrived.ack)
            )):
                arrived.duplicate, arrived.duplicate_end = start, end       # a DSACK (RFC 2883)
            elif start > arrived.ack:
                at = count
                while at and starts[at - 1] > start:
                    starts[at], ends[at] = starts[at - 1], ends[at - 1]
                    at -= 1
                starts[at], ends[at] = start, end
                count += 1
        for index in range(count):
            board_sack(&self.board, starts[index], ends[index], delivery)

    cdef void _measure(self, const Arrived *arrived, const Delivery *delivery, TcpEndpoint connection, uint64_t now) noexcept:
        cdef uint64_t sample = NEVER
        cdef bint opening = self.una == self.iss
        if opening and self._syn_at:
            sample = now - self._syn_at
        elif delivery.once_at and not delivery.resent:
            sample = now - delivery.once_at
        elif arrived.stamped and arrived.advances:
            # It answers a retransmission, or an original that was late: the samples that Karn's algorithm would not have
            # (RFC 7323, 4.1). Timestamps are whole milliseconds: the most it can have been counts, so that the shortest
            # round trip is not invented.
            sample = (<uint64_t>(connection.stamp(now) - arrived.echo) + 1) * MILLISECOND
        if sample != NEVER:
            rtt_sample(&self.rtt, sample, now, connection.host.min_rto, connection.host.max_rto)
            self._persists = False
        if opening and self.tries:
            rtt_lost_syn(&self.rtt)

    cdef void _advanced(self, uint64_t ack, TcpEndpoint connection, uint64_t now) noexcept:
        self.una = ack
        self.tries = 0
        self.progress_at = now
        if now >= self._tell_at:
            self._tell_at = now + TELL_AFTER
            connection.host.works(connection.key)
        self.soft_error = 0
        self.rto_at = NEVER
        self._rearm = True
        self.out.release(min(ack, self.out.end))
        connection.account()

    cdef void _released(self, TcpEndpoint connection) noexcept:
        # Tell what the application may be waiting for. A FIN's acknowledgement may be the end.
        if self.starved and self.out.end - self.out.base <= self.room(connection) // 2:
            self.starved = False
            connection.happen(EVENT_WRITABLE)
        if self.fin_wanted and self.una > self.out.end:
            connection.happen(EVENT_DRAINED)
            connection.step(GOT_ACK_OF_FIN)

    # Loss.

    cdef void _react(self, const Arrived *arrived, const Delivery *delivery, TcpEndpoint connection, uint64_t now) noexcept:
        cdef Recovery *recovery = &self.recovery
        cdef uint64_t size, lost
        rack_take(&self.rack, delivery, now)
        if arrived.duplicate_end:
            rack_duplicate(&self.rack, self.una, self.nxt)
        if delivery.size:
            self._delivered += delivery.size
            self._delivered_at = now
            self._rearm = True
        if self.search.out:
            self._search_answered(connection, now)
        if recovery.undoable and self._was_none(arrived, delivery, connection, now):
            self._undo(now)
        if self.rack.probe_end:
            self._probe_answered(arrived, delivery, now)
        if recovery.phase != OPEN and self.una >= recovery.recover:
            self._end_event(now)
        size = delivery.size if connection.sack else self._count_duplicates(arrived, delivery.size)
        lost = self._find_loss(connection, now)
        if lost and (recovery.phase == OPEN or recovery.phase == REPAIR):
            self._begin_event(lost, arrived.prior, now)
        if recovery.phase == RECOVERY:
            self._reduce(size, arrived.advances and lost == 0)
        elif delivery.size and (arrived.advances or self.rack.reordered):
            # What was SACKed may be the sign of a loss (RFC 5681), unless segments are known to overtake one another.
            self._grow(arrived, delivery, now)
            self.cap = max(self.cap, min(2 * self.congestion.cwnd, connection.host.send_buffer_max))

    cdef bint _was_none(self, const Arrived *arrived, const Delivery *delivery, TcpEndpoint connection, uint64_t now) noexcept:
        # Whether this ACK shows that the event was none.
        cdef Recovery *recovery = &self.recovery
        if arrived.duplicate_end and recovery_duplicate(recovery, arrived.duplicate, arrived.duplicate_end):
            return True
        if recovery.phase != RECOVERY and recovery.phase != LOSS:
            # An event that is over.
            recovery.undoable = self.una < recovery.forget
            return False
        if arrived.advances and recovery_answered(
            recovery, arrived.ack, self.board.lost > 0, arrived.stamped, arrived.echo
        ):
            if delivery.late_resent_at:
                rack_late(&self.rack, delivery.late_resent_at, now)
            return True
        if recovery.phase != LOSS:
            return False
        if connection.sack and delivery.once_at and delivery.once_at <= recovery.given_up and not (
            arrived.stamped and arrived.advances
        ):
            return True
        return recovery_advanced(recovery, arrived.advances, self.nxt < self.out.end)

    cdef void _undo(self, uint64_t now) noexcept:
        self.congestion.undone(now)
        self.recovery.undoable = False
        if self.recovery.given_up == 0:
            self.rack.reordered = True
        if self.recovery.phase != RECOVERY and self.recovery.phase != LOSS:
            return
        board_restore(&self.board)
        # What was sent again is not what was answered: it proves nothing about what was sent before it.
        self.rack.sent_at = self.rack.end = 0
        recovery_end(&self.recovery, self.nxt)
        self.recovery.recover = self.nxt
        self._resend_now = False

    cdef void _probe_answered(self, const Arrived *arrived, const Delivery *delivery, uint64_t now) noexcept:
        if rack_probe_acked(&self.rack, arrived.ack, arrived.repeats and delivery.size == 0, arrived.duplicate_end) and (
            self.recovery.phase == OPEN
        ):
            # It has repaired a loss, which is one all the same.
            self.congestion.lost(self.mss, arrived.prior, now)
            self.congestion.recovered(self.pipe(), now)

    cdef void _begin_event(self, uint64_t lost, uint64_t prior, uint64_t now) noexcept:
        recovery_begin(&self.recovery, RECOVERY, self.una, self.nxt, now)
        self.recovery.flight = prior
        self.congestion.lost(lost, prior, now)
        self.rack.probe_at = NEVER
        self.rack.probe_end = 0
        self._resend_now = True

    cdef void _end_event(self, uint64_t now) noexcept:
        if self.recovery.phase == RECOVERY:
            self.congestion.recovered(self.pipe(), now)
        if self.recovery.phase != REPAIR:
            rack_recovered(&self.rack)
        recovery_end(&self.recovery, self.nxt)
        if self.board.lost and self.una >= self._repaired:
            # They left after the window was reduced: another event.
            self._begin_event(self.board.lost, self.pipe() + self.board.lost, now)

    cdef uint64_t _find_loss(self, TcpEndpoint connection, uint64_t now) noexcept:
        # Lose what is lost, and return how much of it congestion control has to know.
        cdef uint64_t lost = self._detect(connection, now)
        return lost - self._search_lost(connection, now) if lost and self.search.out else lost

    cdef uint64_t _detect(self, TcpEndpoint connection, uint64_t now) noexcept:
        cdef Recovery *recovery = &self.recovery
        cdef Sent *first
        cdef uint64_t window
        if connection.sack:
            window = rack_window(&self.rack, &self.board, &self.rtt, recovery.phase == RECOVERY or recovery.phase == LOSS)
            return rack_detect(&self.rack, &self.board, window, now)
        if not recovery.first_missing or self.board.count == 0:
            return 0
        recovery.first_missing = False
        first = board_record(&self.board, self.board.first)
        if first.flags & LOST or (first.flags & RESENT and recovery.phase == RECOVERY and first.last_sent >= recovery.since):
            return 0
        board_lose(&self.board, self.board.first)
        self._resend_now = True
        return first.size

    cdef uint64_t _count_duplicates(self, const Arrived *arrived, uint64_t gained) noexcept:
        # Without SACK: return what the ACK delivers (RFC 6937, 3), and see whether the first segment is missing (RFC 6582).
        cdef Recovery *recovery = &self.recovery
        cdef uint64_t before = recovery.inflated
        if arrived.advances:
            recovery.duplicates = 0
            recovery.inflated -= min(before, gained - min(gained, <uint64_t>self.mss))
            if recovery.phase == OPEN:
                recovery.inflated = 0
            recovery.first_missing = recovery.phase == RECOVERY
            return gained - min(gained, before)
        if not arrived.repeats:
            return 0
        recovery.duplicates += 1
        if recovery.phase != LOSS:
            recovery.inflated = min(before + self.mss, self.nxt - self.una)
        recovery.first_missing = (recovery.phase == OPEN or recovery.phase == REPAIR) and (
            recovery.duplicates >= DUP_THRESHOLD and self.una > recovery.recover
        )
        return self.mss

    cdef void _reduce(self, uint64_t size, bint safe) noexcept:
        # Proportional rate reduction says how much may leave now.
        cdef uint64_t pipe = self.pipe()
        self.congestion.cwnd = pipe + recovery_allows(
            &self.recovery, size, pipe, self.congestion.ssthresh, self.mss, safe
        )

    cdef void _grow(self, const Arrived *arrived, const Delivery *delivery, uint64_t now) noexcept:
        cdef Acked ack
        cdef const Sent *newest = &delivery.newest
        memset(&ack, 0, sizeof(ack))
        ack.now, ack.bytes = now, delivery.size
        ack.una, ack.nxt = self.una, self.nxt
        ack.in_flight, ack.prior_in_flight = self.pipe(), arrived.prior
        ack.srtt, ack.least_rtt = self.rtt.smoothed, self.rtt.least
        ack.after_timeout = self.recovery.phase == LOSS
        ack.cwnd_limited = self._cwnd_bound or ack.after_timeout
        ack.delivered = self._delivered
        if newest.last_sent:
            ack.rtt = max(now - newest.last_sent, RTT_GRAIN)
            ack.sent_at, ack.prior_delivered = newest.last_sent, newest.delivered
            ack.app_limited = newest.flags & LIMITED
            ack.rate = self._rate(newest, now)
        self.congestion.acked(&ack)

    cdef uint64_t _rate(self, const Sent *newest, uint64_t now) noexcept:
        # What was delivered while that segment was under way, over the longer of the times in which it was sent and delivered.
        cdef uint64_t interval = max(newest.last_sent - newest.flight_at, now - newest.delivered_at)
        self._flight_at = newest.last_sent
        if self._delivered > self._limited:
            self._limited = 0
        if interval < max(self.rtt.least, <uint64_t>1):
            return 0
        return <uint64_t>((self._delivered - newest.delivered) * 1e9 / interval)

    # Timers.

    cdef void _set_timer(self, TcpEndpoint connection, uint64_t now) noexcept:
        if self.rto_at == NEVER and (self.una < self.nxt or self._held_back):
            self.rto_at = now + rtt_timeout(&self.rtt, connection.host.max_rto)
        if self._rearm:
            self._rearm = False
            self.rack.probe_at = self._probe_time(connection, now)
        self.timer_at = min(min(self.rto_at, self.rack.probe_at), self.rack.reorder_at)
        if self.user_limit and self._waits():
            self.timer_at = min(self.timer_at, self.progress_at + self.user_limit)

    cdef bint _waits(self) noexcept:
        # Whether the peer has something to acknowledge, or to make room for.
        return self.progress_at != NEVER and (self.una < self.nxt or self._held_back)

    cdef uint64_t _probe_time(self, TcpEndpoint connection, uint64_t now) noexcept:
        # When the end of a flight may have been lost (RFC 8985, 7.2), if that is before the timer expires.
        cdef uint64_t at
        if self.recovery.phase != OPEN or not connection.sack or self.rack.probe_end or self.rtt.backoff or (
            self.board.listed == 0 or self.window == 0 or self.rtt.smoothed == 0
        ):
            return NEVER
        at = now + max(2 * self.rtt.smoothed, <uint64_t>LEAST_PROBE_TIME)
        if self.board.in_flight < 2 * self.mss:
            at += connection.host.min_rto           # the peer may delay its ACK
        return at if at < self.rto_at else NEVER

    cdef void timeout(self, TcpEndpoint connection, uint64_t now) noexcept:
        self.timer_at = NEVER                       # the next flush sets it
        if self.user_limit and self._waits() and now >= self.progress_at + self.user_limit:
            connection.expire(self.soft_error or ETIMEDOUT)
            return
        if self.rack.reorder_at <= now:
            self._reordering_over(connection, now)
        if self.rack.probe_at <= now:
            self.rack.probe_at = self.rto_at = NEVER
            self._probing = True
        elif self.rto_at <= now:
            self._retransmission_timeout(connection, now)
        if connection.host is not None:
            connection.host.mark(connection)

    cdef void _reordering_over(self, TcpEndpoint connection, uint64_t now) noexcept:
        cdef uint64_t prior = self.pipe()
        cdef uint64_t lost = self._find_loss(connection, now)
        if lost and (self.recovery.phase == OPEN or self.recovery.phase == REPAIR):
            self._begin_event(lost, prior, now)
        if self.recovery.phase == RECOVERY:
            self._reduce(0, False)

    cdef void _retransmission_timeout(self, TcpEndpoint connection, uint64_t now) noexcept:
        # Or the persist timer when the window or the link is what stops us.
        cdef bint opening = connection._state < ESTABLISHED
        self.rto_at = NEVER
        if not opening and self.una == self.nxt and not self._held_back:
            return
        self.tries += 1
        if self.tries > (connection.host.syn_retries if opening else connection.host.retries):
            connection.expire(self.soft_error or ETIMEDOUT)
            return
        self.timeouts += 1
        connection.host.count[COUNT_TCP_TIMEOUTS] += 1
        if self.tries > 1 or opening:
            connection.host.suspect(connection.key)
        self.rtt.backoff += 1
        if opening:
            self.syn_due = True
            self.congestion.start(1)
        elif self.window == 0:
            self._persists = True
            self.probe(connection, now)             # the answer shows the window (RFC 9293, 3.8.6.1)
        elif self.una == self.nxt:
            self._persists = self._window_forced = True
        else:
            self._lose_flight(connection, now)
            if self.tries >= VANISHED:
                self._vanished(connection, now)

    cdef void _lose_flight(self, TcpEndpoint connection, uint64_t now) noexcept:
        cdef Recovery *recovery = &self.recovery
        cdef bint first = recovery.phase == OPEN or recovery.phase == REPAIR
        cdef bint again = recovery.phase == LOSS and recovery.start == self.una
        cdef uint64_t window = rack_window(&self.rack, &self.board, &self.rtt, True)
        cdef uint64_t in_flight, before
        if self.board.count and board_record(&self.board, self.board.first).flags & SACKED:
            board_unsack(&self.board)               # the peer went back on its word
        in_flight = self.pipe()
        if not connection.sack:
            self.rack.sent_at = 0
        before = rack_timed_out(&self.rack, &self.board, window, now)
        if self.search.out:
            self._search_lost(connection, now)
        self.congestion.timed_out(in_flight, first, now)
        if again:
            recovery.recover = self.nxt
        else:
            recovery_begin(recovery, LOSS, self.una, self.nxt, now)
            recovery.undoable = first
            recovery.given_up = before
            if first and not connection.stamps:
                recovery.doubt = TIMED_OUT_NOW
        recovery.inflated = recovery.duplicates = 0
        self._probing = False
        # One segment at once, whatever is in flight; the rest as its acknowledgement comes.
        self._resend_now = True

    cdef void probe(self, TcpEndpoint connection, uint64_t now) noexcept:
        connection.transmit(self.una - 1, 0, ACK, now)

    cdef bint hasten(self, uint64_t now) noexcept:
        # What is sent again asks as well. It only must not wait for a timer that silence has made long, nor must the next one,
        # for this may be lost.
        if self.rtt.backoff == 0:
            return False
        self.rtt.backoff = 1
        self.rto_at = self.timer_at = now
        self.tries = 0
        return True
