"""Moving bytes between links and sockets: with the clock, the engine's only system calls.

A pump is a link's sink. A plain stream socket is read and written here without Python; whatever else carries a link
(TLS, a tunnel, memory, a user's own transport) goes through the methods of its asyncio transport. Either way a readable
event is one turn of the node: bytes in, frames handled in place, then one flush of each link that has output.

Theory of operation
-------------------

The event loop watches a descriptor that is the pump's own (a duplicate: the transport beside it may close its own at
any time) and calls `readable` and `writable`. A turn is entered before the read and left after it; whatever links have
output by then is flushed in the leaving, with one system call for many frames. A read that has filled all its space is
followed by another, a few times, while the link still has time.

Writing stops where the transport is full, and the link is told so (blocked). The event loop is then asked to watch for
room, and not otherwise. What waits is to wait in the link's queue, where packets can still change places, and not in
the kernel, which is therefore told to hold little unsent (`TCP_NOTSENT_LOWAT`). It may take more all the same, as it
fills up the packet that it has begun; so where the link's share is small it is asked how much it holds before it is
given more. Of a transport the buffer limits are set to the same measure (on_limit), and it is written in small pieces.

A kernel that repeats lost segments makes a living far side silent for seconds. Before a silent link is given up the
pump is asked whether anything is heard from there (hears): from the kernel's counts, on Linux.

No exception leaves a pump: what fails ends its link with a reason. After a fork the child's descriptor leads nowhere.
"""

import os

from libc.errno cimport EAGAIN, EINTR, errno

from ygg_c.base.clock cimport MS, NEVER, SECOND, Clock
from ygg_c.base.forks cimport generation, register, unregister
from ygg_c.base.live cimport LIVE_PUMP, born, died
from ygg_c.io.kernel cimport (
    PUMPS, ygg_close, ygg_keep, ygg_limit_unsent, ygg_look, ygg_progress, ygg_recv, ygg_send, ygg_tune, ygg_unsent,
    ygg_wait,
)
from ygg_c.link.drain cimport FLIGHT_MOST, drain_ran_dry
from ygg_c.link.link cimport Link, Part, Sink
from ygg_c.node.node cimport Node


HAS_PUMPS = bool(PUMPS)


