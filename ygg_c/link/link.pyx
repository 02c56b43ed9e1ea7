"""A link to a neighbour: framing, timers, scheduling of output. See link.pxd.

Theory of operation
-------------------

Input. The sink, which is a pump, asks for space, has its transport read into it and commits what came. Whole frames are
handled there, in place; what is left of the last one moves to the front, or into a small buffer of the link's own, so
that links which wait need no read buffer: the host lends one to whichever reads.

What a link may do at a time is bounded, since one neighbour's bytes can cost much work. The host has so much work for a
round of the event loop, of which each readable event of a link may take a slice. A link that comes to the end of it, or
whose frame must wait for a budget, is held: its sink reads no more, what has come stays, and the host has it go on in a
later round. A transport that cannot pause is given room for a while, within a limit of its own and one for all links.

Output. Control frames go first, then the packets of a fair queue. Little is moved from there into the flight, which is
what the transport is offered: a packet in the fair queue can still be overtaken, marked or dropped, one in the flight
cannot. How large the flight, and what the transport may hold, are worth is measured (drain.pxd). Whether our own
packets may be made at all is asked before (find_room): where the answer is no, their sender waits, and is called when
the link has drained (credit_in of the host).

Timers. What was sent has to be answered, with a keepalive if with nothing else, within a second; three seconds after
something that was not, the link is dead. It is so earlier if its transport is full and takes nothing. It is spared for
a while if its transport can tell that the far side's kernel goes on, as one that repeats what was lost does. Whatever
comes is a sign of life, but says nothing of a link that is held: there it is we who do not listen. A link also ends if
its far side has not proven its key in time, for a handshake can be a recorded one.

Ends. `fail` notes why, and the host closes the link when the turn ends: nothing is freed while frames are being parsed.
"""

from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from cpython.buffer cimport PyBUF_WRITE
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.string cimport memcpy

from ygg_c.base.clock cimport MS, NEVER, SECOND
from ygg_c.base.forks cimport check_fork, generation
from ygg_c.base.keyset cimport KeySet
from ygg_c.base.live cimport LIVE_LINK, born, died
from ygg_c.base.packet cimport packet_copy, packet_free, packet_push, queue_clear, queue_init, queue_pop, queue_push
from ygg_c.base.ratelimit cimport bucket_init
from ygg_c.base.sodium cimport wipe
from ygg_c.base.turn cimport Turn
from ygg_c.ip.header cimport CE
from ygg_c.ip.layer cimport BURST_MOST, CREDIT_WINDOW
from ygg_c.link.drain cimport drain_flushed, drain_init, drain_took
from ygg_c.link.liveness cimport (
    liveness_begin, liveness_expect, liveness_heard, liveness_is_silent, liveness_may_spare, liveness_overdue,
    liveness_owe, liveness_received, liveness_resume, liveness_spare, liveness_stuck_until,
)
from ygg_c.link.readbuffer cimport (
    RX_BUFFER, buffer_free, buffer_give_back, buffer_keep, buffer_open, buffer_resize, buffer_trim,
)
from ygg_c.link.wire cimport (
    DUMMY, ERR_DECODE, ERR_EMPTY_MESSAGE, ERR_OVERSIZED_MESSAGE, FRAME_MAX, KEEPALIVE, OK, UV_MAX, error_name,
    frame_header_size, frame_put, uv_get,
)

cdef enum:
    ROOM_LEAST = 65536          # bytes that the next read may bring
    READ_LITTLE = 16384
    # bytes of own packets beyond what credit allows: one that fits no credit, echoes and the like
    SPARE = 81920
    HELD_MAX = 4194304          # bytes that a transport may bring after it has been told to pause
    HELD_PLENTY = 8388608       # bytes that links hold, beyond which each reads little
    HELD_ALL = 33554432         # the most that they may hold together

cdef uint64_t DOUBT_AFTER = 200 * MS        # silence after which a link is doubted when its neighbour has made another
cdef uint64_t PROVE_WITHIN = 6 * SECOND     # from the link's start to a proof of the far side's key
cdef uint64_t UNPROVEN_RATE = 5             # signature requests a second answered before that
cdef uint64_t UNPROVEN_BURST = 10


