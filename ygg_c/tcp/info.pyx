"""What a connection tells of itself; see info.pxd."""

from libc.stdint cimport uint32_t

from ygg_c.base.clock cimport MS, NEVER
from ygg_c.tcp.flight cimport Flight
from ygg_c.tcp.rack cimport rack_window
from ygg_c.tcp.rtt cimport rtt_timeout
from ygg_c.tcp.state cimport ESTABLISHED

_PHASES = ("open", "recovery", "loss", "repair")
_NO_FLIGHT = {
    "phase": "open", "outstanding": 0, "sacked": 0, "lost": 0, "reordering": False, "reordering_window": 0,
    "delivery_rate": 0, "app_limited": True,
}


cdef dict flow_info(TcpEndpoint connection, Sender sender, Receiver receiver, uint64_t now):
    return {
        **_times(connection, sender, receiver, now),
        **_sending(connection, sender),
        **_flight(sender),
        **_receiving(receiver),
    }


cdef uint64_t _age(uint64_t at, uint64_t now) noexcept:
    return now - min(at, now)


cdef dict _times(TcpEndpoint connection, Sender sender, Receiver receiver, uint64_t now):
    cdef uint64_t took = <uint64_t>(<uint32_t>(now // MS) - receiver.took_at) * MS
    return {
        "rtt": sender.rtt.smoothed,
        "rtt_var": sender.rtt.variance,
        "rtt_min": sender.rtt.least,
        "rto": sender.rtt.rto if connection.host is None else rtt_timeout(&sender.rtt, connection.host.max_rto),
        "backoff": sender.rtt.backoff,
        "receive_rtt": receiver.rtt,
        "last_sent": _age(sender.sent_at, now) if sender.sent_at else None,
        "last_received": took if receiver.bytes else None,
        "last_progress": None if sender.progress_at == NEVER else _age(sender.progress_at, now),
    }


cdef dict _sending(TcpEndpoint connection, Sender sender):
    cdef uint64_t first = sender.iss + 1
    cdef uint64_t sent = max(min(sender.nxt, sender.out.end), first)
    return {
        "congestion": sender.congestion.name,
        "cwnd": sender.congestion.cwnd,
        "ssthresh": sender.congestion.ssthresh,
        **sender.congestion.info(),
        "mss": sender.mss,
        "peer_mss": sender.peer_mss,
        "path_mtu": sender.path,
        "send_window": sender.window,
        "send_scale": sender.scale,
        "in_flight": sender.nxt - sender.una,
        "unsent": sender.out.end - min(sent, sender.out.end),
        "send_queued": sender.out.end - sender.out.base,
        "send_buffer": sender.cap,
        "waits_for": _waits_for(connection, sender),
        "bytes_sent": sent - first,
        "bytes_acknowledged": max(min(sender.una, sender.out.end), first) - first,
        "retransmits": sender.retransmits,
        "timeouts": sender.timeouts,
        "unanswered": sender.tries,
    }


cdef str _waits_for(TcpEndpoint connection, Sender sender):
    # What keeps the next segment from leaving.
    cdef uint64_t edge = sender.una + sender.window
    if connection.tcp_state < ESTABLISHED:
        return "handshake"
    if sender.nxt >= sender.out.end:
        return "application"
    if sender.cwnd_bound:
        return "congestion window"
    if not sender.held_back:
        return "cork" if sender.is_corked else "nagle"
    return "receive window" if edge < sender.nxt + min(<uint64_t>sender.mss, sender.out.end - sender.nxt) else "link"


cdef dict _flight(Sender sender):
    cdef Flight *flight = sender.flight
    if flight == NULL:
        return _NO_FLIGHT
    return {
        "phase": _PHASES[<int>flight.recovery.phase],
        "outstanding": sender.pipe(),
        "sacked": flight.board.sacked,
        "lost": flight.board.lost,
        "reordering": bool(flight.rack.reordered),
        "reordering_window": rack_window(&flight.rack, &flight.board, &sender.rtt, False),
        "delivery_rate": flight.rate,
        "app_limited": flight.limited > 0,
    }


cdef dict _receiving(Receiver receiver):
    return {
        "receive_window": receiver.advertised - min(receiver.advertised, receiver.queue.next),
        "receive_scale": max(receiver.scale, <signed char>0),
        "receive_buffer": receiver.cap,
        "receive_mss": receiver.largest,
        "readable": receiver.queue.next - receiver.queue.read,
        "out_of_order": receiver.queue.ranges.total,
        "bytes_in": receiver.bytes,
    }
