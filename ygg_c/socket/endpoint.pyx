"""Endpoints and the host they live in: marking, flushing, waking."""

import os

from libc.stdint cimport SIZE_MAX, int64_t

from ygg_c.base.clock cimport MS
from ygg_c.base.forks cimport generation
from ygg_c.base.packet cimport packet_free
from ygg_c.base.turn cimport Turn, turn_close, turn_want
from ygg_c.ip.layer cimport BURST_MOST

cdef enum:
    MAX_BUFFERED = 109051904        # bytes: a quarter is what one connection has, and takes at 1 Gbit/s over 200 ms


COUNT_NAMES = (
    "packets_in", "bytes_in", "packets_out", "bytes_out", "no_link", "no_memory", "malformed", "not_ours", "martian",
    "bad_checksum", "bad_option", "fragments", "fragments_dropped", "loop_dropped", "icmp_in", "icmp_limited",
    "icmp_ignored", "udp_in", "udp_no_port", "udp_full", "echo_full", "tcp_in", "tcp_no_port", "tcp_unacceptable",
    "tcp_out_of_order", "tcp_beyond_window", "tcp_retransmits", "tcp_timeouts", "tcp_resets_sent", "tcp_resets_in",
    "tcp_challenges", "tcp_paws", "syn_queue_full", "accept_queue_full", "time_wait_evicted", "closed",
    "unknown_protocol", "fragments_sent", "reassembly_evicted", "reassembly_timeouts", "echo_limited", "tcp_ignored",
    "tcp_no_room", "tcp_resets_limited", "tcp_answers_limited", "tcp_probes", "renewals_refused",
    "tcp_no_buffer", "tcp_node_full", "tcp_stack_full", "tcp_no_transition", "tcp_idle_evicted",
    "tcp_opening_timeouts",
    "tcp_cookies_sent", "tcp_cookies_taken", "tcp_cookies_wrong",
    "tcp_ce_received", "tcp_ece_received", "tcp_ecn_reductions",
    "tcp_reneged", "tcp_memory_evicted", "tcp_orphans_evicted", "tcp_orphan_timeouts", "udp_no_buffer",
)

READABLE = EVENT_READABLE
WRITABLE = EVENT_WRITABLE
CONNECTED = EVENT_CONNECTED
EOF = EVENT_EOF
FAILED = EVENT_FAILED
CLOSED = EVENT_CLOSED
DRAINED = EVENT_DRAINED


cdef object os_error(int code):
    return OSError(code, os.strerror(code))


cdef void _call(object handler, uint32_t events) noexcept:
    # What it raises goes to sys.unraisablehook.
    handler(events)


cdef void _ask(object on_work) noexcept:
    on_work()


cdef void _tell(Endpoint endpoint) noexcept:
    cdef uint32_t events = endpoint.events
    handler = endpoint._on_event
    endpoint._is_ready = False
    if handler is None or events == 0:
        return
    endpoint.events = 0
    if events & EVENT_CLOSED:
        endpoint._on_event = None
    _call(handler, events)
    if events & EVENT_CLOSED:
        endpoint.owner = None


