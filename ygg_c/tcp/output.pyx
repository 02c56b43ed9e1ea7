"""What the sender sends next; see output.pxd."""

from libc.stdint cimport uint8_t, uint32_t

from ygg_c.base.clock cimport NEVER
from ygg_c.ip.header cimport IP_HEADER
from ygg_c.socket.endpoint cimport COUNT_NO_MEMORY, COUNT_TCP_NO_ROOM, COUNT_TCP_RETRANSMITS
from ygg_c.tcp.ecn cimport ECN_ASK
from ygg_c.tcp.flight cimport Flight, flight_memory, flight_new
from ygg_c.tcp.pacing cimport pacing_due, pacing_rate, pacing_sent, pacing_shorten
from ygg_c.tcp.pmtud cimport pmtud_look_up, pmtud_segment
from ygg_c.tcp.rack cimport rack_resume
from ygg_c.tcp.recovery cimport ADVANCED_ONCE, OPEN, RECOVERY, REPAIR, Recovery, recovery_resent
from ygg_c.tcp.scoreboard cimport (
    LIMITED, LOST, SACKED, Sent, board_has_room, board_next_lost, board_push, board_record, board_resend, sent_end,
)
from ygg_c.tcp.state cimport ESTABLISHED, SYN_SENT, TIME_WAIT
from ygg_c.tcp.timeouts cimport timeouts_set
from ygg_c.tcp.wire cimport ACK, CWR, ECE, FIN, MAX_OPTIONS, PSH, SYN, TCP_HEADER

cdef enum:
    RUN_BYTES = 65536           # what one connection sends before the next has its turn, or RUN_SEGMENTS if more
    RUN_SEGMENTS = 4
    OVERHEAD = IP_HEADER + TCP_HEADER + MAX_OPTIONS

cdef enum Next:                 # what leaves next
    NOTHING = 0
    NEW
    AGAIN


