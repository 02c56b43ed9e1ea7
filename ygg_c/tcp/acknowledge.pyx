"""What the sender does with an ACK; see acknowledge.pxd."""

from libc.stdint cimport uint32_t
from libc.string cimport memset

from ygg_c.base.clock cimport MS, NEVER
from ygg_c.socket.endpoint cimport COUNT_TCP_ECE_IN, COUNT_TCP_ECN_REDUCTIONS, EVENT_DRAINED, TELL_AFTER
from ygg_c.tcp.ecn cimport ecn_reacts
from ygg_c.tcp.flight cimport Flight
from ygg_c.tcp.loss cimport Arrived, loss_react
from ygg_c.tcp.pmtud cimport pmtud_lost
from ygg_c.tcp.recovery cimport OPEN
from ygg_c.tcp.rtt cimport rtt_lost_syn, rtt_sample
from ygg_c.tcp.scoreboard cimport SACKED, Delivery, Scoreboard, board_acknowledge, board_lose, board_record, board_sack
from ygg_c.tcp.sendqueue cimport queue_release
from ygg_c.tcp.state cimport GOT_ACK_OF_FIN
from ygg_c.tcp.wire cimport ECE, FIN, MAX_SACKS, SYN, unwrap

cdef enum:
    HALF_SPACE = 1 << 30        # an older DSACK is none

cdef uint64_t RENEGED_AFTER = 10 * MS       # at least


cdef bint acknowledge(
    Sender sender, const Segment *segment, uint64_t position, TcpEndpoint connection, uint64_t now
) noexcept:
    cdef Flight *flight = sender.flight
    cdef Arrived arrived
    cdef uint64_t ack = unwrap(segment.ack, sender.una)
    cdef bint same = sender.shown(segment) == sender.window
    cdef bint reopened
    if ack > sender.nxt:
        return False
    reopened = _take_window(sender, segment, ack, position, connection)
    memset(&arrived, 0, sizeof(arrived))
    arrived.ack = ack
    arrived.advances = ack > sender.una
    arrived.repeats = ack == sender.una < sender.nxt and segment.size == 0 and not segment.flags & (SYN | FIN) and (
        same or connection.sack
    )
    if segment.flags & (ECE | SYN) == ECE and sender.ecn.agreed and ack >= sender.una:
        arrived.marked = True
        _take_mark(sender, ack, connection, now)
    if reopened and not arrived.advances and sender.una < sender.nxt and flight.recovery.phase == OPEN:
        # The peer may have dropped what was in flight when its window closed.
        while flight.board.listed:
            board_lose(&flight.board, flight.board.oldest)
        if flight.search.out:
            pmtud_lost(sender, connection, now)         # what is lost later is so for other reasons
        sender.repair(now)
        return True
    if arrived.advances or arrived.repeats or segment.sacks:
        _arrive(sender, segment, &arrived, connection, now)
    return True


cdef void _take_mark(Sender sender, uint64_t ack, TcpEndpoint connection, uint64_t now) noexcept:
    # The peer has got a mark, and repeats that until it knows that we know.
    connection.host.count[COUNT_TCP_ECE_IN] += 1
    if sender.una < sender.nxt and ecn_reacts(&sender.ecn, ack, sender.nxt):
        connection.host.count[COUNT_TCP_ECN_REDUCTIONS] += 1
        sender.congestion.ecn(sender.pipe(), now)


cdef bint _take_window(
    Sender sender, const Segment *segment, uint64_t ack, uint64_t position, TcpEndpoint connection
) noexcept:
    # Whether it opens a closed window.
    cdef uint64_t window = sender.shown(segment)
    cdef bint reopened = False
    # What acknowledges more was sent later, though with an older position: it was sent again, or filled a hole.
    if ack > sender.una or (ack == sender.una and (
        position > sender.wl1 or (position == sender.wl1 and ack >= sender.wl2)
    )):
        reopened = sender.window == 0 and window > 0
        sender.window = window
        sender.max_window = max(sender.max_window, window)
        sender.wl1, sender.wl2 = position, ack
    if sender.window == 0 and not connection.orphan:
        sender.tries = 0
    if reopened:
        sender.persists = False
        sender.rtt.backoff = 0
        if sender.una == sender.nxt:
            sender.rto_at = NEVER
    return reopened


cdef void acknowledge_syn(
    Sender sender, uint64_t ack, const Segment *segment, TcpEndpoint connection, uint64_t now
) noexcept:
    cdef Arrived arrived
    memset(&arrived, 0, sizeof(arrived))
    arrived.ack = ack
    arrived.advances = True
    _arrive(sender, segment, &arrived, connection, now)


