"""The sender's timers; see timeouts.pxd."""

from libc.errno cimport ETIMEDOUT

from ygg_c.base.clock cimport MS, NEVER
from ygg_c.socket.endpoint cimport COUNT_TCP_TIMEOUTS, Host
from ygg_c.tcp.ecn cimport ecn_reduced
from ygg_c.tcp.flight cimport Flight
from ygg_c.tcp.loss cimport loss_begin, loss_find, loss_reduce
from ygg_c.tcp.pathsearch cimport VANISHED
from ygg_c.tcp.pmtud cimport pmtud_lost, pmtud_vanished
from ygg_c.tcp.rack cimport rack_timed_out, rack_window
from ygg_c.tcp.recovery cimport LOSS, OPEN, RECOVERY, REPAIR, TIMED_OUT_NOW, Recovery, recovery_begin
from ygg_c.tcp.rtt cimport rtt_is_long, rtt_shorten, rtt_timeout
from ygg_c.tcp.scoreboard cimport SACKED, board_record, board_unsack
from ygg_c.tcp.state cimport ESTABLISHED

cdef uint64_t LEAST_PROBE_TIME = 10 * MS        # hosts are late, too


cdef void timeouts_set(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    if sender.rto_at == NEVER and (sender.una < sender.nxt or sender.held_back):
        sender.rto_at = now + rtt_timeout(&sender.rtt, connection.host.max_rto)
    sender.timer_at = sender.rto_at
    if flight != NULL:
        if sender.rearm:
            sender.rearm = False
            flight.rack.probe_at = _probe_time(sender, connection, now)
        sender.timer_at = min(min(sender.rto_at, flight.pace_at), min(flight.rack.probe_at, flight.rack.reorder_at))
    if sender.user_limit:
        sender.timer_at = min(sender.timer_at, _give_up_at(sender))


cdef uint64_t _give_up_at(Sender sender) noexcept:
    # When what the peer is to acknowledge, or to make room for, has waited for as long as the application wants it to.
    if sender.progress_at == NEVER or not (sender.una < sender.nxt or sender.held_back):
        return NEVER
    return sender.progress_at + min(sender.user_limit, NEVER - sender.progress_at)


cdef uint64_t _probe_time(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    # When the end of a flight may have been lost (RFC 8985, 7.2), if that is before the timer expires.
    cdef Flight *flight = sender.flight
    cdef uint64_t at
    if flight.recovery.phase != OPEN or not connection.sack or flight.rack.probe_end or sender.rtt.backoff or (
        flight.board.listed == 0 or sender.window == 0 or sender.rtt.smoothed == 0
    ):
        return NEVER
    at = now + max(2 * sender.rtt.smoothed, LEAST_PROBE_TIME)
    if flight.board.in_flight < 2 * sender.mss:
        at += connection.host.min_rto           # the peer may delay its ACK
    return at if at < sender.rto_at else NEVER


cdef void timeouts_fire(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    sender.timer_at = NEVER                       # the next flush sets it
    if sender.user_limit and now >= _give_up_at(sender):
        connection.expire(sender.soft_error or ETIMEDOUT)
        return
    if flight != NULL and flight.rack.reorder_at <= now:
        _reordering_over(sender, connection, now)
    if flight != NULL and flight.rack.probe_at <= now:
        flight.rack.probe_at = sender.rto_at = NEVER
        sender.probing = True
    elif sender.rto_at <= now:
        _retransmission_timeout(sender, connection, now)
    if connection.host is not None:
        connection.host.mark(connection)


cdef void _reordering_over(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    cdef uint64_t prior = sender.pipe()
    cdef uint64_t lost = loss_find(sender, connection, now)
    if lost and (flight.recovery.phase == OPEN or flight.recovery.phase == REPAIR):
        loss_begin(sender, lost, prior, now)
    if flight.recovery.phase == RECOVERY:
        loss_reduce(sender, 0, False)


cdef void _retransmission_timeout(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    # Or the persist timer when the window or the link is what stops us.
    cdef bint opening = connection.tcp_state < ESTABLISHED
    sender.rto_at = NEVER
    if not opening and sender.una == sender.nxt and not sender.held_back:
        return
    sender.tries += 1
    if sender.tries > _most_tries(connection):
        connection.expire(sender.soft_error or ETIMEDOUT)
        return
    sender.timeouts += 1
    connection.host.count[COUNT_TCP_TIMEOUTS] += 1
    if sender.tries > 1 or opening:
        connection.host.suspect(connection.key)
    sender.rtt.backoff += 1
    if opening:
        sender.syn_due = True
        sender.congestion.start(1)
    elif sender.window == 0:
        sender.persists = True
        sender.probe(connection, now)             # the answer shows the window (RFC 9293, 3.8.6.1)
    elif sender.una == sender.nxt:
        sender.persists = sender.window_forced = True
    else:
        _lose_flight(sender, connection, now)
        if sender.tries >= VANISHED:
            pmtud_vanished(sender, connection, now)


cdef int _most_tries(TcpEndpoint connection) noexcept:
    cdef Host host = connection.host
    if connection.tcp_state < ESTABLISHED:
        return host.syn_retries
    return min(host.retries, host.orphan_retries) if connection.orphan else host.retries


cdef void _lose_flight(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    cdef Recovery *recovery = &flight.recovery
    cdef bint first = recovery.phase == OPEN or recovery.phase == REPAIR
    cdef bint again = recovery.phase == LOSS and recovery.start == sender.una
    cdef uint64_t window = rack_window(&flight.rack, &flight.board, &sender.rtt, True)
    cdef uint64_t in_flight, before
    if flight.board.count and board_record(&flight.board, flight.board.first).flags & SACKED:
        board_unsack(&flight.board)               # the peer went back on its word
    in_flight = sender.pipe()
    if not connection.sack:
        flight.rack.sent_at = 0
    before = rack_timed_out(&flight.rack, &flight.board, window, now)
    if flight.search.out:
        pmtud_lost(sender, connection, now)
    sender.congestion.timed_out(in_flight, first, now)
    ecn_reduced(&sender.ecn, sender.nxt)
    if again:
        recovery.recover = sender.nxt
    else:
        recovery_begin(recovery, LOSS, sender.una, sender.nxt, now)
        recovery.undoable = first
        recovery.given_up = before
        if first and not connection.stamps:
            recovery.doubt = TIMED_OUT_NOW
    recovery.inflated = recovery.duplicates = 0
    sender.probing = False
    # One segment at once, whatever is in flight; the rest as its acknowledgement comes.
    sender.resend_now = True


cdef bint timeouts_hasten(Sender sender, uint64_t now) noexcept:
    # What is sent again asks as well. It only must not wait for a timer that silence has made long, nor must the next
    # one, for this may be lost.
    if not rtt_is_long(&sender.rtt):
        return False
    rtt_shorten(&sender.rtt)
    sender.rto_at = sender.timer_at = now
    sender.tries = 0
    return True


cdef bint timeouts_path_found(Sender sender, uint64_t now, uint64_t most) noexcept:
    if sender.rto_at == NEVER or not rtt_is_long(&sender.rtt):
        return False
    rtt_shorten(&sender.rtt)
    sender.rto_at = min(sender.rto_at, max(now, sender.sent_at + sender.rtt.rto))
    sender.timer_at = min(sender.timer_at, sender.rto_at)
    # Links that come and go must not keep a connection to a host that is gone.
    if sender.progress_at != NEVER and now - sender.progress_at < most:
        sender.tries = 0
    return True
