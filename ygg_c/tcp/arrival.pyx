"""What each segment that arrives does (RFC 9293, 3.10.7)."""

from libc.errno cimport ECONNREFUSED, ECONNRESET

from ygg_c.ip.header cimport CE
from ygg_c.socket.endpoint cimport (
    COUNT_ACCEPT_QUEUE_FULL, COUNT_TCP_CE_IN, COUNT_TCP_IGNORED, COUNT_TCP_RESETS_IN, EVENT_CONNECTED, EVENT_EOF,
)
from ygg_c.tcp.acknowledge cimport acknowledge, acknowledge_syn
from ygg_c.tcp.ecn cimport ecn_agrees, ecn_asks, ecn_received
from ygg_c.tcp.receiver cimport Receiver
from ygg_c.tcp.reset cimport send_reset
from ygg_c.tcp.sender cimport Sender
from ygg_c.tcp.state cimport (
    ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, GOT_ACK_OF_SYN, GOT_FIN, GOT_RST, GOT_SYN, GOT_SYN_ACK, SYN_RCVD, SYN_SENT,
    State,
)
from ygg_c.tcp.wire cimport ACK, FIN, RST, SYN, unwrap


cdef void segment_in(Tcb connection, const Segment *segment, uint64_t now) noexcept:
    cdef Receiver receiver = connection.receiver
    cdef uint64_t position
    connection.segments_in += 1
    connection.host.mark(connection)
    if connection.tcp_state == SYN_SENT:
        _in_syn_sent(connection, segment, now)
        return
    position = unwrap(segment.seq, receiver.ack_position())
    if not receiver.acceptable(segment, position, connection, now):
        return
    connection.heard(now)
    if segment.flags & RST:
        _reset_in(connection, position, now)
    elif segment.flags & SYN:
        _syn_again(connection, segment, position, now)
    elif not segment.flags & ACK:
        connection.host.count[COUNT_TCP_IGNORED] += 1
    elif connection.tcp_state != SYN_RCVD or _opened(connection, segment, position, now):
        _ack_in(connection, segment, position, now)


cdef void _ack_in(Tcb connection, const Segment *segment, uint64_t position, uint64_t now) noexcept:
    cdef Sender sender = connection.sender
    # Older than any the peer can have sent of late: it is not from there (RFC 5961, 5.2).
    cdef bint too_old = unwrap(segment.ack, sender.una) + sender.max_window < sender.una
    if too_old or not acknowledge(sender, segment, position, connection, now):
        connection.receiver.challenge(connection, now)
        return
    if connection.host is None:
        return
    connection.receiver.note_stamp(segment, position, now)
    if segment.size and sender.ecn.agreed:
        _look_for_mark(connection, segment)
    if segment.size or segment.flags & FIN:
        _take(connection, segment, position, now)
    connection.account()


cdef void _look_for_mark(Tcb connection, const Segment *segment) noexcept:
    if segment.ecn == CE:
        connection.host.count[COUNT_TCP_CE_IN] += 1
    if ecn_received(&connection.sender.ecn, segment):
        connection.receiver.ack_now = True


cdef void _in_syn_sent(Tcb connection, const Segment *segment, uint64_t now) noexcept:
    cdef Sender sender = connection.sender
    cdef uint64_t ack = unwrap(segment.ack, sender.una)
    cdef bint answers = segment.flags & ACK and ack == sender.nxt and sender.nxt > sender.iss
    if segment.flags & ACK and not answers:
        send_reset(connection.host, connection.key, segment)
        return
    if segment.flags & RST and answers:
        connection.host.count[COUNT_TCP_RESETS_IN] += 1
        connection.end(GOT_RST, ECONNREFUSED)
        return
    if segment.flags & RST or not segment.flags & SYN:
        connection.host.count[COUNT_TCP_IGNORED] += 1
        return
    connection.learn_syn(segment)
    connection.heard(now)
    sender.ecn.agreed = sender.ecn.asked and (ecn_agrees(segment) if answers else ecn_asks(segment))
    if not answers:
        # Both opened at once: answer with SYN,ACK and wait for the ACK.
        connection.step(GOT_SYN)
        connection.take_early(segment)
        sender.syn_due = True
        return
    connection.step(GOT_SYN_ACK)
    connection.take_early(segment)
    acknowledge_syn(sender, ack, segment, connection, now)
    sender.wl2 = ack
    connection.receiver.ack_now = True
    connection.happen(EVENT_CONNECTED)
    connection.established()


cdef void _syn_again(Tcb connection, const Segment *segment, uint64_t position, uint64_t now) noexcept:
    # A SYN where none is due. In SYN-RECEIVED it may be the one that we know, and the peer has missed our answer; or,
    # where both opened at once, it may come with the acknowledgement of ours.
    if connection.tcp_state != SYN_RCVD or position != connection.sender.wl1:
        connection.receiver.challenge(connection, now)
    elif not segment.flags & ACK:
        connection.sender.ecn.agreed = connection.sender.ecn.agreed and ecn_asks(segment)
        connection.sender.syn_due = True
    elif _opened(connection, segment, position, now):
        connection.sender.ecn.agreed = connection.sender.ecn.agreed and ecn_agrees(segment)
        _ack_in(connection, segment, position + 1, now)


cdef bint _opened(Tcb connection, const Segment *segment, uint64_t position, uint64_t now) noexcept:
    # Whether this ACK ends the handshake.
    cdef Sender sender = connection.sender
    if not sender.una < unwrap(segment.ack, sender.una) <= sender.nxt:
        send_reset(connection.host, connection.key, segment)
        return False
    if connection.parent is not None and not connection.parent.promote(connection):
        connection.host.count[COUNT_ACCEPT_QUEUE_FULL] += 1
        return False
    connection.step(GOT_ACK_OF_SYN)
    sender.opened(segment, position, connection)
    if connection.parent is None:
        connection.happen(EVENT_CONNECTED)
    connection.established()
    return True


cdef void _take(Tcb connection, const Segment *segment, uint64_t position, uint64_t now) noexcept:
    cdef State state = connection.tcp_state
    if state != ESTABLISHED and state != FIN_WAIT_1 and state != FIN_WAIT_2:
        # Behind the peer's FIN, or that FIN once more.
        connection.receiver.ack_now = True
        connection.host.count[COUNT_TCP_IGNORED] += 1
    elif connection.orphan and position + segment.size > connection.receiver.queue.next:
        # The application will not read it (RFC 9293, 3.6.1).
        connection.fail(ECONNRESET, True)
    elif connection.receiver.take(segment, position, connection, now):
        connection.happen(EVENT_EOF)
        connection.step(GOT_FIN)


cdef void _reset_in(Tcb connection, uint64_t position, uint64_t now) noexcept:
    if position != connection.receiver.ack_position():
        connection.receiver.challenge(connection, now)      # RFC 5961, 3.2
    else:
        connection.host.count[COUNT_TCP_RESETS_IN] += 1
        connection.end(GOT_RST, ECONNREFUSED if connection.tcp_state == SYN_RCVD else ECONNRESET)
