"""Endpoints and the host they live in: marking, flushing, waking."""

from ygg_c.buffer cimport packet_free
from ygg_c.forks cimport generation

cdef extern from *:
    """
    #define YGG_MS 1000000ULL
    """
    const uint64_t MS "YGG_MS"

READABLE = EVENT_READABLE
WRITABLE = EVENT_WRITABLE
CONNECTED = EVENT_CONNECTED
EOF = EVENT_EOF
FAILED = EVENT_FAILED
CLOSED = EVENT_CLOSED
DRAINED = EVENT_DRAINED


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
        self._dirty = []
        self._blocked = {}
        self._ready = []
        self.timers = TimerHeap()
        self.min_rto = 200 * MS
        self.max_rto = 60000 * MS
        self.delayed_ack = 40 * MS
        self.time_wait = 60000 * MS
        self.fin_wait = 60000 * MS
        self.retries = 15
        self.syn_retries = 6
        self.syn_ack_retries = 5
        self.syn_queue = 1024
        self.syn_cookies = 1
        self.receive_buffer = self.send_buffer = 1 << 20
        self.receive_buffer_max = 32 << 20
        self.send_buffer_max = 8 << 20
        self.max_time_wait = 4096
        self.max_connections = 65536
        self.max_connections_per_node = 1024

    cdef void emit(self, Packet *packet) noexcept:
        packet_free(packet)

    cdef void emit_within(self, Packet *packet, size_t mtu) noexcept:
        packet_free(packet)

    cdef size_t credit(self, const uint8_t *address) noexcept:
        return 0

    cdef size_t credit_for(self, Endpoint endpoint, const uint8_t *address, size_t size) noexcept:
        cdef size_t credit = self.credit(address)
        if credit < size and not endpoint._is_blocked:
            endpoint._is_blocked = True
            self._blocked[endpoint] = None
        return credit

    cdef void suspect(self, const uint8_t *address) noexcept:
        if self.lower is not None:
            self.lower.path_suspect(address)

    cdef void works(self, const uint8_t *address) noexcept:
        if self.lower is not None:
            self.lower.path_works(address)

    cdef size_t path_mtu(self, const uint8_t *address) noexcept:
        return self._mtu

    cdef const uint8_t *default_address(self) noexcept:
        return NULL

    cdef uint64_t secret_of(self, const uint8_t *key) noexcept:
        return 0

    cdef void enter_time_wait(self, Endpoint endpoint) noexcept:
        pass

    cdef void release(self, Endpoint endpoint) noexcept:
        pass

    cdef void want_turn(self) noexcept:
        if self._in_turn or self._turn_wanted:
            return
        if self.lower is not None:
            self._turn_wanted = True
            self.lower.want_turn()
        elif self.on_work is not None:
            self._turn_wanted = True
            _ask(self.on_work)

    cdef void lower_changed(self) noexcept:
        # Who was asked for a turn, or has begun one, may not come to it any more; a new lower side has one anyway.
        self._turn_wanted = self._in_turn = False
        if self.lower is None:
            self.want_turn()

    cdef void mark(self, Endpoint endpoint) noexcept:
        if not endpoint._is_dirty:
            endpoint._is_dirty = True
            self._dirty.append(endpoint)
            self.want_turn()

    cdef void unblock(self) noexcept:
        cdef dict blocked = self._blocked
        cdef Endpoint endpoint
        self._blocked = {}
        for endpoint in blocked:
            endpoint._is_blocked = False
            self.mark(endpoint)

    cdef void announce(self, Endpoint endpoint) noexcept:
        if not endpoint._is_ready:
            endpoint._is_ready = True
            self._ready.append(endpoint)
            self.want_turn()

    cdef void flush_endpoints(self, uint64_t now) noexcept:
        # Who has more to send goes to the end of the line: a round robin in runs of a few segments.
        cdef Py_ssize_t index = 0
        cdef Endpoint endpoint
        while index < len(self._dirty):
            endpoint = <Endpoint>self._dirty[index]
            index += 1
            endpoint._is_dirty = False
            if endpoint.host is not None and endpoint.flush(now) and not endpoint._is_dirty:
                endpoint._is_dirty = True
                self._dirty.append(endpoint)
        self._dirty.clear()

    cdef void wake(self) noexcept:
        cdef list ready = self._ready
        cdef Endpoint endpoint
        if not ready:
            return
        self._ready = []
        for endpoint in ready:
            _tell(endpoint)


cdef class Endpoint(Timed):
    """One socket of the stack."""

    cdef void happen(self, uint32_t events) noexcept:
        self.events |= events
        if self.host is not None:
            self.host.announce(self)

    cdef bint flush(self, uint64_t now) noexcept:
        return False

    cdef void fail(self, int code, bint reset) noexcept:
        self.failure = code
        self.happen(EVENT_FAILED | EVENT_CLOSED)
        self.leave()

    cdef void leave(self) noexcept:
        cdef Host host = self.host
        if host is not None:
            host.timers.forget(self)
            if self._is_blocked:
                self._is_blocked = False
                host._blocked.pop(self, None)
            host.release(self)
            self.host = None

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
