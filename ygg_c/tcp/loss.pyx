"""What ACKs tell of loss, and what the sender does about it; see loss.pxd."""

from libc.string cimport memset

from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.tcp.congestion.base cimport Acked
from ygg_c.tcp.ecn cimport ecn_reduced
from ygg_c.tcp.flight cimport Flight
from ygg_c.tcp.pmtud cimport pmtud_answered, pmtud_lost
from ygg_c.tcp.rack cimport (
    rack_detect, rack_duplicate, rack_late, rack_probe_acked, rack_recovered, rack_take, rack_window,
)
from ygg_c.tcp.recovery cimport (
    LOSS, OPEN, RECOVERY, REPAIR, Recovery, recovery_advanced, recovery_allows, recovery_answered, recovery_begin,
    recovery_duplicate, recovery_end,
)
from ygg_c.tcp.rtt cimport RTT_GRAIN
from ygg_c.tcp.scoreboard cimport LIMITED, LOST, RESENT, Sent, board_lose, board_record, board_restore

cdef enum:
    DUP_THRESHOLD = 3


cdef void loss_react(
    Sender sender, const Arrived *arrived, const Delivery *delivery, TcpEndpoint connection, uint64_t now
) noexcept:
    cdef Flight *flight = sender.flight
    cdef Recovery *recovery = &flight.recovery
    cdef uint64_t size, lost
    rack_take(&flight.rack, delivery, now)
    if arrived.duplicate_end:
        rack_duplicate(&flight.rack, sender.una, sender.nxt)
    if delivery.size:
        flight.delivered += delivery.size
        flight.delivered_at = now
        sender.rearm = True
    if flight.search.out:
        pmtud_answered(sender, connection, now)
    if recovery.undoable and _was_none(sender, arrived, delivery, connection, now):
        _undo(sender, now)
    if flight.rack.probe_end:
        _probe_answered(sender, arrived, delivery, now)
    if recovery.phase != OPEN and sender.una >= recovery.recover:
        _end_event(sender, now)
    size = delivery.size if connection.sack else _count_duplicates(sender, arrived, delivery.size)
    lost = loss_find(sender, connection, now)
    if lost and (recovery.phase == OPEN or recovery.phase == REPAIR):
        loss_begin(sender, lost, arrived.prior, now)
    if recovery.phase == RECOVERY:
        loss_reduce(sender, size, arrived.advances and lost == 0)
    elif delivery.size and not arrived.marked and (arrived.advances or flight.rack.reordered):
        # What was SACKed may be the sign of a loss (RFC 5681), unless segments are known to overtake one another.
        _grow(sender, arrived, delivery, now)
        if not connection.host.memory.pressed and not sender.fixed:
            sender.cap = max(sender.cap, min(2 * sender.congestion.cwnd, connection.host.send_buffer_max))


cdef bint _was_none(
    Sender sender, const Arrived *arrived, const Delivery *delivery, TcpEndpoint connection, uint64_t now
) noexcept:
    # Whether this ACK shows that the event was none.
    cdef Flight *flight = sender.flight
    cdef Recovery *recovery = &flight.recovery
    if arrived.duplicate_end and recovery_duplicate(recovery, arrived.duplicate, arrived.duplicate_end):
        return True
    if recovery.phase != RECOVERY and recovery.phase != LOSS:
        # An event that is over.
        recovery.undoable = sender.una < recovery.forget
        return False
    if arrived.advances and recovery_answered(
        recovery, arrived.ack, flight.board.lost > 0, arrived.stamped, arrived.echo
    ):
        if delivery.late_resent_at:
            rack_late(&flight.rack, delivery.late_resent_at, now)
        return True
    if recovery.phase != LOSS:
        return False
    if connection.sack and delivery.once_at and delivery.once_at <= recovery.given_up and not (
        arrived.stamped and arrived.advances
    ):
        return True
    return recovery_advanced(recovery, arrived.advances, sender.nxt < sender.out.end)


