"""TCP's sending half: its state; see sender.pxd for the theory."""

cimport cython
from libc.stdint cimport uint16_t

from ygg_c.base.clock cimport NEVER
from ygg_c.ip.header cimport IP_HEADER
from ygg_c.ip.memory cimport OUTBOUND
from ygg_c.socket.endpoint cimport EVENT_WRITABLE
from ygg_c.tcp.flight cimport flight_free, flight_memory, flight_rest
from ygg_c.tcp.recovery cimport OPEN, REPAIR, recovery_begin
from ygg_c.tcp.rtt cimport rtt_start
from ygg_c.tcp.sendqueue cimport queue_clear, queue_rest, queue_start
from ygg_c.tcp.state cimport SYN_RCVD
from ygg_c.tcp.wire cimport ACK, DEFAULT_MSS, FIRST_POSITION, MIN_MSS, TCP_HEADER, TIMESTAMP_ROOM, unwrap


@cython.no_gc       # none of its parts refers to another object
cdef class Sender:
    """Sends what a connection has to send."""

    def __cinit__(self):
        self.timer_at = self.rto_at = NEVER
        rtt_start(&self.rtt)

    def __dealloc__(self):
        queue_clear(&self.out)
        flight_free(self.flight)

    # The handshake.

    cdef void open(self, uint32_t iss, size_t path, TcpEndpoint connection, uint64_t now) noexcept:
        self.iss = FIRST_POSITION | iss
        self.una = self.nxt = self.iss
        queue_start(&self.out, self.iss + 1)
        self.cap = connection.host.send_buffer
        self.path = path
        self.path_until = NEVER if path >= connection.host.mtu else now + PATH_CHECK
        self.peer_mss = DEFAULT_MSS
        self.progress_at = now

    cdef void learn_syn(self, const Segment *segment, uint64_t position, TcpEndpoint connection) noexcept:
        if segment.mss:
            self.peer_mss = max(segment.mss, <uint16_t>MIN_MSS)
        self.scale = max(segment.scale, 0)
        self.window = self.max_window = segment.window
        self.wl1, self.wl2 = position, self.una
        self.resize(connection)

    cdef void answered(self, uint64_t sent_at, int again) noexcept:
        self.nxt = self.iss + 1
        self.timeouts = self.tries = again
        self.syn_at = 0 if again else sent_at
        if again:
            self.congestion.start(1)

    cdef void opened(self, const Segment *segment, uint64_t position, TcpEndpoint connection) noexcept:
        self.window = self.shown(segment)
        self.max_window = max(self.max_window, self.window)
        self.wl1, self.wl2 = position, unwrap(segment.ack, self.una)

    # Queues and sizes.

    cdef size_t most(self, TcpEndpoint connection) noexcept:
        return min(self.cap, connection.node.allowance(OUTBOUND))

    cdef uint64_t unsent(self) noexcept:
        return self.out.end - min(max(self.nxt, self.out.base), self.out.end)

    cdef size_t room(self, TcpEndpoint connection) noexcept:
        cdef size_t most = self.most(connection)
        if self.unsent_limit:
            most = min(most, self.out.end - self.out.base - self.unsent() + self.unsent_limit)
        return most

    cdef void ask_for_more(self, size_t most, TcpEndpoint connection) noexcept:
        if self.out.end - self.out.base <= most and (self.unsent_limit == 0 or self.unsent() <= self.unsent_limit // 2):
            self.starved = False
            connection.happen(EVENT_WRITABLE)

    cdef size_t memory(self) noexcept:
        return self.out.held + flight_memory(self.flight)

    cdef void rest(self) noexcept:
        queue_rest(&self.out)
        if self.flight != NULL:
            self.flight = flight_rest(self.flight, self.una)

    cdef void clear(self) noexcept:
        queue_clear(&self.out)
        flight_free(self.flight)
        self.flight = NULL
        self.timer_at = self.rto_at = NEVER

    cdef void resize(self, TcpEndpoint connection) noexcept:
        cdef size_t most = min(self.peer_mss, self.path - IP_HEADER - TCP_HEADER)
        if self.mss_limit:
            most = min(most, <size_t>self.mss_limit + (TIMESTAMP_ROOM if connection.stamps else 0))
        self.mss = most - (TIMESTAMP_ROOM if connection.stamps else 0)
        self.congestion.segment_size(self.mss)

    cdef uint64_t empty_position(self, TcpEndpoint connection) noexcept:
        # Within a window that shrank too, or the peer would not look at its ACK. A FIN may stand behind the window: who
        # has got it expects what follows it.
        cdef uint64_t edge = self.una + self.window
        if connection.tcp_state == SYN_RCVD or self.nxt == edge + 1 > self.out.end:
            return self.nxt
        return min(self.nxt, edge)

    cdef void repair(self, uint64_t now) noexcept:
        self.flight.repaired = self.nxt
        self.flight.rack.probe_at = NEVER
        if self.flight.recovery.phase == OPEN:
            recovery_begin(&self.flight.recovery, REPAIR, self.una, self.nxt, now)

    cdef void probe(self, TcpEndpoint connection, uint64_t now) noexcept:
        connection.transmit(self.una - 1, 0, ACK, now)