cdef void _arrive(
    Sender sender, const Segment *segment, Arrived *arrived, TcpEndpoint connection, uint64_t now
) noexcept:
    cdef Delivery delivery
    cdef uint32_t age = connection.stamp(now) - segment.ts_echo
    memset(&delivery, 0, sizeof(delivery))
    arrived.prior = sender.pipe()
    arrived.stamped = connection.stamps and segment.stamped and age < <uint32_t>1 << 31
    arrived.echo = segment.ts_echo
    if arrived.advances:
        # What left later than what it echoes is not what it answers.
        delivery.credible = now - min(sender.rtt.least, now)
        if arrived.stamped:
            delivery.credible = min(delivery.credible, (now // MS + 1 - age) * MS - 1)
        if sender.flight != NULL:
            board_acknowledge(&sender.flight.board, arrived.ack, &delivery)
    # Nor, as a rule, is what left much less than a round trip ago; with a hole below, the echo tells nothing.
    delivery.credible = now - min(max(sender.rtt.least, sender.rtt.smoothed // 4 * 3), now)
    if connection.sack and segment.sacks and sender.flight != NULL:
        _take_sacks(sender, segment, arrived, &delivery)
    if delivery.size or arrived.advances:
        _measure(sender, arrived, &delivery, connection, now)
    if arrived.advances:
        _advanced(sender, arrived.ack, connection, now)
    if sender.flight != NULL:
        loss_react(sender, arrived, &delivery, connection, now)
    if arrived.advances:
        _released(sender, connection)


cdef void _take_sacks(Sender sender, const Segment *segment, Arrived *arrived, Delivery *delivery) noexcept:
    # In order of position, so that what one ACK tells does not look as if it had been reordered.
    cdef uint64_t starts[MAX_SACKS]
    cdef uint64_t ends[MAX_SACKS]
    cdef uint64_t start, end
    cdef int index, at
    cdef int count = 0
    for index in range(segment.sacks):
        start = unwrap(segment.sack[2 * index], arrived.ack)
        end = unwrap(segment.sack[2 * index + 1], arrived.ack)
        if not start < end <= sender.nxt:
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
        board_sack(&sender.flight.board, starts[index], ends[index], delivery)


cdef void _measure(
    Sender sender, const Arrived *arrived, const Delivery *delivery, TcpEndpoint connection, uint64_t now
) noexcept:
    cdef uint64_t sample = NEVER
    cdef bint opening = sender.una == sender.iss
    if opening and sender.syn_at:
        sample = now - sender.syn_at
    elif delivery.once_at and not delivery.resent:
        sample = now - delivery.once_at
    elif arrived.stamped and arrived.advances:
        # It answers a retransmission, or an original that was late: the samples that Karn's algorithm would not have
        # (RFC 7323, 4.1). Timestamps are whole milliseconds: the most it can have been counts, so that the shortest
        # round trip is not invented.
        sample = (<uint64_t>(connection.stamp(now) - arrived.echo) + 1) * MS
    if sample != NEVER:
        rtt_sample(&sender.rtt, sample, now, connection.host.min_rto, connection.host.max_rto)
        sender.persists = False
    if opening and sender.tries:
        rtt_lost_syn(&sender.rtt)


cdef void _advanced(Sender sender, uint64_t ack, TcpEndpoint connection, uint64_t now) noexcept:
    sender.una = ack
    sender.tries = 0
    sender.progress_at = now
    if now >= sender.tell_at:
        sender.tell_at = now + TELL_AFTER
        connection.host.works(connection.key)
    sender.soft_error = 0
    sender.rto_at = NEVER
    sender.rearm = True
    queue_release(&sender.out, min(ack, sender.out.end))
    connection.account()
    if sender.flight != NULL and _has_reneged(&sender.flight.board):
        # The peer has dropped what it had SACKed, or it would have acknowledged it (RFC 2018, 8). A little later the
        # timer takes it for lost: ACKs may overtake one another.
        sender.rto_at = now + max(sender.rtt.smoothed // 2, <uint64_t>RENEGED_AFTER)


cdef bint _has_reneged(const Scoreboard *board) noexcept:
    return board.count > 0 and board_record(board, board.first).flags & SACKED


cdef void _released(Sender sender, TcpEndpoint connection) noexcept:
    # Tell what the application may be waiting for. A FIN's acknowledgement may be the end.
    if sender.starved:
        sender.ask_for_more(sender.most(connection) // 2, connection)
    if sender.fin_wanted and sender.una > sender.out.end:
        connection.happen(EVENT_DRAINED)
        connection.step(GOT_ACK_OF_FIN)
