"""TCP's part of the way of a packet; see stack/demux.pxd."""

from cpython.ref cimport PyObject
from libc.errno cimport ECONNABORTED
from libc.stdint cimport uint16_t
from libc.string cimport memcpy, memset

from ygg_c.base.checksum cimport sum_bytes, sum_fold, sum_pseudo
from ygg_c.base.clock cimport SECOND
from ygg_c.base.lru cimport Aging
from ygg_c.base.siphash cimport ygg_siphash
from ygg_c.base.sodium cimport wipe
from ygg_c.ip.header cimport NEXT_TCP, SOURCE, get16, get_ecn
from ygg_c.ip.icmp cimport icmp_errno
from ygg_c.ip.memory cimport OBJECTS
from ygg_c.socket.endpoint cimport (
    COUNT_ACCEPT_QUEUE_FULL, COUNT_BAD_CHECKSUM, COUNT_MALFORMED, COUNT_NO_MEMORY, COUNT_SYN_QUEUE_FULL,
    COUNT_TCP_COOKIES_SENT, COUNT_TCP_COOKIES_TAKEN, COUNT_TCP_COOKIES_WRONG, COUNT_TCP_IDLE_EVICTED,
    COUNT_TCP_IGNORED, COUNT_TCP_IN, COUNT_TCP_NODE_FULL, COUNT_TCP_NO_BUFFER, COUNT_TCP_NO_PORT,
    COUNT_TCP_RESETS_LIMITED, COUNT_TCP_STACK_FULL, Endpoint,
)
from ygg_c.socket.remotenode cimport CONNECTION_COST, OPENED
from ygg_c.tcp.arrival cimport segment_in
from ygg_c.tcp.bare cimport stamp_at
from ygg_c.tcp.congestion.registry cimport make_congestion
from ygg_c.tcp.cookies cimport COOKIE_LIFE, cookie_stamp, make_cookie, read_cookie
from ygg_c.tcp.ecn cimport ECN_OFF
from ygg_c.tcp.halfopen cimport send_syn_ack
from ygg_c.tcp.light cimport HALF_OPEN, Light
from ygg_c.tcp.lightnodes cimport LightNode
from ygg_c.tcp.pressure cimport IDLE, pressure_admit, pressure_orphans, pressure_relieve, pressure_rest, pressure_victim
from ygg_c.tcp.reset cimport send_reset
from ygg_c.tcp.wire cimport ACK, RST, SYN, parse_segment, sequence_length

from ygg_c.tcp.congestion.registry import DEFAULT as _DEFAULT, check_name

cdef enum:
    RESET_RATE = 5000           # resets a second to segments that belong to nothing, and as many at once
    NODE_PART = 4               # one node may open this part of all connections
    OWN_PART = 8                # and this part is kept for those that the program opens
    COOKIES_ALWAYS = 2
    BEYOND = 65537
    COUNT_CROWDED = 3

cdef uint64_t IDLE_BUSY = 600 * SECOND          # before it is probed, with half of the places taken
cdef uint64_t IDLE_CROWDED = 60 * SECOND        # with three quarters
cdef uint64_t INTERVAL_CROWDED = 10 * SECOND


