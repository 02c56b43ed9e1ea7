"""What a connection tells of itself; see info.pxd."""

_PHASES = ("open", "recovery", "loss", "repair")


cdef dict flow_info(Sender sender, Receiver receiver):
    return {
        "rtt": sender.rtt.smoothed,
        "rtt_var": sender.rtt.variance,
        "rtt_min": sender.rtt.least,
        "rto": sender.rtt.rto,
        "cwnd": sender.congestion.cwnd,
        "ssthresh": sender.congestion.ssthresh,
        "congestion": sender.congestion.name,
        **sender.congestion.info(),
        "phase": _PHASES[<int>sender.flight.recovery.phase if sender.flight != NULL else 0],
        "mss": sender.mss,
        "path_mtu": sender.path,
        "send_window": sender.window,
        "receive_window": receiver.advertised - min(receiver.advertised, receiver.queue.next),
        "receive_buffer": receiver.cap,
        "in_flight": sender.nxt - sender.una,
        "retransmits": sender.retransmits,
        "timeouts": sender.timeouts,
        "bytes_in": receiver.bytes,
    }