cdef class Host(Upper):
    """What endpoints ask of the stack that holds them."""

    def __cinit__(self):
        self.made_in = generation
        self.turns = Turn()
        self._waiting = []
        self._ready = []
        self.timers = TimerHeap()
        self.memory = Memory(MAX_BUFFERED)
        self.min_rto = 200 * MS
        self.max_rto = 60000 * MS
        self.delayed_ack = 40 * MS
        self.time_wait = 60000 * MS
        self.fin_wait = 60000 * MS
        self.retries = 15
        self.syn_retries = 6
        self.syn_ack_retries = 5
        self.syn_queue = 1024
        self.syn_cookies = self.ecn = 1
        self.receive_buffer = self.send_buffer = 1 << 20
        self.receive_buffer_max = 32 << 20
        self.send_buffer_max = 32 << 20
        self.max_time_wait = 16384
        self.max_orphans = 4096
        self.orphan_time = 600000 * MS
        self.orphan_retries = 8
        self.max_connections = 65536
        self.max_connections_per_node = 1024
        self.keepalive_idle = 7200000 * MS
        self.keepalive_interval = 75000 * MS
        self.keepalive_count = 9

    cdef void emit(self, Packet *packet) noexcept:
        packet_free(packet)

    cdef void emit_within(self, Packet *packet, size_t mtu) noexcept:
        packet_free(packet)

    cdef void find_way(self, const uint8_t *address, size_t wanted, Way *way) noexcept:
        way.credit = way.spare = 0
        way.link = 0
        way.burst = BURST_MOST

    cdef size_t credit_for(self, Endpoint endpoint, const uint8_t *address, size_t size) noexcept:
        cdef Way way
        cdef FlowQueue queue = endpoint.waits_in
        cdef size_t most = SIZE_MAX
        endpoint.wants = True
        if queue is not None:
            most = self._left(endpoint)
            if most == 0:
                return 0                        # its turn comes
        self.find_way(address, size, &way)
        endpoint.burst = way.burst
        if queue is None or queue.link != way.link:
            if not self._is_first(endpoint, &way, size):
                return 0
        elif way.credit < size:
            self._link_full = True
            return 0
        endpoint.wants = False
        return min(way.credit, max(size, most))

    cdef bint has_turn(self, Endpoint endpoint) noexcept:
        return self._served is endpoint and endpoint.waits_in is not None and endpoint.waits_in.has_others(endpoint)

    cdef size_t _left(self, Endpoint endpoint) noexcept:
        # Of what one that waits may send in this turn.
        cdef int64_t left = endpoint.deficit - <int64_t>(self.count[COUNT_BYTES_OUT] - self._served_from)
        return <size_t>left if self._served is endpoint and left > 0 else 0

    cdef bint _is_first(self, Endpoint endpoint, const Way *way, size_t size) noexcept:
        # Whether one that has not waited for this link may send at once; otherwise it waits.
        cdef FlowQueue queue = self._queue_of(way.link)
        if endpoint.waits_in is not None:
            endpoint.waits_in.remove(endpoint)              # the way has changed
        if queue is None:
            if way.credit >= size:
                return True
            queue = FlowQueue.__new__(FlowQueue, way.link, way.burst)
            self._waiting.append(queue)
        queue.add(endpoint)
        return False

    cdef size_t burst_to(self, const uint8_t *address) noexcept:
        cdef Way way
        self.find_way(address, 0, &way)
        return way.burst

    cdef bint has_spare(self, const uint8_t *address, size_t size) noexcept:
        cdef Way way
        self.find_way(address, 0, &way)
        return way.spare >= size

    cdef FlowQueue _queue_of(self, uint64_t link):
        cdef FlowQueue queue
        for queue in self._waiting:
            if queue.link == link:
                return queue
        return None

    cdef void suspect(self, const uint8_t *address) noexcept:
        self._suspected_at = self.now
        if self.lower is not None:
            self.lower.path_suspect(address)

    cdef void works(self, const uint8_t *address) noexcept:
        if self.lower is not None:
            self.lower.path_works(address)

    cdef size_t path_mtu(self, const uint8_t *address) noexcept:
        return self.mtu

    cdef void narrow_path(self, const uint8_t *address, size_t mtu) noexcept:
        pass

    cdef void widen_path(self, const uint8_t *address, size_t mtu) noexcept:
        pass

    cdef const uint8_t *default_address(self) noexcept:
        return NULL

    cdef void keep_strangers(self, uint64_t *idle, uint64_t *interval, int *count) noexcept:
        idle[0], interval[0], count[0] = self.keepalive_idle, self.keepalive_interval, self.keepalive_count

    cdef uint64_t secret_of(self, const uint8_t *key) noexcept:
        return 0

    cdef uint64_t origin(self, const uint8_t *address) noexcept:
        return 0

    cdef void relieve(self, RemoteNode asking, size_t size, bint in_order) noexcept:
        pass

    cdef void limit_orphans(self, RemoteNode last) noexcept:
        pass

    cdef bint enter_time_wait(
        self, Endpoint endpoint, uint32_t seq, uint32_t ack, uint16_t window, uint32_t stamp, uint64_t stamped_at
    ) noexcept:
        return False

    cdef void want_turn(self) noexcept:
        if not turn_want(self.turns, self.lower is not None or self.on_work is not None):
            return
        if self.lower is not None:
            self.lower.want_turn()
        else:
            _ask(self.on_work)

    cdef void lower_changed(self) noexcept:
        # Who was asked for a turn, or has begun one, may not come to it any more; a new lower side has one anyway.
        turn_close(self.turns)
        self.stop_waiting()
        if self.lower is None:
            self.want_turn()

    cdef void mark(self, Endpoint endpoint) noexcept:
        if not endpoint._is_dirty:
            endpoint._is_dirty = True
            self.turns.dirty.append(endpoint)
            self.want_turn()

    # The queue is there as long as the link has refused a flow since it last drained; so it is bound to call again.
    cdef void serve(self, uint64_t link, uint64_t now) noexcept:
        cdef FlowQueue queue = self._queue_of(link)
        cdef Endpoint endpoint
        self._link_full = queue is None
        while not self._link_full:
            endpoint = <Endpoint>queue.next()
            if endpoint is None:
                self._waiting.remove(queue)
                return
            self._serve(queue, endpoint, now)

    cdef void _serve(self, FlowQueue queue, Endpoint endpoint, uint64_t now) noexcept:
        self._served, self._served_from = endpoint, self.count[COUNT_BYTES_OUT]
        endpoint.wants = False
        if endpoint.flush(now):
            endpoint.wants = True
        self._served = None
        if endpoint.waits_in is not queue:
            return
        queue.quantum = endpoint.burst
        endpoint.deficit -= self.count[COUNT_BYTES_OUT] - self._served_from
        if not endpoint.wants:
            queue.satisfied(endpoint)

    cdef void stop_waiting(self) noexcept:
        cdef FlowQueue queue
        cdef Endpoint endpoint
        for queue in self._waiting:
            endpoint = <Endpoint>queue.next()
            while endpoint is not None:
                queue.remove(endpoint)
                self.mark(endpoint)
                endpoint = <Endpoint>queue.next()
        self._waiting.clear()

    cdef void announce(self, Endpoint endpoint) noexcept:
        if not endpoint._is_ready:
            endpoint._is_ready = True
            self._ready.append(endpoint)
            self.want_turn()

    cdef void flush_endpoints(self, uint64_t now) noexcept:
        # Who has more to send goes to the end of the line: a round robin in runs of a few segments.
        cdef list dirty = self.turns.dirty
        cdef Py_ssize_t index = 0
        cdef Endpoint endpoint
        while index < len(dirty):
            endpoint = <Endpoint>dirty[index]
            index += 1
            endpoint._is_dirty = False
            if endpoint.host is not None and endpoint.flush(now) and not endpoint._is_dirty:
                endpoint._is_dirty = True
                dirty.append(endpoint)
        dirty.clear()

    cdef void wake(self) noexcept:
        cdef list ready = self._ready
        cdef Endpoint endpoint
        if not ready:
            return
        self._ready = []
        for endpoint in ready:
            _tell(endpoint)


cdef class Endpoint(Flow):
    """One socket of the stack."""

    def __cinit__(self):
        self.burst = BURST_MOST

    cdef void happen(self, uint32_t events) noexcept:
        self.events |= events
        if self.host is not None:
            self.host.announce(self)

    cdef void fail(self, int code, bint reset) noexcept:
        self.failure = code
        self.happen(EVENT_FAILED | EVENT_CLOSED)
        self.leave()

    cdef void leave(self) noexcept:
        cdef Host host = self.host
        if host is not None:
            host.timers.forget(self)
            if self.waits_in is not None:
                self.waits_in.remove(self)
            self.unbind()
            self.host = None

    cdef void unbind(self) noexcept:
        pass

    @property
    def on_event(self):
        return self._on_event

    @on_event.setter
    def on_event(self, handler):
        self._on_event = handler
        if handler is not None and self.events and self.host is not None:
            self.host.announce(self)

    @property
    def error(self):
        return self.failure

    @property
    def closed(self):
        return self.host is None

    @property
    def clock(self):
        return None if self.host is None else self.host.clock