cdef class TcpDemux(Host):
    """TCP's part of the way of a packet."""

    def __cinit__(self):
        self._resets = Budget(RESET_RATE, RESET_RATE)
        self._congestion = _DEFAULT
        self.options = TcpOptions()

    def __dealloc__(self):
        wipe(self._secret, sizeof(self._secret))
        wipe(self._cookie_secret, sizeof(self._cookie_secret))

    @property
    def congestion(self):
        """Name of the congestion control of new connections."""
        return self._congestion

    @congestion.setter
    def congestion(self, str name not None):
        self._congestion = check_name(name)

    @property
    def half_open(self):
        """Connections that wait for the last ACK of their handshake."""
        return self._half_open.count

    @property
    def time_waiting(self):
        """Connections in TIME-WAIT."""
        return self._time_waits.count

    cdef bint ours(self, const uint8_t *address) noexcept:
        return False

    cdef uint64_t secret_of(self, const uint8_t *key) noexcept:
        return ygg_siphash(key, 36, self._secret + 2)

    # Segments in.

    cdef void _tcp_in(self, uint8_t *data, size_t offset, size_t size) noexcept:
        cdef uint8_t *tcp = data + offset
        cdef Segment segment
        cdef uint8_t key[36]
        cdef PyObject *found
        cdef Light *light
        size -= offset
        self.count[COUNT_TCP_IN] += 1
        if not parse_segment(tcp, size, &segment) or get16(tcp) == 0 or get16(tcp + 2) == 0:
            self.count[COUNT_MALFORMED] += 1
            return
        if sum_fold(sum_bytes(tcp, size, sum_pseudo(data + SOURCE, <uint32_t>size, NEXT_TCP))) != 0xffff:
            self.count[COUNT_BAD_CHECKSUM] += 1
            return
        segment.ecn = get_ecn(data)
        memcpy(key, data + SOURCE, 32)
        memcpy(key + 32, tcp, 4)
        found = self.by_ends.get(key)
        if found != NULL:
            segment_in(<Tcb>found, &segment, self.now)
            return
        light = self._light.find(key)
        if light == NULL:
            self._knock(key, &segment)
        elif light.kind == HALF_OPEN:
            self._half_open_in(<HalfOpen *>light, &segment)
        else:
            self._time_wait_in(<TimeWait *>light, &segment)

    cdef void _refuse(self, const uint8_t *key, const Segment *segment) noexcept:
        if segment.flags & RST:
            return
        if self._resets.take(self.origin(key), NULL, False, 1.0, self.now):
            send_reset(self, key, segment)
        else:
            self.count[COUNT_TCP_RESETS_LIMITED] += 1

    cdef TcpListener _listener(self, const uint8_t *key):
        # Who listens for a connection of this key: on its address, or on every address.
        cdef uint8_t bound[18]
        cdef PyObject *found
        memcpy(bound, key + 16, 16)
        memcpy(bound + 16, key + 34, 2)
        found = self._listeners.get(bound)
        if found == NULL:
            memset(bound, 0, 16)
            found = self._listeners.get(bound)
        if found == NULL or not (<TcpListener>found).listening:
            return None
        return <TcpListener>found

    cdef void _knock(self, const uint8_t *key, const Segment *segment) noexcept:
        cdef TcpListener listener = self._listener(key)
        if listener is None:
            self.count[COUNT_TCP_NO_PORT] += 1
            self._refuse(key, segment)
        elif segment.flags & ACK:
            if segment.flags & (SYN | RST) or not self._cookie_in(listener, key, segment):
                self.count[COUNT_TCP_IGNORED] += 1
                self._refuse(key, segment)
        elif segment.flags & (RST | SYN) == SYN:
            self._syn_in(listener, key, segment, self._first_number(key))
        else:
            self.count[COUNT_TCP_IGNORED] += 1

    # A stranger's SYN, and the ACK that answers ours.

    cdef void _time_wait_in(self, TimeWait *wait, const Segment *segment) noexcept:
        # A connection that follows another at once starts beyond all that the old one can have sent (RFC 9293, 3.6.1).
        cdef uint32_t iss = self._first_number(wait.light.key)
        cdef uint32_t least = wait.seq + BEYOND
        cdef uint8_t key[36]
        cdef TcpListener listener
        if not self._time_waits.arrive(wait, segment):
            return
        memcpy(key, wait.light.key, 36)
        listener = self._listener(key)
        if listener is None:
            self._knock(key, segment)
            return
        self._time_waits.remove(wait)
        self._syn_in(listener, key, segment, least if <int>(least - iss) > 0 else iss)

    cdef void _syn_in(self, TcpListener listener, const uint8_t *key, const Segment *syn, uint32_t iss) noexcept:
        if listener.full():
            self.count[COUNT_ACCEPT_QUEUE_FULL] += 1
        elif not self._has_place(key, True):
            return
        elif self.syn_cookies < COOKIES_ALWAYS and self._queue(listener, key, syn, iss, False):
            return
        else:
            self.count[COUNT_SYN_QUEUE_FULL] += 1
            if self.syn_cookies:
                self._send_cookie(listener, key, syn)

    cdef bint _queue(
        self, TcpListener listener, const uint8_t *key, const Segment *syn, uint32_t iss, bint arrived
    ) noexcept:
        # Remember a half-open connection, if there is room: a node may have as many as are free.
        cdef size_t most = max(self.syn_queue, listener.backlog)
        cdef size_t free = most - min(most, listener.half_open.count)
        cdef LightNode *node = self._half_open.nodes.find(key)
        cdef bint ours = self.ours(key)
        cdef int scale = listener.cookie_scale if arrived else listener.options.scale(self)
        if free == 0 or (node != NULL and node.count >= free and not ours):
            return False
        return self._half_open.add(self, &listener.half_open, ours, key, syn, iss, scale, arrived) != NULL

    cdef void _send_cookie(self, TcpListener listener, const uint8_t *key, const Segment *syn) noexcept:
        # Only the timestamp has room for what the options say, and nothing for text.
        cdef bint stamped = syn.stamped
        cdef Segment bare = syn[0]
        cdef uint32_t iss = make_cookie(self._cookie_secret, key, syn, self.now)
        cdef TcpOptions options = listener.options
        cdef int scale
        cdef uint32_t stamp
        if self.now >= listener.cookie_until:
            listener.cookie_scale = options.scale(self)
        scale = listener.cookie_scale if stamped and syn.scale >= 0 else -1
        bare.size = 0
        if options.ecn_of(self) == ECN_OFF or not stamped:
            bare.flags = SYN
        stamp = cookie_stamp(stamp_at(self.now, self.secret_of(key)), &bare)
        listener.cookie_until = self.now + COOKIE_LIFE
        self.count[COUNT_TCP_COOKIES_SENT] += 1
        send_syn_ack(
            self, options, key, &bare, iss, scale, options.window(self, <size_t>-1),
            stamped and syn.sack_permitted, stamp
        )

    cdef bint _cookie_in(self, TcpListener listener, const uint8_t *key, const Segment *segment) noexcept:
        # Whether no reset is to answer this ACK.
        cdef Segment syn
        cdef Tcb connection
        cdef uint32_t iss = segment.ack - 1
        cdef int scale
        if self.now >= listener.cookie_until:
            return False
        if not read_cookie(self._cookie_secret, key, segment, self.now, &syn):
            # Where the segment with the cookie was lost, what follows it must not end the connection: it is sent again.
            self.count[COUNT_TCP_COOKIES_WRONG] += 1
            return sequence_length(segment) > 0
        self.count[COUNT_TCP_COOKIES_TAKEN] += 1
        connection = self._admit(listener, key, &syn, iss)
        if connection is None:
            # It exists, as far as the peer knows. Remembered, it can have a place later.
            self._queue(listener, key, &syn, iss, True)
            return True
        scale = -1 if syn.scale < 0 else listener.cookie_scale
        connection.answered(&syn, listener.options.window(self, <size_t>-1), scale, 0, 0)
        segment_in(connection, segment, self.now)
        return True

    cdef void _half_open_in(self, HalfOpen *half, const Segment *segment) noexcept:
        cdef Tcb connection
        cdef Segment syn
        if not self._half_open.arrive(half, segment):
            return
        self._half_open.recall(half, &syn)
        connection = self._admit(<TcpListener>half.list.listener, half.light.key, &syn, half.iss)
        if connection is not None:
            connection.answered(&syn, half.offered, half.own_scale, half.sent_at, half.tries)
            self._half_open.remove(half)
            segment_in(connection, segment, self.now)

    cdef bint half_open_error(self, const uint8_t *key, const Segment *quoted, uint8_t kind, uint8_t code) noexcept:
        cdef Light *light = self._light.find(key)
        cdef bint hard
        if light == NULL or light.kind != HALF_OPEN or quoted.seq != (<HalfOpen *>light).iss:
            return False
        icmp_errno(kind, code, &hard)
        if hard:
            self._half_open.remove(<HalfOpen *>light)
        return True

    cdef Tcb _admit(self, TcpListener listener, const uint8_t *key, const Segment *syn, uint32_t iss):
        # A connection whose handshake its next segment completes, or None: no room.
        cdef Tcb connection
        if listener.full():
            self.count[COUNT_ACCEPT_QUEUE_FULL] += 1
            return None
        if not self._has_place(key, False):
            return None
        try:
            connection = self._new_connection(key, iss, listener.options)
        except MemoryError:
            self.count[COUNT_NO_MEMORY] += 1
            return None
        connection.parent = listener
        connection.take_place()
        return connection

    cdef bint _has_place(self, const uint8_t *key, bint asking) noexcept:
        # Whether a node may open one more connection. If not, its SYN is dropped as where a queue is full: it asks
        # again, and finds a place when one has become free, where a reset would tell its program that nothing listens.
        # When it asks, those that will soon be open count too; not those that may never be, or a flood would keep its
        # node's others out.
        cdef size_t places = min(self.max_connections_per_node, max(self.max_connections // NODE_PART, <size_t>1))
        cdef RemoteNode node = self._nodes.find(key)
        cdef LightNode *light = self._half_open.nodes.find(key) if asking else NULL
        cdef size_t has = (0 if node is None else node.incoming) + (0 if light == NULL else light.fresh)
        if has >= places and not self.ours(key):
            self.count[COUNT_TCP_NODE_FULL] += 1
            return False
        if not self._nodes.takes_connection(node) and not self._has_memory(key, node, asking):
            self.count[COUNT_TCP_NO_BUFFER] += 1
            return False
        if len(self.by_ends) < self._strangers_places():
            return True
        if self._victim(node) is not None if asking else self._make_room(node):
            return True
        self.count[COUNT_TCP_STACK_FULL] += 1
        return False

    cdef bint _has_memory(self, const uint8_t *key, RemoteNode node, bint asking) noexcept:
        # Whether there can be memory for one more connection, where there is none to be had without another's end.
        if asking or self.ours(key):
            return self.ours(key) or pressure_victim(self._nodes, node, CONNECTION_COST, self.now) is not None
        pressure_admit(self, self._nodes, node, CONNECTION_COST)
        return self._nodes.takes_connection(node)

    cdef size_t _strangers_places(self) noexcept:
        return self.max_connections - self.max_connections // OWN_PART

    cdef Tcb _victim(self, RemoteNode asking):
        # The oldest idle connection of the node that has the most, if that is more than the asking one would have.
        cdef RemoteNode greediest = self._nodes.greediest(OPENED, self.now)
        cdef Aging *oldest
        if greediest is None or (0 if asking is None else asking.incoming) + 1 >= greediest.incoming:
            return None
        oldest = greediest.opened.oldest
        if oldest == NULL or self.now - oldest.used < IDLE:
            return None
        return <Tcb>oldest.owner

    cdef bint _make_room(self, RemoteNode asking) noexcept:
        cdef Tcb connection = self._victim(asking)
        if connection is None:
            return False
        self.count[COUNT_TCP_IDLE_EVICTED] += 1
        connection.fail(ECONNABORTED, True)
        return True

    cdef void keep_strangers(self, uint64_t *idle, uint64_t *interval, int *count) noexcept:
        cdef size_t used = len(self.by_ends)
        cdef size_t places = self._strangers_places()
        Host.keep_strangers(self, idle, interval, count)
        if 2 * used < places:
            return
        idle[0] = min(idle[0], IDLE_CROWDED if 4 * used >= 3 * places else IDLE_BUSY)
        interval[0], count[0] = min(interval[0], INTERVAL_CROWDED), min(count[0], COUNT_CROWDED)

    # Connections.

    cdef uint32_t _first_number(self, const uint8_t *key) noexcept:
        # RFC 6528: a clock of 4 µs ticks over a keyed hash of the two ends.
        return <uint32_t>(ygg_siphash(key, 36, self._secret) + self.now // 4000)

    cdef TcpConnection _new_connection(self, const uint8_t *key, uint32_t iss, TcpOptions options):
        cdef TcpConnection connection = TcpConnection()
        connection.sender.congestion = make_congestion(options.algorithm or self._congestion)
        connection.node = self._nodes.enter(key, self.ours(key))
        connection.node.hold(OBJECTS, 0, CONNECTION_COST)
        connection.bound_in = self.by_ends
        connection.start(self, key, iss, self.secret_of(key), options, self.now)
        try:
            self.by_ends.put(key, connection)
        except MemoryError:
            connection.node.hold(OBJECTS, CONNECTION_COST, 0)
            connection.node.leave()
            raise
        return connection

    cdef bint enter_time_wait(
        self, Endpoint endpoint, uint32_t seq, uint32_t ack, uint16_t window, uint32_t stamp, uint64_t stamped_at
    ) noexcept:
        return self._time_waits.add(self, <Tcb>endpoint, seq, ack, window, stamp, stamped_at)

    cdef void relieve(self, RemoteNode asking, size_t size, bint in_order) noexcept:
        pressure_rest(self.memory, self.by_ends)
        pressure_relieve(self, self._nodes, asking, size, in_order)

    cdef void limit_orphans(self, RemoteNode last) noexcept:
        pressure_orphans(self, self._nodes, last)

    cdef void _clear_light(self) noexcept:
        self._half_open.clear()
        self._time_waits.clear()
