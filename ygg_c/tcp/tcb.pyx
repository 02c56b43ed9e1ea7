"""The transmission control block of a connection; see tcb.pxd."""

from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport ECONNABORTED, ETIMEDOUT
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from ygg_c.base.checksum cimport sum_fold, sum_pseudo
from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.base.live cimport LIVE_TCP, born, died
from ygg_c.base.lru cimport aging_add, aging_remove, aging_touch
from ygg_c.base.packet cimport Packet
from ygg_c.ip.header cimport NEXT_TCP
from ygg_c.ip.memory cimport INBOUND, OBJECTS, OUTBOUND
from ygg_c.socket.endpoint cimport (
    COUNT_TCP_NO_TRANSITION, COUNT_TCP_ORPHAN_TIMEOUTS, COUNT_TCP_RENEGED, COUNT_TCP_RESETS_SENT, EVENT_CLOSED,
    EVENT_EOF, EVENT_FAILED,
)
from ygg_c.socket.remotenode cimport CONNECTION_COST, RemoteNode
from ygg_c.tcp.ecn cimport ecn_asks
from ygg_c.tcp.keepalive cimport ASK_AGAIN, GIVE_UP, REST, Look, keepalive_heard, keepalive_look
from ygg_c.tcp.outgoing cimport make_segment, sack_room
from ygg_c.tcp.output cimport output_flush
from ygg_c.tcp.rtt cimport rtt_timeout
from ygg_c.tcp.state cimport (
    ABORT, CALL_CLOSE, CALL_LISTEN, CALL_OPEN, CLOSED, ESTABLISHED, FIN_WAIT_2, GOT_FIN, GOT_SYN, SYN_SENT, TIMED_OUT,
    TIME_WAIT, State, next_state,
)
from ygg_c.tcp.timeouts cimport timeouts_fire, timeouts_hasten, timeouts_path_found
from ygg_c.tcp.timewait cimport forget_connection
from ygg_c.tcp.wire cimport ACK, FIN, FIRST_POSITION, RST

cdef enum:
    ORPHAN_RATE = 4096              # bytes a second that a peer takes at least; with less, an orphan comes to its end
    CHECKS = 2                      # more probes when a peer that may have restarted does not answer the first

cdef uint64_t LEAST_CHECK = SECOND              # between these at least
cdef uint64_t LOOK = 300 * SECOND               # until a stranger's connection sees whether places have become scarce
cdef uint64_t REST_AFTER = SECOND               # without a segment, until a connection gives memory back
cdef uint64_t ORPHAN_START = 10 * SECOND        # in which the peer of an orphan need not take anything


