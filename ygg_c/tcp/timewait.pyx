"""TIME-WAIT; see timewait.pxd."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from ygg_c.base.clock cimport MS
from ygg_c.base.live cimport LIVE_LIGHT, died
from ygg_c.ip.memory cimport OBJECTS
from ygg_c.socket.endpoint cimport (
    COUNT_NO_MEMORY, COUNT_TCP_ANSWERS_LIMITED, COUNT_TCP_IGNORED, COUNT_TCP_PAWS, COUNT_TCP_UNACCEPTABLE,
    COUNT_TIME_WAIT_EVICTED,
)
from ygg_c.tcp.bare cimport Bare, flow_label, send_bare, stamp_at
from ygg_c.tcp.light cimport LIGHT_COST, TIME_WAITING, line_add, line_remove
from ygg_c.tcp.receiver cimport stamp_is_old
from ygg_c.tcp.state cimport CLOSED
from ygg_c.tcp.wire cimport ACK, FIN, RST, SYN, sequence_length

# From one answer to an empty segment to the next: two ends that disagree must not do this for ever.
cdef uint64_t OBJECTIONS = 100 * MS


cdef class TimeWaits(Timed):
    """Places in TIME-WAIT, oldest first."""

    def __cinit__(self, LightTable table not None, LightNodes nodes not None):
        self._table, self.nodes = table, nodes

    def __dealloc__(self):
        # Of a stack that was not closed: the table goes with it.
        cdef TimeWait *wait
        while self._line.oldest != NULL:
            wait = <TimeWait *>self._line.oldest
            line_remove(&self._line, &wait.light)
            _leave(wait)
            died(LIVE_LIGHT)
            free(wait)

    cdef bint add(
        self, Host host, TcpEndpoint connection, uint32_t seq, uint32_t ack, uint16_t window, uint32_t stamp,
        uint64_t stamped_at
    ) noexcept:
        cdef TimeWait *wait = <TimeWait *>calloc(1, sizeof(TimeWait))
        cdef LightNode *node = NULL if wait == NULL else self.nodes.enter(connection.key, connection.node.ours)
        if wait != NULL:
            memcpy(wait.light.key, connection.key, 36)
            wait.light.kind = TIME_WAITING
        if node != NULL and not self._table.add(&wait.light):
            self.nodes.leave(connection.key)
            node = NULL
        if node == NULL:
            free(wait)
            host.count[COUNT_NO_MEMORY] += 1
            return False
        wait.owner, wait.connection = <void *>self, <void *>connection
        wait.seq, wait.ack, wait.window = seq, ack, window
        wait.stamped, wait.ts_recent, wait.stamped_at = connection.stamps, stamp, stamped_at
        connection.remains = wait
        self.host = host
        host.memory.change(OBJECTS, 0, sizeof(TimeWait) + LIGHT_COST)
        self._wait(wait, node)
        self.count += 1
        if self.count > host.max_time_wait:
            self._evict(connection.key)
        self._arm()
        return True

    cdef void _wait(self, TimeWait *wait, LightNode *node) noexcept:
        cdef TimeWait *newest = <TimeWait *>node.newest
        line_add(&self._line, &wait.light, self.host.now + self.host.time_wait)
        if newest == NULL:
            wait.before = wait.after = wait
        else:
            wait.before, wait.after = newest, newest.after
            wait.before.after = wait.after.before = wait
        node.newest = wait

    cdef void _leave_line(self, TimeWait *wait, LightNode *node) noexcept:
        line_remove(&self._line, &wait.light)
        wait.before.after, wait.after.before = wait.after, wait.before
        if node.newest == <void *>wait:
            node.newest = NULL if wait.before == wait else wait.before

    cdef void _evict(self, const uint8_t *last) noexcept:
        # As `last` is the node of the newest, it gives way where none has more.
        cdef LightNode *node = self.nodes.greediest(self.host.now)
        cdef LightNode *newest = self.nodes.find(last)
        if node == NULL or node.count <= newest.count:
            node = newest
        self.host.count[COUNT_TIME_WAIT_EVICTED] += 1
        self.remove((<TimeWait *>node.newest).after)

    cdef void remove(self, TimeWait *wait) noexcept:
        self._table.remove(&wait.light)
        self.host.memory.change(OBJECTS, sizeof(TimeWait) + LIGHT_COST, 0)
        self._leave_line(wait, self.nodes.find(wait.light.key))
        self.nodes.leave(wait.light.key)
        _leave(wait)
        free(wait)
        self.count -= 1
        if self.count == 0:
            self._arm()

    cdef void clear(self) noexcept:
        while self._line.oldest != NULL:
            self.remove(<TimeWait *>self._line.oldest)

    # Segments.

    cdef bint arrive(self, TimeWait *wait, const Segment *segment) noexcept:
        cdef Host host = self.host
        cdef int offset = <int>(segment.seq - wait.ack)
        cdef size_t length = sequence_length(segment)
        cdef bint old = wait.stamped and segment.stamped and (
            stamp_is_old(segment.ts_value, wait.ts_recent, host.now - wait.stamped_at)
        )
        if self._newer(wait, segment, old):
            return True
        if segment.flags & RST:
            host.count[COUNT_TCP_IGNORED] += 1          # RFC 1337
            return False
        if old:
            host.count[COUNT_TCP_PAWS] += 1
        elif segment.flags & FIN and segment.seq + <uint32_t>length == wait.ack:
            # The peer missed our ACK.
            self._leave_line(wait, self.nodes.find(wait.light.key))
            self._wait(wait, self.nodes.find(wait.light.key))
        if length and not segment.flags & SYN:
            host.count[COUNT_TCP_UNACCEPTABLE] += 1
            self._answer(wait)
        elif old or offset or length:
            self._object(wait)
        elif segment.stamped:
            wait.ts_recent, wait.stamped_at = segment.ts_value, host.now
        return False

    cdef bint _newer(self, TimeWait *wait, const Segment *segment, bint old) noexcept:
        # RFC 9293, 3.6.1 and RFC 6191: by timestamp or, where there is none or it stands still, by sequence number.
        if segment.flags & (SYN | ACK | RST) != SYN or old:
            return False
        if wait.stamped and segment.stamped and segment.ts_value != wait.ts_recent:
            return True
        return <int>(segment.seq - wait.ack) > 0

    cdef void _answer(self, TimeWait *wait) noexcept:
        cdef Host host = self.host
        cdef uint64_t secret = host.secret_of(wait.light.key)
        cdef Bare answer
        memset(&answer, 0, sizeof(Bare))
        answer.seq, answer.ack, answer.flags, answer.window = wait.seq, wait.ack, ACK, wait.window
        answer.stamped = wait.stamped
        answer.ts_value, answer.ts_echo = stamp_at(host.now, secret), wait.ts_recent
        send_bare(host, wait.light.key, flow_label(secret), &answer)

    cdef void _object(self, TimeWait *wait) noexcept:
        if wait.objected_at and self.host.now - wait.objected_at < OBJECTIONS:
            self.host.count[COUNT_TCP_ANSWERS_LIMITED] += 1
            return
        wait.objected_at = self.host.now
        self._answer(wait)

    # Time.

    cdef void fire(self, uint64_t now) noexcept:
        while self._line.oldest != NULL and self._line.oldest.due <= now:
            self.remove(<TimeWait *>self._line.oldest)
        self._arm()

    cdef void _arm(self) noexcept:
        cdef Host host = self.host
        if host is None:
            return
        if self.count == 0:
            host.timers.forget(self)
            self.host = None
        else:
            self.due = self._line.oldest.due
            host.timers.note(self)


cdef void _leave(TimeWait *wait) noexcept:
    cdef TcpEndpoint connection
    if wait.connection != NULL:
        connection = <TcpEndpoint>wait.connection
        connection.remains = NULL
        connection.tcp_state = CLOSED


cdef void end_time_wait(void *remains) noexcept:
    (<TimeWaits>(<TimeWait *>remains).owner).remove(<TimeWait *>remains)


cdef void forget_connection(void *remains) noexcept:
    (<TimeWait *>remains).connection = NULL