cdef void _undo(Sender sender, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    sender.congestion.undone(now)
    sender.ecn.reduced = False
    flight.recovery.undoable = False
    if flight.recovery.given_up == 0:
        flight.rack.reordered = True
    if flight.recovery.phase != RECOVERY and flight.recovery.phase != LOSS:
        return
    board_restore(&flight.board)
    # What was sent again is not what was answered: it proves nothing about what was sent before it.
    flight.rack.sent_at = flight.rack.end = 0
    recovery_end(&flight.recovery, sender.nxt)
    flight.recovery.recover = sender.nxt
    sender.resend_now = False


cdef void _probe_answered(Sender sender, const Arrived *arrived, const Delivery *delivery, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    if rack_probe_acked(&flight.rack, arrived.ack, arrived.repeats and delivery.size == 0, arrived.duplicate_end) and (
        flight.recovery.phase == OPEN
    ):
        # It has repaired a loss, which is one all the same.
        sender.congestion.lost(sender.mss, arrived.prior, now)
        ecn_reduced(&sender.ecn, sender.nxt)
        sender.congestion.recovered(sender.pipe(), now)


cdef void loss_begin(Sender sender, uint64_t lost, uint64_t prior, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    recovery_begin(&flight.recovery, RECOVERY, sender.una, sender.nxt, now)
    flight.recovery.flight = prior
    sender.congestion.lost(lost, prior, now)
    ecn_reduced(&sender.ecn, sender.nxt)
    flight.rack.probe_at = NEVER
    flight.rack.probe_end = 0
    sender.resend_now = True


cdef void _end_event(Sender sender, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    if flight.recovery.phase == RECOVERY:
        sender.congestion.recovered(sender.pipe(), now)
    if flight.recovery.phase != REPAIR:
        rack_recovered(&flight.rack)
    recovery_end(&flight.recovery, sender.nxt)
    if flight.board.lost and sender.una >= flight.repaired:
        # They left after the window was reduced: another event.
        loss_begin(sender, flight.board.lost, sender.pipe() + flight.board.lost, now)


cdef uint64_t loss_find(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    # Lose what is lost, and return how much of it congestion control has to know.
    cdef uint64_t lost = _detect(sender, connection, now)
    # What the path search has lost, it has lost just now: it is a part of that.
    return lost - pmtud_lost(sender, connection, now) if lost and sender.flight.search.out else lost


cdef uint64_t _detect(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    cdef Recovery *recovery = &flight.recovery
    cdef Sent *first
    cdef uint64_t window
    if connection.sack:
        window = rack_window(&flight.rack, &flight.board, &sender.rtt,
                             recovery.phase == RECOVERY or recovery.phase == LOSS)
        return rack_detect(&flight.rack, &flight.board, window, now)
    if not recovery.first_missing or flight.board.count == 0:
        return 0
    recovery.first_missing = False
    first = board_record(&flight.board, flight.board.first)
    if first.flags & LOST or (first.flags & RESENT and recovery.phase == RECOVERY
                              and first.last_sent >= recovery.since):
        return 0
    board_lose(&flight.board, flight.board.first)
    sender.resend_now = True
    return first.size


cdef uint64_t _count_duplicates(Sender sender, const Arrived *arrived, uint64_t gained) noexcept:
    # Without SACK: return what the ACK delivers (RFC 6937, 3), and see whether the first segment is missing (RFC 6582).
    cdef Recovery *recovery = &sender.flight.recovery
    cdef uint64_t before = recovery.inflated
    if arrived.advances:
        recovery.duplicates = 0
        recovery.inflated -= min(before, gained - min(gained, <uint64_t>sender.mss))
        if recovery.phase == OPEN:
            recovery.inflated = 0
        recovery.first_missing = recovery.phase == RECOVERY
        return gained - min(gained, before)
    if not arrived.repeats:
        return 0
    recovery.duplicates += 1
    if recovery.phase != LOSS:
        recovery.inflated = min(before + sender.mss, sender.nxt - sender.una)
    recovery.first_missing = (recovery.phase == OPEN or recovery.phase == REPAIR) and (
        recovery.duplicates >= DUP_THRESHOLD and sender.una > recovery.recover
    )
    return sender.mss


cdef void loss_reduce(Sender sender, uint64_t size, bint safe) noexcept:
    # Proportional rate reduction says how much may leave now.
    cdef uint64_t pipe = sender.pipe()
    sender.congestion.cwnd = pipe + recovery_allows(
        &sender.flight.recovery, size, pipe, sender.congestion.ssthresh, sender.mss, safe
    )


cdef void _grow(Sender sender, const Arrived *arrived, const Delivery *delivery, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    cdef Acked ack
    cdef const Sent *newest = &delivery.newest
    memset(&ack, 0, sizeof(ack))
    ack.now, ack.bytes = now, delivery.size
    ack.una, ack.nxt = sender.una, sender.nxt
    ack.in_flight, ack.prior_in_flight = sender.pipe(), arrived.prior
    ack.srtt, ack.least_rtt = sender.rtt.smoothed, sender.rtt.least
    ack.after_timeout = flight.recovery.phase == LOSS
    ack.cwnd_limited = sender.cwnd_bound or ack.after_timeout
    ack.delivered = flight.delivered
    if newest.last_sent:
        ack.rtt = max(now - newest.last_sent, RTT_GRAIN)
        ack.sent_at, ack.prior_delivered = newest.last_sent, newest.delivered
        ack.app_limited = newest.flags & LIMITED
        ack.rate = _rate(sender, newest, now)
        flight.rate = ack.rate or flight.rate
    sender.congestion.acked(&ack)


cdef uint64_t _rate(Sender sender, const Sent *newest, uint64_t now) noexcept:
    # What was delivered while that segment was under way, over the longer of the times in which it was sent and
    # delivered.
    cdef Flight *flight = sender.flight
    cdef uint64_t interval = max(newest.last_sent - newest.flight_at, now - newest.delivered_at)
    flight.sent_at = newest.last_sent
    if flight.delivered > flight.limited:
        flight.limited = 0
    if interval < max(sender.rtt.least, <uint64_t>1):
        return 0
    return <uint64_t>(<double>(flight.delivered - newest.delivered) * SECOND / interval)