cdef void enter_now(Node node) noexcept:
    node.enter(node.clock.now_ns(), node.clock.unix_ns() // SECOND)


def run_turn(engine, Clock clock not None):
    due = engine.turn(clock.now_ns(), clock.unix_ns() // SECOND)
    if due is None:
        return None
    cdef uint64_t deadline = due
    cdef uint64_t now = clock.now_ns()
    return deadline - now if deadline > now else 0


cdef class Pump(Sink):
    """Moves bytes between one link and what carries it."""

    def __cinit__(self):
        born(LIVE_PUMP)

    def __dealloc__(self):
        died(LIVE_PUMP)

    def start(self, bytes key not None, int priority, bytes data not None):
        """Make the link and have its first turn, in which it takes `data`. Return it."""
        cdef Node node = self.node
        if self.link is not None or node is None:
            raise ValueError("the pump has carried a link already")
        enter_now(node)
        try:
            self.link = link = node.add_link(key, priority, self)
            link.receive(data)
        finally:
            node.leave()
        return link

    def close(self):
        """Let go of link and carrier. Idempotent."""
        self.node = None
        self.link = None


cdef class SocketPump(Pump):
    """Moves bytes over a stream socket, or over something that has one below it."""

    def __cinit__(self):
        self.fd = -1

    def __dealloc__(self):
        if self.fd >= 0:
            unregister(self.fd)
            ygg_close(self.fd)

    cdef int _open(self, int fd) except -1:
        if self.fd >= 0:
            raise ValueError("the pump has a descriptor already")
        self.fd = ygg_keep(fd)
        if self.fd < 0:
            raise OSError(errno, os.strerror(errno))
        register(self.fd)
        return 0

    def fileno(self):
        """The descriptor to watch; -1 where there is none, and once closed."""
        return self.fd

    def close(self):
        """Let go of the link and close the descriptor. Idempotent."""
        Pump.close(self)
        self.on_blocked = None
        if self.fd >= 0:
            unregister(self.fd)
            ygg_close(self.fd)
            self.fd = -1

    def writable(self):
        """Write what waits, in a turn."""
        cdef Node node = self.node
        if self.link is None or self.link.closed or node.made_in != generation:
            return
        self.link.blocked = False
        self.link.want_flush()
        self._woken = True
        enter_now(node)
        node.leave()
        self._woken = False
        if self.link is not None and not self.link.blocked:
            self._want_writer(False)

    # What waits shall wait in the link's queue. But to the packet it is filling the kernel adds whatever it is given,
    # up to 64 KiB, however much it may hold unsent: where that is less, it has to be asked.
    cdef bint _has_room(self, Link link) noexcept:
        cdef bint woken = self._woken
        if self.fd < 0 or self._unsent >= FLIGHT_MOST or not (link.has_output() or self.has_output()):
            return True
        self._woken = False
        if not woken and self._goes_on(0):
            return True
        self._given = ygg_unsent(self.fd)
        # As long as the wire has a queue of its own it does not run dry with us.
        if woken and self._given == 0 and ygg_wait(self.fd) < WIRE_QUEUE:
            drain_ran_dry(&link.drain)
        if self._goes_on(0):
            return True
        self._block(link)
        return False

    # Whether there is room for sure after so many bytes more. Where there is not, the kernel must not be told that more
    # comes: with nothing under way it would wait 200 ms for it.
    cdef bint _goes_on(self, size_t size) noexcept:
        return self._unsent >= KERNEL_PACKET or 2 * (self._given + size) < self._unsent

    # What the far side sends arrives, out of order, or it goes on acknowledging what the kernel held when this was
    # first asked, or has done so just now and its node may be about to answer. A node that hangs is not helped by its
    # kernel: that has acknowledged all of it before long, or as much as it has room for.
    cdef bint hears(self, bint again) noexcept:
        cdef ygg_progress now
        cdef bint moves
        if self.fd < 0 or not ygg_look(self.fd, &now):
            return False
        if not again:
            self._asked_at, self._reached_at = now.acked + now.waiting, NEVER
            self._acked, self._segments_in = now.acked, now.segments_in
        moves = now.segments_in != self._segments_in
        if self._reached_at == NEVER and now.acked >= self._asked_at:
            self._reached_at = self.node.now - min(self.node.now, now.silent * MS)
        elif self._reached_at == NEVER:
            moves = moves or now.acked != self._acked or now.sent and (
                not now.timed_out or now.silent < now.rtt + HEARD)
        self._acked, self._segments_in = now.acked, now.segments_in
        return moves or (self._reached_at != NEVER and self.node.now - self._reached_at < (now.rtt + ANSWERS) * MS)

    cdef void _block(self, Link link) noexcept:
        link.blocked = True
        self._want_writer(True)

    # Below is told anew only when it makes a difference. The kernel calls a socket writable when less than half of this
    # is left.
    cdef int _limit_unsent(self, size_t limit) except -1:
        if limit < 2 * self._unsent and 2 * limit > self._unsent:
            return 0
        self._unsent = limit
        if self.fd >= 0:
            ygg_limit_unsent(self.fd, <int>limit, <int>min(limit, <size_t>FLIGHT_MOST))
        return 1

    cdef void _want_writer(self, bint wanted) noexcept:
        if self._writer == wanted or self.on_blocked is None:
            return
        self._writer = wanted
        try:
            self.on_blocked(wanted)
        except Exception as error:
            self.link.fail(f"event loop: {error}")


cdef class StreamPump(SocketPump):
    """Drives a connected stream socket by itself."""

    def __init__(self, Node node not None, int fd, on_blocked, on_paused=None):
        self._open(fd)
        self.node = node
        self.on_blocked = on_blocked
        self.on_paused = on_paused
        ygg_tune(self.fd, FLIGHT_MOST)

    def close(self):
        """Let go of the link and close the descriptor. Idempotent."""
        SocketPump.close(self)
        self.on_paused = None

    def readable(self):
        """Read what the socket holds, in bounded measure, and run a turn for each read."""
        cdef int turn
        cdef bint more = True
        cdef Node node = self.node
        for turn in range(READS):
            if not more or self.link is None or self.link.closed or self.link.held or node.made_in != generation:
                return
            enter_now(node)
            more = (self.link.begin_event() if turn == 0 else self.link.has_time()) and self._read()
            node.leave()

    cdef bint _read(self) noexcept:
        cdef size_t room = 0
        cdef Py_ssize_t count
        cdef Link link = self.link
        cdef uint8_t *space = link.rx_space(&room)
        if space == NULL:
            link.fail("out of memory")
            return False
        count = self._recv(link, space, room)
        if count > 0:
            return link.rx_commit(count) == 0 and <size_t>count == room
        if count == 0:
            link.rx_commit(0)       # gives the read buffer back
        return False

    cdef Py_ssize_t _recv(self, Link link, uint8_t *space, size_t room) noexcept:
        cdef Py_ssize_t count
        while True:
            count = ygg_recv(self.fd, space, room)
            if count >= 0 or errno != EINTR:
                break
        if count > 0:
            return count
        if count < 0 and errno == EAGAIN:
            return 0
        link.fail(os.strerror(errno).lower() if count else "EOF")
        return -1

    cdef void flush(self, Link link) noexcept:
        cdef Part parts[PARTS]
        cdef int used
        cdef Py_ssize_t count
        self._limit_unsent(link.drain.unsent)
        while self.fd >= 0 and not link.blocked and self._has_room(link):
            used = link.gather(parts, PARTS)
            if used == 0:
                break
            count = self._send(link, parts, used)
            if count < 0:
                return
            link.sent(count)

    cdef Py_ssize_t _send(self, Link link, Part *parts, int used) noexcept:
        cdef int index
        cdef size_t total = 0
        cdef Py_ssize_t count
        cdef bint more
        for index in range(used):
            total += parts[index].size
        # A segment that is not full is wasted on a slow wire; on a fast one the far side had better begin to read,
        # unless the rest of the flight follows at once.
        more = (used == PARTS or self._unsent < FLIGHT_MOST) and link.has_more() and self._goes_on(total)
        while True:
            count = ygg_send(self.fd, parts, used, more)
            if count >= 0 or errno != EINTR:
                break
        if count < 0:
            if errno != EAGAIN:
                link.fail(os.strerror(errno).lower())
                return -1
            count = 0
        self._given += count
        if <size_t>count < total:       # full: asking the kernel once more would only say so
            self._block(link)
        return count

    cdef void pause(self, Link link, bint paused) noexcept:
        if self.on_paused is None:
            return
        try:
            self.on_paused(paused)
        except Exception as error:
            link.fail(f"event loop: {error}")