cdef bint output_flush(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    cdef bint more
    if connection.tcp_state < ESTABLISHED:
        more = _flush_syn(sender, connection, now)
    elif connection.tcp_state == TIME_WAIT:
        return False
    else:
        more = _flush_flight(sender, connection, now)
    timeouts_set(sender, connection, now)
    return more


cdef bint _flush_flight(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    cdef bint more = False
    cdef size_t before = flight_memory(sender.flight)
    sender.held_back = sender.cwnd_bound = False
    if sender.progress_at == NEVER:
        sender.progress_at = now
    if sender.flight == NULL and sender.nxt < sender.out.end + sender.fin_wanted:
        sender.flight = flight_new()
        if sender.flight == NULL:
            connection.host.count[COUNT_NO_MEMORY] += 1
            sender.held_back = True
        elif sender.una > sender.iss + 1:
            rack_resume(&sender.flight.rack, sender.rtt.smoothed)
    if sender.flight != NULL:
        more = _flush_data(sender, connection, now)
        if sender.unsent_limit and sender.starved:
            _ask_for_more(sender, connection)
    sender.window_forced = sender.window_forced and more
    if flight_memory(sender.flight) != before:
        connection.account()
    return more


cdef bint _flush_syn(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    cdef uint8_t flags = SYN
    if not sender.syn_due:
        return False
    sender.syn_due = False
    if connection.tcp_state == SYN_SENT:
        # Where one has no answer, perhaps a node on the way does not pass one that asks (RFC 3168, 6.1.1.1).
        sender.ecn.asked = sender.ecn.use == ECN_ASK and sender.nxt == sender.iss
        flags |= ECE | CWR if sender.ecn.asked else 0
    else:
        flags |= ACK | (ECE if sender.ecn.agreed else 0)
    connection.transmit(sender.iss, 0, flags, now)
    sender.syn_at = now if sender.nxt == sender.iss else 0
    if sender.syn_at:
        sender.progress_at = now            # when it was opened, between turns, the time was not known
    sender.nxt = sender.iss + 1
    return False


cdef bint _flush_data(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    cdef size_t credit = 0
    cdef uint64_t pipe = sender.pipe()
    cdef size_t run = max(<size_t>RUN_BYTES, RUN_SEGMENTS * sender.mss)
    cdef uint64_t size = 0
    cdef uint32_t number = 0
    cdef uint64_t rate, full
    cdef Next next
    if now >= sender.path_until:
        pmtud_look_up(sender, connection, now)
    rate = pacing_rate(sender.congestion, &sender.rtt, flight.recovery.phase == RECOVERY)
    sender.congestion.paced = rate > 0
    if rate:
        pacing_shorten(&flight.pacing, pipe + flight.board.listed * OVERHEAD, rate, now)
    flight.pace_at = NEVER
    if sender.nxt == sender.iss + 1:
        # from now on the answers to requests for credit tell
        connection.burst = connection.host.burst_to(connection.key)
    while True:
        full = min(sender.mss, connection.burst) - connection.sack_size()
        next = _pick(sender, &number, &size, full, connection)
        if next == NOTHING:
            break
        if pipe == 0:
            _begin_flight(sender, now)
            rate = pacing_rate(sender.congestion, &sender.rtt, flight.recovery.phase == RECOVERY)
        elif pipe + size > sender.congestion.cwnd and not sender.probing and not (next == AGAIN and sender.resend_now):
            sender.cwnd_bound = True
            break
        elif rate and flight.pacing.free_at > now and not _leaves_at_once(sender, next, pipe, connection):
            flight.pace_at = pacing_due(&flight.pacing, now)
            sender.cwnd_bound = pipe + _available(sender) >= sender.congestion.cwnd     # it will be used in full
            break
        if credit < size + OVERHEAD:
            # What was told before knows nothing of what went straight out since.
            credit = connection.host.credit_for(connection, connection.key, size + OVERHEAD)
        if credit < size + OVERHEAD:
            sender.held_back = True
            sender.cwnd_bound = _doubles(sender, pipe)
            break
        if run < size:
            return True
        if next == NEW and not board_has_room(&flight.board):
            connection.host.count[COUNT_TCP_NO_ROOM] += 1
            break
        _send(sender, next, number, size, connection, now)
        if next == NEW and 0 < size < full:
            flight.small_end = sender.nxt
        if rate:
            pacing_sent(&flight.pacing, size + OVERHEAD, rate, sender.congestion.burst(), now)
        credit -= size + OVERHEAD
        run -= size
        pipe += size
        sender.congestion.sent(now, size, pipe)
    return False


cdef inline bint _doubles(Sender sender, uint64_t pipe) noexcept:
    # A slow start whose window is used by more than half goes on (RFC 7661, 4.2). Where flows wait for a link in turn,
    # what one of them has under way comes up to a small window now and then only: it would keep a small share for good.
    return sender.congestion.cwnd < sender.congestion.ssthresh and pipe > sender.congestion.cwnd // 2


cdef uint64_t _available(Sender sender) noexcept:
    # New data that the peer's window has room for.
    cdef uint64_t end = min(sender.out.end, sender.una + sender.window)
    return end - min(sender.nxt, end)


cdef bint _leaves_at_once(Sender sender, Next next, uint64_t pipe, TcpEndpoint connection) noexcept:
    # Whether what leaves next is not paced: a probe, the first retransmission, what an ACK allows in a recovery, and
    # what is sent again though no queue has overflowed. Where flows take turns on a full link, the turns pace them: a
    # flow that let a part of its own go by would keep a smaller share than others for good.
    cdef const Recovery *recovery = &sender.flight.recovery
    cdef bint little = sender.congestion.cwnd <= pipe + 2 * sender.mss
    return sender.probing or (next == AGAIN and sender.resend_now) or recovery.phase == REPAIR or (
        recovery.phase == RECOVERY and little
    ) or connection.host.has_turn(connection)


cdef void _begin_flight(Sender sender, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    if sender.sent_at and sender.una == sender.nxt:
        sender.congestion.idle(now - sender.sent_at, sender.rtt.rto, now)
        sender.sent_at = now
    flight.delivered_at = flight.sent_at = now


cdef Next _pick(Sender sender, uint32_t *number, uint64_t *size, uint64_t full, TcpEndpoint connection) noexcept:
    cdef Flight *flight = sender.flight
    cdef Next next
    if sender.probing:
        return _pick_probe(sender, number, size, full, connection)
    if flight.board.lost and flight.recovery.doubt != ADVANCED_ONCE:
        if sender.window == 0:
            sender.held_back = True
            return NOTHING
        board_next_lost(&flight.board, number)
        size[0] = _data_size(sender, number[0])
        return AGAIN
    next = _pick_new(sender, size, full, connection)
    if flight.search.most and next == NEW and size[0] == full:
        size[0] = pmtud_segment(sender, full, connection)
    return next


cdef uint64_t _data_size(Sender sender, uint32_t number) noexcept:
    cdef Sent *record = board_record(&sender.flight.board, number)
    return min(sent_end(record), sender.out.end) - min(record.start, sender.out.end)


cdef Next _pick_probe(
    Sender sender, uint32_t *number, uint64_t *size, uint64_t full, TcpEndpoint connection
) noexcept:
    # New data, or what was sent last (RFC 8985, 7.3).
    cdef Flight *flight = sender.flight
    cdef Sent *record
    if _pick_new(sender, size, full, connection) == NEW:
        return NEW
    number[0] = flight.board.first + flight.board.count - 1
    if flight.board.count:
        record = board_record(&flight.board, number[0])
        if not record.flags & (SACKED | LOST) and sender.window:
            size[0] = _data_size(sender, number[0])
            return AGAIN
    sender.probing = False
    return NOTHING


cdef Next _pick_new(Sender sender, uint64_t *size, uint64_t full, TcpEndpoint connection) noexcept:
    # How much new data may leave as one segment; a FIN may leave alone.
    cdef Flight *flight = sender.flight
    cdef uint64_t end = sender.out.end
    cdef uint64_t edge = sender.una + sender.window
    cdef uint64_t unsent, usable
    if sender.nxt > end:
        return NOTHING
    unsent = end - sender.nxt
    usable = edge - sender.nxt if edge > sender.nxt else 0
    size[0] = min(min(unsent, usable), full)
    if size[0] == 0:
        if unsent:
            sender.held_back = True
        else:
            flight.limited = max(flight.delivered + flight.board.in_flight, <uint64_t>1)
            if sender.starved:
                _ask_for_more(sender, connection)
        return NEW if sender.fin_wanted and unsent == 0 else NOTHING
    if size[0] == full:
        return NEW
    if size[0] < unsent:
        # The window cuts it short: wait for more of it, unless it is half of the largest ever seen.
        if usable >= sender.max_window // 2 or sender.window_forced:
            return NEW
        sender.held_back = True
        return NOTHING
    if sender.fin_wanted:
        return NEW
    if not sender.is_corked and (sender.no_delay or flight.small_end <= sender.una):
        return NEW
    if sender.starved:
        _ask_for_more(sender, connection)
        if sender.starved and sender.nxt == sender.una:
            # It fills all the room that there is, and no acknowledgement will make more: a cork would hold it for good.
            return NEW
    return NOTHING


cdef void _ask_for_more(Sender sender, TcpEndpoint connection) noexcept:
    # All has left, but what is under way fills the queue, as in a recovery, or where a long way takes all that may be
    # queued: as a rule more is asked for when half is free.
    cdef size_t most = sender.most(connection)
    sender.ask_for_more(most - most // 4, connection)


cdef void _send(
    Sender sender, Next next, uint32_t number, uint64_t size, TcpEndpoint connection, uint64_t now
) noexcept:
    cdef Flight *flight = sender.flight
    cdef uint64_t position = sender.nxt if next == NEW else board_record(&flight.board, number).start
    cdef bint last = position + size == sender.out.end
    cdef bint fin = last and sender.fin_wanted and (next == NEW
                                                    or sent_end(board_record(&flight.board, number)) > sender.out.end)
    connection.transmit(position, size, ACK | (PSH if last and size else 0) | (FIN if fin else 0), now)
    sender.sent_at = now
    if next == NEW:
        _sent_new(sender, size + fin, connection, now)
    else:
        _sent_again(sender, number, connection, now)
    if sender.probing:
        sender.probing = False
        flight.rack.probe_end = sender.nxt
        flight.rack.probe_resent = next == AGAIN
        sender.rto_at = NEVER


cdef void _sent_new(Sender sender, uint64_t length, TcpEndpoint connection, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    cdef Sent *record = board_push(&flight.board, sender.nxt, <uint32_t>length, now)
    if sender.una == sender.nxt:
        sender.progress_at = now
        sender.rto_at = NEVER
        if sender.persists:
            sender.persists = False
            sender.rtt.backoff = 0
    if length > sender.mss + 1:
        flight.search.out = True
        flight.search.number = flight.board.first + flight.board.count - 1
    sender.nxt += length
    flight.recovery.sent += length
    sender.rearm = True
    record.delivered, record.delivered_at, record.flight_at = flight.delivered, flight.delivered_at, flight.sent_at
    if flight.limited:
        record.flags |= LIMITED


cdef void _sent_again(Sender sender, uint32_t number, TcpEndpoint connection, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    cdef Sent *record = board_record(&flight.board, number)
    if flight.recovery.resend_stamp == 0 or number == flight.board.first:
        # what it waits for, the acknowledgement of the first segment, can come a round trip from now
        sender.rto_at = NEVER
    if record.flags & LOST and flight.recovery.phase != OPEN:
        recovery_resent(&flight.recovery, sent_end(record), record.size, connection.stamp(now))
    board_resend(&flight.board, number, now)
    record.delivered, record.delivered_at, record.flight_at = flight.delivered, flight.delivered_at, flight.sent_at
    record.flags = (record.flags & ~LIMITED) | (LIMITED if flight.limited else 0)
    sender.resend_now = False
    sender.retransmits += 1
    connection.host.count[COUNT_TCP_RETRANSMITS] += 1
