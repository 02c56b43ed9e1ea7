"""Half-open connections; see halfopen.pxd."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from ygg_c.base.clock cimport MS, NEVER
from ygg_c.base.live cimport LIVE_LIGHT, died
from ygg_c.ip.memory cimport INBOUND, OBJECTS
from ygg_c.socket.endpoint cimport (
    COUNT_NO_MEMORY, COUNT_TCP_ANSWERS_LIMITED, COUNT_TCP_CHALLENGES, COUNT_TCP_IGNORED, COUNT_TCP_OPENING_TIMEOUTS,
    COUNT_TCP_PAWS, COUNT_TCP_RESETS_IN, COUNT_TCP_RESETS_SENT, COUNT_TCP_RETRANSMITS, COUNT_TCP_TIMEOUTS,
    COUNT_TCP_UNACCEPTABLE,
)
from ygg_c.socket.remotenode cimport RemoteNode
from ygg_c.tcp.bare cimport Bare, flow_label, send_bare, stamp_at
from ygg_c.tcp.base cimport Acceptor
from ygg_c.tcp.ecn cimport ECN_OFF, ecn_asks
from ygg_c.tcp.light cimport HALF_OPEN, LIGHT_COST, line_add, line_remove
from ygg_c.tcp.lightnodes cimport LightNode
from ygg_c.tcp.reset cimport send_reset
from ygg_c.tcp.rtt cimport FIRST_RTO
from ygg_c.tcp.wire cimport ACK, CWR, ECE, RST, SYN, sequence_length

cdef enum:
    OBJECTIONS = 500        # ms from one answer to what does not fit to the next (RFC 5961, 7)


cdef void send_syn_ack(
    Host host, TcpOptions options, const uint8_t *key, const Segment *syn, uint32_t iss, int own_scale, uint16_t window,
    bint sack, uint32_t stamp
) noexcept:
    cdef Bare answer
    answer.seq, answer.ack, answer.flags = iss, syn.seq + 1 + <uint32_t>syn.size, SYN | ACK
    if ecn_asks(syn):
        answer.flags |= ECE
    answer.window = window
    answer.mss = options.mss(host.mtu)
    answer.scale = own_scale
    answer.sack = sack
    answer.stamped = syn.stamped
    answer.ts_value, answer.ts_echo = stamp, syn.ts_value
    send_bare(host, key, flow_label(host.secret_of(key)), &answer)


cdef class HalfOpens(Timed):
    """Half-open connections."""

    def __cinit__(self, LightTable table not None, LightNodes nodes not None, RemoteNodes remote not None):
        self._table, self.nodes, self._remote = table, nodes, remote

    def __dealloc__(self):
        # Of a stack that was not closed: the table and the nodes go with it.
        cdef int tries
        cdef HalfOpen *half
        for tries in range(MAX_TRIES):
            while self._lines[tries].oldest != NULL:
                half = <HalfOpen *>self._lines[tries].oldest
                line_remove(&self._lines[tries], &half.light)
                died(LIVE_LIGHT)
                free(half)

    # What comes and goes.

    cdef HalfOpen *add(
        self, Host host, HalfOpenList *list, bint ours, const uint8_t *key, const Segment *syn, uint32_t iss,
        int scale, bint arrived
    ) noexcept:
        cdef TcpOptions options = (<Acceptor>list.listener).options
        cdef uint16_t offered = options.window(host, self._remote.allowance(key, ours))
        cdef size_t size = self._takes_text(ours, key, min(syn.size, <size_t>offered)) if syn.size else 0
        cdef HalfOpen *half = self._new(host.memory, key, ours, size)
        if half == NULL:
            self._drop_text(key, size)
            host.count[COUNT_NO_MEMORY] += 1
            return NULL
        half.size = <uint16_t>size
        if size:
            memcpy(half + 1, syn.data, size)
        half.irs, half.iss, half.ts_recent = syn.seq, iss, syn.ts_value
        half.mss, half.window, half.scale = syn.mss, syn.window, <signed char>syn.scale
        half.sack, half.stamped = syn.sack_permitted, syn.stamped
        half.ecn = options.ecn_of(host) != ECN_OFF and ecn_asks(syn)
        half.own_scale = -1 if syn.scale < 0 else <signed char>scale
        half.offered = offered
        half.sent_at = 0 if arrived else host.now
        half.list = list
        list.count += 1
        self.count += 1
        self.host = host
        line_add(&self._lines[0], &half.light, host.now + FIRST_RTO)
        if not arrived:
            self._answer(half)
        self._arm()
        return half

    cdef HalfOpen *_new(self, Memory memory, const uint8_t *key, bint ours, size_t size) noexcept:
        cdef HalfOpen *half = NULL
        cdef LightNode *node = NULL
        if memory.has_room(sizeof(HalfOpen) + LIGHT_COST) or ours:
            half = <HalfOpen *>calloc(1, sizeof(HalfOpen) + size)
        if half != NULL:
            node = self.nodes.enter(key, ours)
        if node != NULL:
            memcpy(half.light.key, key, 36)
            half.light.kind = HALF_OPEN
            if self._table.add(&half.light):
                node.fresh += 1
                memory.change(OBJECTS, 0, sizeof(HalfOpen) + LIGHT_COST)
                return half
            self.nodes.leave(key)
        free(half)
        return NULL

    cdef size_t _takes_text(self, bint ours, const uint8_t *key, size_t size) noexcept:
        # What there is no memory for is not acknowledged, and so sent again.
        cdef RemoteNode node
        try:
            node = self._remote.enter(key, ours)
        except MemoryError:
            return 0
        if not node.takes(size, True):
            node.leave()
            return 0
        node.hold(INBOUND, 0, size)
        return size

    cdef void _drop_text(self, const uint8_t *key, size_t size) noexcept:
        cdef RemoteNode node
        if size:
            node = self._remote.find(key)
            node.hold(INBOUND, size, 0)
            node.leave()

    cdef void remove(self, HalfOpen *half) noexcept:
        self._drop_text(half.light.key, half.size)
        self._table.remove(&half.light)
        self.host.memory.change(OBJECTS, sizeof(HalfOpen) + LIGHT_COST, 0)
        line_remove(&self._lines[half.tries], &half.light)
        half.list.count -= 1
        self.count -= 1
        self.nodes.find(half.light.key).fresh -= half.tries == 0
        self.nodes.leave(half.light.key)
        free(half)
        if self.count == 0:
            self._arm()

    cdef void reset(self, HalfOpenList *list) noexcept:
        cdef int tries
        cdef Light *light
        cdef HalfOpen *half
        for tries in range(MAX_TRIES):
            light = self._lines[tries].oldest
            while light != NULL and list.count:
                half = <HalfOpen *>light
                light = light.newer
                if half.list == list:
                    self._reset(half)
                    self.remove(half)

    cdef void _reset(self, HalfOpen *half) noexcept:
        cdef Host host = self.host
        cdef uint64_t secret = host.secret_of(half.light.key)
        cdef Bare answer
        memset(&answer, 0, sizeof(Bare))
        answer.seq, answer.ack, answer.flags = half.iss + 1, half.irs + 1 + half.size, RST | ACK
        answer.stamped = half.stamped
        answer.ts_value, answer.ts_echo = stamp_at(host.now, secret), half.ts_recent
        host.count[COUNT_TCP_RESETS_SENT] += 1
        send_bare(host, half.light.key, flow_label(secret), &answer)

    cdef void clear(self) noexcept:
        cdef int tries
        for tries in range(MAX_TRIES):
            while self._lines[tries].oldest != NULL:
                self.remove(<HalfOpen *>self._lines[tries].oldest)

    # Segments.

    cdef void recall(self, HalfOpen *half, Segment *syn) noexcept:
        memset(syn, 0, sizeof(Segment))
        syn.seq, syn.flags = half.irs, SYN | (ECE | CWR if half.ecn else 0)
        syn.mss, syn.window, syn.scale = half.mss, half.window, half.scale
        syn.sack_permitted, syn.stamped, syn.ts_value = half.sack, half.stamped, half.ts_recent
        syn.data, syn.size = <uint8_t *>(half + 1), half.size

    cdef bint arrive(self, HalfOpen *half, const Segment *segment) noexcept:
        cdef Host host = self.host
        cdef int offset = <int>(segment.seq - (half.irs + 1 + half.size))
        cdef size_t length = sequence_length(segment)
        if segment.flags & (SYN | RST) == SYN:
            if segment.flags & ACK == 0 and segment.seq == half.irs:
                # Where a SYN that asks has no answer, one that does not may follow (RFC 3168, 6.1.1.1).
                half.ecn = half.ecn and ecn_asks(segment)
                self._answer(half)
            else:
                self._object(half)
        elif half.stamped and not segment.stamped and not segment.flags & RST:
            host.count[COUNT_TCP_IGNORED] += 1          # RFC 7323, 3.2
        elif half.stamped and segment.stamped and <int>(segment.ts_value
                                                        - half.ts_recent) < 0 and not segment.flags & RST:
            host.count[COUNT_TCP_PAWS] += 1
            self._object(half)
        elif offset and not -<int>length < offset < <int>(half.offered - half.size):
            host.count[COUNT_TCP_UNACCEPTABLE] += 1
            if not segment.flags & RST:
                self._object(half)
        elif segment.flags & RST:
            if offset:
                self._object(half)
            else:
                host.count[COUNT_TCP_RESETS_IN] += 1
                self.remove(half)
        elif not segment.flags & ACK:
            host.count[COUNT_TCP_IGNORED] += 1
        elif segment.ack != half.iss + 1:
            send_reset(host, half.light.key, segment)
        else:
            return True
        return False

    cdef void _answer(self, HalfOpen *half) noexcept:
        cdef Segment syn
        cdef TcpOptions options
        cdef uint32_t stamp = stamp_at(self.host.now, self.host.secret_of(half.light.key))
        self.recall(half, &syn)
        options = (<Acceptor>half.list.listener).options
        send_syn_ack(self.host, options, half.light.key, &syn, half.iss, half.own_scale, half.offered, half.sack, stamp)

    cdef void _object(self, HalfOpen *half) noexcept:
        # Say where the connection stands, now and then.
        cdef Bare answer
        cdef Host host = self.host
        cdef uint32_t now = <uint32_t>(host.now // MS)
        if half.objected_at and now - half.objected_at < OBJECTIONS:
            host.count[COUNT_TCP_ANSWERS_LIMITED] += 1
            return
        half.objected_at = max(now, <uint32_t>1)
        memset(&answer, 0, sizeof(Bare))
        answer.seq, answer.ack, answer.flags = half.iss + 1, half.irs + 1 + half.size, ACK
        answer.window = half.offered >> max(half.own_scale, <signed char>0)
        answer.stamped = half.stamped
        answer.ts_value, answer.ts_echo = stamp_at(host.now, host.secret_of(half.light.key)), half.ts_recent
        host.count[COUNT_TCP_CHALLENGES] += 1
        send_bare(host, half.light.key, flow_label(host.secret_of(half.light.key)), &answer)

    # Time.

    cdef void fire(self, uint64_t now) noexcept:
        cdef int tries
        cdef Line *line
        for tries in range(MAX_TRIES):
            line = &self._lines[tries]
            while line.oldest != NULL and line.oldest.due <= now:
                self._overdue(<HalfOpen *>line.oldest, now)
        self._arm()

    cdef void _overdue(self, HalfOpen *half, uint64_t now) noexcept:
        cdef Host host = self.host
        host.count[COUNT_TCP_TIMEOUTS] += 1
        if half.tries >= min(host.syn_ack_retries, MAX_TRIES - 1):
            host.count[COUNT_TCP_OPENING_TIMEOUTS] += 1
            self.remove(half)
            return
        line_remove(&self._lines[half.tries], &half.light)
        self.nodes.find(half.light.key).fresh -= half.tries == 0
        half.tries += 1
        line_add(&self._lines[half.tries], &half.light, now + min(FIRST_RTO << half.tries, host.max_rto))
        host.count[COUNT_TCP_RETRANSMITS] += 1
        host.suspect(half.light.key)
        self._answer(half)

    cdef void _arm(self) noexcept:
        cdef int tries
        cdef Host host = self.host
        if host is None:
            return
        self.due = NEVER
        for tries in range(MAX_TRIES):
            if self._lines[tries].oldest != NULL:
                self.due = min(self.due, self._lines[tries].oldest.due)
        if self.count == 0:
            host.timers.forget(self)
            self.host = None
        else:
            host.timers.note(self)