cdef class Tcb(TcpEndpoint):
    """A connection but for what the application calls."""

    def __cinit__(self):
        self.sender = Sender()
        self.receiver = Receiver()
        self.life_at = self.linger_time = NEVER
        born(LIVE_TCP)

    def __dealloc__(self):
        if self.remains != NULL:
            forget_connection(self.remains)
        if self._unread_of != NULL:
            self._release_unread()
        died(LIVE_TCP)

    # Opening.

    cdef void start(self, Host host, const uint8_t *key, uint32_t iss, uint64_t secret, TcpOptions options,
                    uint64_t now):
        self.host = host
        memcpy(self.key, key, 36)
        self.flow = <uint32_t>secret
        # The ports are summed with the segment; its length is added there.
        self.pseudo = sum_fold(sum_pseudo(key, 0, NEXT_TCP))
        self.stamp_offset = <uint32_t>(secret >> 32)
        self.stamps = self.sack = True
        self.sender.open(iss, host.path_mtu(key), self, now)
        self.receiver.open(host, options)
        self.keep.heard_at = now
        self._adopt(options)

    cdef void _adopt(self, TcpOptions options) noexcept:
        cdef Sender sender = self.sender
        sender.no_delay, sender.is_corked = options.nodelay, options.corked
        sender.user_limit, sender.unsent_limit = options.user_timeout, options.unsent_most
        sender.mss_limit = options.segment_most
        sender.ecn.use = <uint8_t>options.ecn_of(self.host)
        sender.fixed = options.send_most > 0
        if sender.fixed:
            sender.cap = options.send_most
        self.keep.on = options.keeps
        self.keep.idle, self.keep.interval, self.keep.count = options.idle, options.interval, options.count
        self.linger_time = options.linger_time

    cdef void open(self) noexcept:
        self.step(CALL_OPEN)
        self.sender.syn_due = True
        self.host.mark(self)

    cdef void answered(self, const Segment *syn, uint16_t offered, int scale, uint64_t sent_at, int again) noexcept:
        self.step(CALL_LISTEN)
        self.step(GOT_SYN)
        self.learn_syn(syn)
        self.receiver.scale = <signed char>scale
        self.sender.ecn.agreed = ecn_asks(syn)
        self.receiver.advertised = self.receiver.queue.next + offered
        self.take_early(syn)
        self.sender.answered(sent_at, again)

    cdef void learn_syn(self, const Segment *segment) noexcept:
        cdef uint64_t position = FIRST_POSITION | segment.seq
        self.stamps = segment.stamped
        self.sack = self.sack and segment.sack_permitted
        if segment.scale < 0:
            self.receiver.scale = -1
        self.receiver.begin(position + 1, segment.ts_value, self)
        self.sender.learn_syn(segment, position, self)

    cdef void take_early(self, const Segment *segment) noexcept:
        if segment.size or segment.flags & FIN:
            self.receiver.take(segment, self.receiver.queue.next, self, self.host.now)
            self.account()

    cdef void established(self) noexcept:
        if self.receiver.fin_received:
            self.happen(EVENT_EOF)
            self.step(GOT_FIN)
        if self.sender.fin_wanted:
            self.step(CALL_CLOSE)
        self.keep_alive(self.host.now)

    cdef bint step(self, Event event) noexcept:
        cdef int state = next_state(self.tcp_state, event)
        if state < 0:
            self.host.count[COUNT_TCP_NO_TRANSITION] += 1
            return False
        self.tcp_state = <State>state
        if state == CLOSED:
            self.sender.clear()
            self.happen(EVENT_CLOSED)
            self.leave()
        elif state == TIME_WAIT:
            self._time_wait()
        elif state == FIN_WAIT_2 and self.orphan:
            self.life_at = self.host.now + self.host.fin_wait
        return True

    cdef void _time_wait(self) noexcept:
        # Nothing is left to do that needs all of it: it leaves the stack, and something smaller keeps its place.
        cdef Receiver receiver = self.receiver
        cdef uint64_t ack = receiver.ack_position()
        cdef uint16_t window
        if receiver.ack_now:
            self.transmit(self.sender.empty_position(self), 0, ACK, self.host.now)
        window = receiver.window_field(ack, False, self)
        self.sender.clear()
        self.happen(EVENT_CLOSED)
        if not self.host.enter_time_wait(
            self, <uint32_t>self.sender.nxt, <uint32_t>ack, window, receiver.ts_recent, receiver.ts_recent_at
        ):
            self.tcp_state = CLOSED
        self.leave()

    # Memory.

    cdef void account(self) noexcept:
        cdef size_t received, queued
        if self.node is None:
            return
        received = self.receiver.memory()
        queued = self.sender.memory()
        if received != self.held[INBOUND]:
            self.node.hold(INBOUND, self.held[INBOUND], received)
            self.held[INBOUND] = received
        if queued != self.held[OUTBOUND]:
            self.node.hold(OUTBOUND, self.held[OUTBOUND], queued)
            if self.orphan:
                self.node.hold_orphan(self.held[OUTBOUND], queued)
            self.held[OUTBOUND] = queued
        if (self.receiver.queue.ranges.count > 0) != self.is_ahead:
            self._note_ahead()

    cdef void _note_ahead(self) noexcept:
        # Whether it holds data out of order. Without memory to tell of it, it is not listed.
        cdef Aging *ahead = self.receiver.ahead()
        if self.is_ahead:
            aging_remove(&self.node.ahead, ahead)
            ahead.owner = NULL
            self.is_ahead = False
        elif ahead != NULL:
            aging_add(&self.node.ahead, ahead, <void *>self, self.host.now)
            self.is_ahead = True

    cdef size_t memory(self) noexcept:
        return self.held[INBOUND] + self.held[OUTBOUND]

    cdef void renege(self) noexcept:
        self.host.count[COUNT_TCP_RENEGED] += 1
        self.receiver.renege()
        self.account()

    # What a connection allocates for an exchange stays for the next one. It goes when the connection rests: when no
    # segment of it has come or left for REST_AFTER. Where memory is short nothing stays.

    cdef void _look_busy(self) noexcept:
        if self.host.memory.pressed:
            self.give_back()
        self.is_busy = (
            self.sender.flight != NULL or self.sender.out.pieces != NULL or self.receiver.queue.chunks != NULL
        )

    cdef uint64_t _rest_at(self) noexcept:
        return max(self.keep.heard_at, self.sender.sent_at) + REST_AFTER if self.is_busy else NEVER

    cdef void give_back(self) noexcept:
        self.is_busy = False
        self.sender.rest()
        self.receiver.rest()
        self.account()

    cdef void evict(self) noexcept:
        # What was to be read is gone, so there is no end of it either: it failed.
        self.receiver.clear()
        self.receiver.fin_received = False
        if self.host is not None:
            self.fail(ECONNABORTED, True)
            return
        self.failure = self.failure or ECONNABORTED
        self.forget_unread()

    # Once it has ended, what can still be read of it counts for its node, until it has been read or given up.

    cdef void _keep_unread(self, RemoteNode node, bint opened) noexcept:
        cdef size_t unread
        self.receiver.renege()
        unread = self.receiver.memory() if self.receiver.queue.read < self.receiver.queue.next else 0
        node.hold(INBOUND, self.held[INBOUND], unread)
        node.hold(OUTBOUND, self.held[OUTBOUND], 0)
        self.held[INBOUND], self.held[OUTBOUND] = unread, 0
        if unread == 0:
            node.hold(OBJECTS, CONNECTION_COST, 0)
            node.leave()
            return
        # A reference that the collector of garbage does not know: it is needed until the very end, and leads nowhere
        # back here.
        Py_INCREF(node)
        self._unread_of = <void *>node
        self.is_unread = opened
        if opened:
            aging_add(&node.unread, &self.place, <void *>self, self.host.now)

    cdef void count_unread(self) noexcept:
        cdef size_t unread
        if self._unread_of == NULL:
            return
        if self.receiver.queue.read == self.receiver.queue.next:
            self._release_unread()
            return
        unread = self.receiver.memory()
        (<RemoteNode>self._unread_of).hold(INBOUND, self.held[INBOUND], unread)
        self.held[INBOUND] = unread

    cdef void forget_unread(self) noexcept:
        self.receiver.clear()
        self.count_unread()

    cdef void _release_unread(self) noexcept:
        cdef RemoteNode node = <RemoteNode>self._unread_of
        if self.is_unread:
            aging_remove(&node.unread, &self.place)
        self._unread_of = NULL
        node.hold(INBOUND, self.held[INBOUND], 0)
        self.held[INBOUND] = 0
        node.hold(OBJECTS, CONNECTION_COST, 0)
        node.leave()
        Py_DECREF(node)

    cdef void take_place(self) noexcept:
        self.has_place = True
        self.node.incoming += 1
        aging_add(&self.node.opened, &self.place, <void *>self, self.host.now)

    cdef void give_place(self) noexcept:
        if self.has_place:
            self.has_place = False
            self.node.incoming -= 1
            if not self.orphan:
                aging_remove(&self.node.opened, &self.place)

    # Output.

    cdef bint flush(self, uint64_t now) noexcept:
        cdef bint more
        if self._closes:
            self._closed(now)
        more = output_flush(self.sender, self, now)
        if self.tcp_state != SYN_SENT and self.receiver.ack_due(self.host, now):
            self.transmit(self.sender.empty_position(self), 0, ACK, now)
        if not self.is_busy or self.host.memory.pressed:
            self._look_busy()
        self._arm()
        return more

    cdef size_t sack_size(self) noexcept:
        return sack_room(self, self.receiver)

    cdef void transmit(self, uint64_t position, size_t size, uint8_t flags, uint64_t now) noexcept:
        cdef Packet *packet = make_segment(self, self.sender, self.receiver, position, size, flags, now)
        if packet != NULL:
            self.segments_out += 1
            self.bytes_out += size
            self.host.emit(packet)

    cdef void send_reset(self) noexcept:
        self.host.count[COUNT_TCP_RESETS_SENT] += 1
        self.transmit(self.sender.nxt, 0, RST | ACK, self.host.now)

    # Timers.

    cdef void _arm(self) noexcept:
        self.due = min(
            min(self.sender.timer_at, self.receiver.ack_at), min(min(self.life_at, self._rest_at()), self.give_up_at())
        )
        self.host.timers.note(self)

    cdef uint64_t give_up_at(self) noexcept:
        # When what a closed connection has queued has taken as long as the application allowed.
        cdef Sender sender = self.sender
        if not self.orphan or self._closes or sender.una == max(sender.nxt, sender.out.end + sender.fin_wanted):
            return NEVER
        return self.linger_time

    cdef void fire(self, uint64_t now) noexcept:
        if self.receiver.ack_at <= now:
            self.receiver.ack_at = NEVER
            self.receiver.ack_now = True
            self.host.mark(self)
        if self.life_at <= now:
            self.life_at = NEVER
            if self.orphan and self.tcp_state == FIN_WAIT_2:
                self.step(TIMED_OUT)
                return
            if self.orphan:
                self.expire(ETIMEDOUT)
                return
            self.keep_alive(now)
        if self.host is not None and self._rest_at() <= now:
            self.give_back()
        if self.host is not None and self.give_up_at() <= now:
            self.expire(self.sender.soft_error or ETIMEDOUT)
        if self.host is not None and self.sender.timer_at <= now:
            timeouts_fire(self.sender, self, now)
        if self.host is not None:
            self._arm()

    cdef void heard(self, uint64_t now) noexcept:
        keepalive_heard(&self.keep, now)
        if self.has_place and not self.orphan and now - self.place.used >= SECOND:
            aging_touch(&self.node.opened, &self.place, now)

    cdef bint check(self, uint64_t now) noexcept:
        if self.tcp_state < ESTABLISHED or self.keep.checks:
            return False
        if self.sender.timer_at != NEVER:
            if not timeouts_hasten(self.sender, now):
                return False
        else:
            self.sender.probe(self, now)
            if not self.orphan:
                self.keep.checks = CHECKS
                self.life_at = now + max(rtt_timeout(&self.sender.rtt, self.host.max_rto), LEAST_CHECK)
        self._arm()
        return True

    cdef bint hasten(self, uint64_t now) noexcept:
        if self.sender.timer_at == NEVER or not timeouts_path_found(self.sender, now,
                                                                    self.host.max_rto * self.host.retries):
            return False
        self._arm()
        return True

    cdef void keep_alive(self, uint64_t now) noexcept:
        # Look whether a probe is due, and when to look again.
        cdef uint64_t idle = self.keep.idle if self.keep.on else 0
        cdef uint64_t interval = self.keep.interval
        cdef int count = self.keep.count
        cdef Look look
        if self.orphan or self.tcp_state < ESTABLISHED:
            return
        if self.keep.checks:
            self._check_again(now)
            return
        if idle == 0 and self.has_place:
            # Strangers may open connections and be gone: these are probed without being asked for it.
            self.host.keep_strangers(&idle, &interval, &count)
        if idle == 0:
            return
        look = keepalive_look(&self.keep, idle, interval, count, self.sender.una < self.sender.nxt, now, &self.life_at)
        if look == GIVE_UP:
            self.expire(ETIMEDOUT)
        elif look == REST:
            if not self.keep.on:
                self.life_at = min(self.life_at, now + LOOK)
        else:
            if look == ASK_AGAIN:
                self.host.suspect(self.key)
            self.sender.probe(self, now)

    cdef void _check_again(self, uint64_t now) noexcept:
        self.keep.checks -= 1
        self.host.suspect(self.key)
        self.sender.probe(self, now)
        # The last one comes after a link that swallows what it is given has been found out.
        self.life_at = now + 4 * max(rtt_timeout(&self.sender.rtt, self.host.max_rto), LEAST_CHECK)

    # Once the application has closed it.

    cdef void abandon(self) noexcept:
        if self.has_place:
            aging_remove(&self.node.opened, &self.place)
        self.orphan = self._closes = True
        self.life_at = NEVER
        self.node.add_orphan(&self.place, <void *>self, self.host.now)
        self.node.hold_orphan(0, self.held[OUTBOUND])

    cdef void _closed(self, uint64_t now) noexcept:
        # Between turns the time is not known: what runs from the close runs from the turn that follows.
        cdef Host host = self.host
        self._closes = False
        self.linger_time += min(now, NEVER - self.linger_time)
        if self.tcp_state == FIN_WAIT_2:
            self.life_at = now + host.fin_wait
        elif host.orphan_time:
            # It goes on by itself, but not for as long as the peer likes.
            self.life_at = now + host.orphan_time + self._due()

    cdef uint64_t _due(self) noexcept:
        # ns in which an orphan's peer has to take what is left.
        return (self.sender.out.end - self.sender.out.base) * (SECOND // ORPHAN_RATE)

    cdef bint is_slow(self, uint64_t now) noexcept:
        cdef uint64_t due = self._due()
        return due > 0 and self.life_at != NEVER and now + self.host.orphan_time + due > self.life_at + ORPHAN_START

    # The end.

    cdef void end(self, Event event, int code) noexcept:
        if self.host is not None:
            self.failure = code
            self.happen(EVENT_FAILED)
            self.step(event)

    cdef void fail(self, int code, bint reset) noexcept:
        if self.host is not None and reset:
            self.send_reset()
        self.end(ABORT, code)

    cdef void expire(self, int code) noexcept:
        self.host.count[COUNT_TCP_ORPHAN_TIMEOUTS] += self.orphan
        if self.tcp_state >= ESTABLISHED:
            self.send_reset()
        self.end(TIMED_OUT, code)

    cdef void leave(self) noexcept:
        cdef Acceptor parent = self.parent
        cdef RemoteNode node = self.node
        cdef bint opened = self.has_place and not self.orphan
        if parent is not None:
            self.parent = None
            parent.forget(self)
            self.receiver.clear()           # it is never accepted, and so never read
        self.give_place()
        if node is not None:
            if self.is_ahead:
                self._note_ahead()
            self.node = None
            if self.orphan:
                node.remove_orphan(&self.place)
                node.hold_orphan(self.held[OUTBOUND], 0)
            self._keep_unread(node, opened)
        self.is_busy = False
        TcpEndpoint.leave(self)

    cdef void unbind(self) noexcept:
        self.bound_in.discard(self.key)