cdef class Sink:
    """Carries a link's output to its transport. The base class leaves it where it is."""

    cdef void flush(self, Link link) noexcept:
        link.blocked = True

    cdef bint has_output(self) noexcept:
        return False

    cdef void pause(self, Link link, bint paused) noexcept:
        pass

    cdef bint hears(self, bint again) noexcept:
        return False


cdef class PySink(Sink):
    """Calls a Python function when a link has output, and asks another whether the transport is heard."""

    def __init__(self, callback, hears=None):
        self._callback = callback
        self._hears = hears

    cdef bint hears(self, bint again) noexcept:
        return self._hears is not None and self._hears(again)

    cdef void flush(self, Link link) noexcept:
        try:
            self._callback(link)
        except Exception:
            link.fail("ErrUndefined")
            raise       # shown by sys.unraisablehook


cdef class LinkHost:
    """What links need of the router above them."""

    def __cinit__(self):
        self.made_in = generation
        self.due = NEVER
        self.turns = Turn()
        self.read_pool = ReadPool()
        self.failed = []
        self.held = []
        self.work = ROUND

    def __dealloc__(self):
        wipe(self.secret, sizeof(self.secret))

    cdef int frame_in(self, Link link, int kind, uint8_t *body, size_t size) noexcept:
        return 0

    cdef void link_down(self, Link link) noexcept:
        pass

    cdef void link_rated(self, Link link) noexcept:
        pass

    cdef void link_proven(self, Link link, bint alone) noexcept:
        pass

    cdef void no_way(self) noexcept:
        pass

    cdef void path_found(self, const uint8_t *key) noexcept:
        pass

    cdef void path_seen(self, const uint8_t *key, bint there) noexcept:
        pass

    cdef void own_record_in(self) noexcept:
        pass

    cdef void own_answer_in(self) noexcept:
        pass

    cdef void credit_in(self, uint64_t link) noexcept:
        pass

    cdef void marked(self, const uint8_t *frame, size_t size) noexcept:
        pass

    cdef void want_turn(self) noexcept:
        pass

    cdef void want_maintenance(self, uint64_t when) noexcept:
        pass

    cdef void shed(self) noexcept:
        cdef Link link
        cdef Link greediest = None
        for link in self.held:
            if not (link.closed or link.error) and (greediest is None or link._held_bytes > greediest._held_bytes):
                greediest = link
        if greediest is not None:
            greediest.fail("too much that it has brought waits")
            greediest._count_held(0)


