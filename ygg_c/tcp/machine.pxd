# The state machine of a TCP connection (RFC 9293, 3.10): segment arrival, ICMPv6 errors, timers, the end.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.endpoint cimport Endpoint, Host
from ygg_c.icmpv6 cimport Bucket
from ygg_c.tcp.sender cimport TcpSender
from ygg_c.tcp.wire cimport Segment

# The listener, as its half-open connections know it.
cdef class Acceptor(Endpoint):
    cdef bint promote(self, TcpMachine connection) noexcept     # the handshake completed; False: no room to keep it
    cdef void forget(self, TcpMachine connection) noexcept      # it ended before it was accepted

cdef class TcpMachine(TcpSender):
    cdef Acceptor parent         # while nobody has accepted it
    cdef bint has_place             # it counts as one that its node has opened
    cdef uint64_t _fin_at           # position of a FIN that came ahead of its data, 0: none
    cdef Bucket _challenges
    cdef Bucket _strays
    cdef uint64_t _keep_idle        # 0: no keepalive
    cdef uint64_t _keep_interval
    cdef int _keep_count
    cdef int _probes
    cdef int _checks                # probes left to ask a peer that may have restarted
    cdef uint64_t _heard_at
    cdef uint64_t _tuned_at         # receive-window autotuning: since when, from where
    cdef uint64_t _tuned_from

    cdef void start(self, Host host, const uint8_t *key, uint32_t iss, uint64_t secret, uint64_t now)
    cdef void open(self) noexcept
    cdef void accept_syn(self, Acceptor parent, const Segment *segment) noexcept
    cdef void segment_in(self, const Segment *segment, uint64_t now) noexcept
    cdef void give_place(self) noexcept
    cdef void icmp_in(self, uint8_t kind, uint8_t code, uint32_t parameter, uint32_t seq) noexcept
    # The peer may have restarted and know nothing of this connection: ask it. A host that has forgotten answers with a reset,
    # another with an ACK that changes nothing. True when something was sent.
    cdef bint check(self, uint64_t now) noexcept
    cdef bint yields_to(self, const Segment *segment) noexcept      # TIME-WAIT: a newer SYN takes the place
    # Segment arrival.
    cdef void _in_syn_sent(self, const Segment *segment, uint64_t now) noexcept
    cdef bint _acceptable(self, const Segment *segment, uint64_t position, uint64_t now) noexcept
    cdef bint _established(self, const Segment *segment, uint64_t position, uint64_t now) noexcept
    cdef void _learn_syn(self, const Segment *segment, bint answer) noexcept
    cdef void _take_data(self, const Segment *segment, uint64_t position, uint64_t now) noexcept
    cdef uint64_t _fit(self, uint64_t position, uint64_t end) noexcept
    cdef void _take_fin(self, uint64_t now) noexcept
    cdef void _reset_in(self, uint64_t position, uint64_t now) noexcept
    cdef void _challenge(self, uint64_t now) noexcept
    cdef void _stray(self, uint64_t now) noexcept
    cdef void _answer_reset(self, const Segment *segment) noexcept
    # Life.
    cdef void _finish(self) noexcept
    cdef void _time_wait(self, uint64_t now) noexcept
    cdef void _keep_alive(self, uint64_t now) noexcept
    cdef void _probe(self, uint64_t now) noexcept

# A reset in answer to a segment that belongs to nothing (RFC 9293, 3.5.2).
cdef void send_reset(Host host, const uint8_t *key, const Segment *segment) noexcept