cdef class Link:
    """One ordered byte stream to a neighbour. Made by Router.add_link()."""

    def __cinit__(self, LinkHost host not None, Neighbour neighbour not None, Sink sink not None, int priority,
                  uint64_t order):
        self.host = host
        self.neighbour = neighbour
        self.sink = sink
        self.priority = priority
        self.order = order
        self.error = ""
        self.since = host.now
        self.lag = LAG_UNKNOWN
        liveness_begin(&self._live)
        self.prove_by = host.now + PROVE_WITHIN
        self.told = KeySet(host.random)
        self.parked = Parked()
        self._read_most = RX_BUFFER
        bucket_init(&self.requests, UNPROVEN_RATE, UNPROVEN_BURST, host.now)
        self._queue = FairQueue(host.random.u64())
        queue_init(&self.control)
        queue_init(&self._flight)
        drain_init(&self.drain)
        born(LIVE_LINK)
        self._counted = True    # arguments of the wrong kind never come this far, but are deallocated too

    def __dealloc__(self):
        queue_clear(&self.control)
        queue_clear(&self._flight)
        buffer_free(&self._read)
        if self._counted:
            died(LIVE_LINK)

    # Input

    cdef uint8_t *rx_space(self, size_t *room) noexcept:
        if self.closed:
            return NULL
        if not buffer_open(&self._read, self.host.read_pool):
            return NULL
        # A transport may go on for a while when it is told to pause.
        if self._read.size - self._read.fill < ROOM_LEAST:
            if self._read.fill > HELD_MAX:
                self.fail("its transport does not pause")
                return NULL
            if not buffer_resize(&self._read,
                                 max(<size_t>(0 if self.held else RX_BUFFER), self._read.fill + ROOM_LEAST)):
                return NULL
        room[0] = min(self._read.size - self._read.fill, self._read_most)
        if self.host.held_bytes > HELD_PLENTY:
            room[0] = min(room[0], <size_t>READ_LITTLE)
        return self._read.bytes + self._read.fill

    cdef int rx_commit(self, size_t count) noexcept:
        self._lent = False
        if self.closed or self.error or self._read.bytes == NULL or count > self._read.size - self._read.fill:
            return -1
        self.rx_bytes += count
        self._read.fill += count
        if count:
            self._note_alive()
        if not self.held:
            return self._input()
        self._count_held(self._read.fill)
        buffer_trim(&self._read)
        return -1 if self.error else 0

    cdef int _input(self) noexcept:
        cdef int result
        self._parsing = True
        result = self._parse()
        self._parsing = False
        if self.closed:
            buffer_free(&self._read)
            return -1
        return result

    cdef int _parse(self) noexcept:
        cdef int code = OK
        cdef size_t used = self._frames(&code)
        if code:
            self.fail(error_name(code))
        if self.closed or self.error:
            return -1
        self._keep_rest(used)
        return 0

    cdef size_t _frames(self, int *code) noexcept:
        cdef const uint8_t *end = self._read.bytes + self._read.fill
        cdef const uint8_t *frame = self._read.bytes
        cdef const uint8_t *at
        cdef LinkHost host = self.host
        cdef uint64_t length
        while frame < end:
            at = uv_get(frame, end, &length)
            if at == NULL:
                if end - frame >= UV_MAX:
                    code[0] = ERR_DECODE
                break
            if length == 0 or length > FRAME_MAX:
                code[0] = ERR_OVERSIZED_MESSAGE if length else ERR_EMPTY_MESSAGE
                break
            if <uint64_t>(end - at) < length:
                break
            if host.work <= self.slice_end:
                self._read_most = READ_LITTLE
                self.hold(host.now)
                break
            self._note_received(at[0] != DUMMY and at[0] != KEEPALIVE)
            code[0] = host.frame_in(self, at[0], <uint8_t *>at + 1, length - 1)
            host.work -= 1 + <int64_t>(length >> WORK_BYTES_LOG)
            if code[0] == HELD:
                code[0] = OK
                self._read_most = READ_LITTLE
                break
            if code[0] or self.closed or self.error:
                break
            frame = at + length
        return frame - self._read.bytes

    cdef void _keep_rest(self, size_t start) noexcept:
        self._count_held(self._read.fill - start if self.held else 0)
        buffer_keep(&self._read, self.host.read_pool, start)
        if self.held:
            buffer_trim(&self._read)        # it may be held for a while, as may others
        else:
            self._read_most = min(2 * self._read_most, <size_t>RX_BUFFER)

    cdef void _count_held(self, size_t count) noexcept:
        self.host.held_bytes += count - self._held_bytes
        self._held_bytes = count
        if self.host.held_bytes > HELD_ALL and count:
            self.host.shed()

    # Turns

    cdef bint begin_input(self, int64_t slice) noexcept:
        cdef LinkHost host = self.host
        if self.closed or self.held:
            return False
        if host.work <= 0:
            self.hold(host.now)
            return False
        self.slice_end = max(<int64_t>0, host.work - slice)
        return True

    # Holding a link costs a round of the event loop and two calls of the kernel: bulk transfers should not come to it.
    cdef bint begin_event(self) noexcept:
        cdef LinkHost host = self.host
        if self.closed or self.held:
            return False
        if self._round == host.round:
            host.round += 1
            host.work = ROUND
        self._round = host.round
        return self.begin_input(SLICE)

    cdef bint has_time(self) noexcept:
        return not self.closed and 2 * (self.host.work - self.slice_end) > SLICE

    cdef void hold(self, uint64_t until) noexcept:
        cdef LinkHost host = self.host
        if not self.held:
            self.held = True
            host.held.append(self)
            host.links_held += 1
        if not self._paused:
            self._paused = True
            self.sink.pause(self, True)
        self.held_until = until
        # What waits unread may want an answer.
        if self._live.ack_at == NEVER:
            liveness_owe(&self._live, host.now)
        host.due = min(host.due, min(until, self._live.ack_at))

    cdef bint go_on(self, int64_t slice) noexcept:
        cdef size_t room
        cdef size_t unread = self._read.fill
        self.held = False
        liveness_resume(&self._live, self.host.now)
        self.host.due = min(self.host.due, self._live.answer_by)
        if self._read.bytes == NULL and self._read.fill and self.rx_space(&room) == NULL:
            self.fail("out of memory")
            return False
        if self.begin_input(slice):
            self._input()
        if not (self.held or self.closed or self.error):
            self._paused = False
            self.sink.pause(self, False)
        return self._read.fill < unread

    cdef void _note_received(self, bint real) noexcept:
        cdef uint64_t due = liveness_received(&self._live, real, self._has_waiting(), self.host.now)
        self.host.due = min(self.host.due, due)

    # Output

    cdef void send_control(self, int kind, const uint8_t *body, size_t size) noexcept:
        cdef Packet *packet
        cdef int header = frame_header_size(size)
        if self.closed or self.error or size >= FRAME_MAX:
            self.lost += 1
            return
        packet = packet_copy(body, size)
        if packet == NULL:
            self.fail("ErrUndefined")       # a control message must not be lost
            return
        frame_put(packet_push(packet, header), kind, size)
        queue_push(&self.control, packet)
        self._note_sent(kind != DUMMY and kind != KEEPALIVE)
        if self.control.bytes > CONTROL_LIMIT:
            self.fail("ErrTimeout")

    cdef void send_packet(self, Packet *packet, const uint8_t *source, const uint8_t *dest, bint own) noexcept:
        if self.closed or self.error:
            self.lost += 1
            packet_free(packet)
            return
        if self._queue.count == 0 and self.control.count == 0 and self._flight.bytes < self.drain.flight:
            queue_push(&self._flight, packet)
        else:
            self._queue.push(packet, source, dest, own, self.host.now)
        self._note_sent(True)

    cdef size_t control_waiting(self) noexcept:
        return self.control.bytes

    cdef bint has_output(self) noexcept:
        return self._flight.count or self.control.count or self._queue.count

    cdef bint has_more(self) noexcept:
        return self.control.count or self._queue.count

    cdef void _refill(self) noexcept:
        cdef Packet *packet
        while self.control.count and self._flight.bytes < self.drain.flight:
            queue_push(&self._flight, queue_pop(&self.control))
        while self._queue.count and self._flight.bytes < self.drain.flight:
            packet = self._queue.pop(self.host.now)
            if packet != NULL:
                if packet.ecn == CE:
                    self.host.marked(packet.data, packet.size)
                queue_push(&self._flight, packet)

    cdef int gather(self, Part *parts, int most) noexcept:
        cdef Packet *packet
        cdef size_t offset = self._flight_offset
        cdef int count = 0
        if self.closed:
            return 0
        self._refill()
        packet = self._flight.head
        while packet != NULL and count < most:
            parts[count].data = packet.data + offset
            parts[count].size = packet.size - offset
            offset = 0
            count += 1
            packet = packet.next
        return count

    cdef void sent(self, size_t count) noexcept:
        cdef size_t left
        if self.closed:
            return
        self.tx_bytes += count
        self._live.alive_at = self.host.now
        drain_took(&self.drain, count, self.blocked, self.host.now)
        while count and self._flight.count:
            left = self._flight.head.size - self._flight_offset
            if count < left:
                self._flight_offset += count
                break
            count -= left
            self._flight_offset = 0
            packet_free(queue_pop(&self._flight))
        # What comes next is chosen when it can be sent: until then others may get ahead of it.
        if self.credit_refused and self._queue.own_bytes < self._refused_bytes:
            self._offer()

    cdef void find_room(self, size_t wanted, Way *way) noexcept:
        cdef size_t used = self._queue.own_bytes
        cdef size_t limit = self.drain.ahead if self.blocked else self.drain.credit
        way.link = self.order
        way.burst = self.drain.burst
        way.credit = limit - min(limit, used)
        if self._takes_any(limit):
            way.credit = max(way.credit, wanted)
        if used == 0 and limit:
            way.spare = CREDIT_WINDOW
        else:
            way.spare = self.drain.credit + SPARE - min(self.drain.credit + SPARE, used)
            if way.credit < wanted:
                self._refuse(used)
        way.full_since = self._refused_at if self.credit_refused else NEVER

    # Whether a packet of any size has room: nothing of ours waits, or it is little, as acknowledgements are, and others
    # have packets here, with whose flows a large one of ours must be there in time to share.
    cdef bint _takes_any(self, size_t limit) noexcept:
        cdef size_t used = self._queue.own_bytes
        return used < limit and (used == 0 or self._queue.bytes > used)

    cdef void flushed(self) noexcept:
        drain_flushed(&self.drain, self.blocked, self.host.now)
        if self._queue.rate != self.drain.rate:
            self._queue.set_rate(self.drain.rate, self.drain.credit, self.drain.credit + SPARE)
            self._note_rate()
        if self.blocked:
            self.host.due = min(self.host.due, self._stuck_until())

    cdef void _offer(self) noexcept:
        self.credit_refused = False
        self.host.credit_in(self.order)

    cdef bint offer_all(self) noexcept:
        if not self.credit_refused or not self._takes_any(self.drain.credit) or self.closed:
            return False
        self._offer()
        return True

    cdef void _refuse(self, size_t used) noexcept:
        if not self.credit_refused:
            self.credit_refused = True
            self._refused_at = self.host.now
        self._refused_bytes = used
        if self.blocked and self._live.answer_by == NEVER:
            self._note_unanswered()     # what the transport holds has to be answered
            self.host.want_turn()

    cpdef void want_flush(self) noexcept:
        if not self.dirty and not self.closed:
            self.dirty = True
            self.host.turns.dirty.append(self)
            self.host.want_turn()

    # Timers

    cdef void _note_sent(self, bint real) noexcept:
        self._live.ack_at = NEVER
        if real:
            self._note_unanswered()
        self.want_flush()

    cdef void _note_unanswered(self) noexcept:
        if liveness_expect(&self._live, self.host.now):
            self.host.due = min(self.host.due, self._live.answer_by)

    # Packets that a full transport keeps from being sealed wait further up.
    cdef bint _has_waiting(self) noexcept:
        return self.has_output() or (self.blocked and self.credit_refused)

    cdef uint64_t run_timers(self, uint64_t now) noexcept:
        if self.closed or self.error:
            return NEVER
        if self._is_dead(now):
            self.fail("ErrTimeout")
            return NEVER
        if self.prove_by <= now:
            self.fail("the far side did not prove its key")
            return NEVER
        if self._live.ack_at <= now:
            self.send_control(KEEPALIVE, b"", 0)
            if self.held:
                liveness_owe(&self._live, now)
        return min(min(self.held_until if self.held else self._dead_at(), self._live.ack_at),
                   min(self.prove_by, self.parked.until))

    cdef uint64_t _dead_at(self) noexcept:
        return max(min(self._live.answer_by, self._stuck_until()), self._live.spared_until)

    cdef bint _is_dead(self, uint64_t now) noexcept:
        if self.held or not liveness_overdue(&self._live, self._stuck_until(), now):
            return False
        if not liveness_may_spare(&self._live, now) or not self.sink.hears(self._live.spared_until != 0):
            return True
        liveness_spare(&self._live, now)
        return False

    cdef void _note_alive(self) noexcept:
        liveness_heard(&self._live, self.host.now)
        if self.doubted:
            self.doubted = False
            self.host.link_rated(self)

    cdef bint doubt(self) noexcept:
        if not self.doubted and self.host.now - self._live.heard_at >= DOUBT_AFTER:
            self.doubted = True
            self.host.link_rated(self)
            if self.credit_refused:
                self._offer()           # who waits for it has another way now
        return self.doubted

    cdef uint64_t _stuck_until(self) noexcept:
        if not self.blocked or not self._has_waiting():
            return NEVER
        return liveness_stuck_until(&self._live, self.lag, self.drain.rate)

    cdef bint is_silent(self) noexcept:
        return not self.held and liveness_is_silent(&self._live, self.lag, self.host.now)

    cdef void measure(self, uint64_t passed) noexcept:
        if passed:
            self.rx_rate = <uint64_t>(<double>(self.rx_bytes - self._rx_mark) * SECOND / passed)
            self.tx_rate = <uint64_t>(<double>(self.tx_bytes - self._tx_mark) * SECOND / passed)
        self._rx_mark = self.rx_bytes
        self._tx_mark = self.tx_bytes

    cdef uint64_t cost_now(self) noexcept:
        return max(<uint64_t>1, self.lag // MS)

    cdef uint64_t delay_now(self) noexcept:
        return self.cost_now() + (1000 * <uint64_t>BURST_MOST // self._rate_noted if self._rate_noted else 0)

    # A change counts from a factor of two, and a link that is not used keeps what it had: flows that share a link, or
    # leave it, make no choice swing.
    cdef void _note_rate(self) noexcept:
        cdef uint64_t rate = self.drain.rate
        if self._rate_noted == 0:
            if self.drain.guessed:
                return
        elif rate < 2 * self._rate_noted and 2 * rate > self._rate_noted:
            return
        self._rate_noted = rate
        self.host.link_rated(self)

    # Closing

    cdef void fail(self, str error) noexcept:
        if not self.closed and not self.error:
            self.error = error
            self.host.failed.append(self)

    cdef void shut(self, str error) noexcept:
        cdef LinkHost host = self.host
        if self.closed:
            return
        self.closed = True
        if not self.error:
            self.error = error
        self.lost += self.control.count + self._flight.count + self._queue.count
        queue_clear(&self.control)
        queue_clear(&self._flight)
        self._flight_offset = 0
        self._queue.clear()
        # Bytes in use further up the stack, or shown to Python, are freed later.
        if not self._parsing:
            self._stop_reading(host)
        self._count_held(0)
        self.parked.clear()
        host.link_down(self)
        self.host = None
        self.told = None
        self.sink = None

    cdef void _stop_reading(self, LinkHost host) noexcept:
        if self._read.bytes == NULL:
            buffer_free(&self._read)
        elif not self._lent:
            buffer_give_back(&self._read, host.read_pool)
            buffer_free(&self._read)

    # For Python

    cdef int _check_fork(self) except -1:
        return check_fork(self.host.made_in) if self.host is not None else 0

    @property
    def key(self):
        """The neighbour's public key."""
        return self.neighbour.key[:32]

    @property
    def port(self):
        """The number this node gives the neighbour."""
        return self.neighbour.port

    @property
    def cost(self):
        """Smoothed round trip in milliseconds."""
        return self.cost_now()

    @property
    def drain_rate(self):
        """Bytes a second that the transport takes while it is full, as last measured; a guess where it never was."""
        return self.drain.rate

    @property
    def queued(self):
        """Bytes that wait for the transport."""
        return self.control.bytes + self._flight.bytes - self._flight_offset + self._queue.bytes

    @property
    def dropped(self):
        """Packets dropped from its queue."""
        return self._queue.dropped

    def get_buffer(self):
        """Return where the next bytes of the stream go."""
        cdef size_t room
        cdef uint8_t *space = self.rx_space(&room)
        if space == NULL:
            raise ConnectionError("the link is closed") if self.closed else MemoryError()
        self._lent = True
        return PyMemoryView_FromMemory(<char *>space, room, PyBUF_WRITE)

    def buffer_updated(self, size_t count):
        """Take bytes written into get_buffer()."""
        self.begin_input(SLICE)
        return self.rx_commit(count) == 0

    def receive(self, const uint8_t[::1] data):
        """Take bytes of the stream."""
        self._check_fork()
        cdef size_t done = 0
        cdef size_t size = data.shape[0]
        cdef size_t room, count
        cdef uint8_t *space
        self.begin_input(SLICE)
        while done < size:
            space = self.rx_space(&room)
            if space == NULL:
                return False
            count = min(room, size - done)
            memcpy(space, &data[done], count)
            if self.rx_commit(count) < 0:
                return False
            done += count
        return not self.closed and not self.error

    def take(self, size_t limit=CREDIT_WINDOW):
        """Return up to `limit` bytes for the transport."""
        cdef size_t size, done = 0, part
        cdef size_t offset = self._flight_offset
        cdef Packet *packet
        cdef bytes result
        if self.closed:
            return b""
        self._check_fork()
        self._refill()
        size = min(limit, self._flight.bytes - offset)
        result = PyBytes_FromStringAndSize(NULL, size)
        packet = self._flight.head
        while done < size:
            part = min(packet.size - offset, size - done)
            memcpy(PyBytes_AsString(result) + done, packet.data + offset, part)
            done += part
            offset = 0
            packet = packet.next
        self.sent(size)
        return result

    def close(self, str error not None="EOF"):
        """Close it now; what waits is dropped."""
        self.shut(error)
