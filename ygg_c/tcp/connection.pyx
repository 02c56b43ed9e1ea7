"""TCP connections, as the application has them; see connection.pxd."""

import errno

from libc.stdint cimport uint64_t

from ygg_c.base.clock cimport NEVER
from ygg_c.base.forks cimport check_fork
from ygg_c.ip.header cimport get16
from ygg_c.ip.memory cimport INBOUND, LEAST_BUFFER, OUTBOUND
from ygg_c.socket.endpoint cimport os_error
from ygg_c.tcp.congestion.base cimport Congestion
from ygg_c.tcp.congestion.registry cimport make_congestion
from ygg_c.tcp.info cimport flow_info
from ygg_c.tcp.options cimport checked_keepalive, checked_mss
from ygg_c.tcp.receivequeue cimport received_fill, received_take
from ygg_c.tcp.sender cimport Sender
from ygg_c.tcp.sendqueue cimport queue_write
from ygg_c.tcp.state cimport ABORT, CALL_CLOSE, ESTABLISHED, SYN_SENT
from ygg_c.tcp.timewait cimport end_time_wait

from ygg_c.tcp.state import STATES_BY_NAME as _STATES


cdef class TcpConnection(Tcb):
    """One TCP connection."""

    @property
    def local(self):
        return (self.key[16:32], get16(self.key + 34))

    @property
    def remote(self):
        return (self.key[:16], get16(self.key + 32))

    @property
    def state(self):
        return _STATES[<int>self.tcp_state]

    @property
    def nodelay(self):
        return bool(self.sender.no_delay)

    @nodelay.setter
    def nodelay(self, bint value):
        self.sender.no_delay = value
        if value and self.host is not None:
            self.host.mark(self)

    @property
    def corked(self):
        return bool(self.sender.is_corked)

    @corked.setter
    def corked(self, bint value):
        self.sender.is_corked = value
        if not value and self.host is not None:
            self.host.mark(self)

    @property
    def keepalive(self):
        return self.keepalive_times if self.keep.on else None

    @keepalive.setter
    def keepalive(self, value):
        if value is not None:
            checked_keepalive(value, &self.keep.idle, &self.keep.interval, &self.keep.count)
        self.keep.on = value is not None
        self._look_alive()

    @property
    def keepalive_times(self):
        return (self.keep.idle, self.keep.interval, self.keep.count)

    @keepalive_times.setter
    def keepalive_times(self, value):
        checked_keepalive(value, &self.keep.idle, &self.keep.interval, &self.keep.count)
        self._look_alive()

    cdef void _look_alive(self) noexcept:
        if self.keep.on and self.host is not None and self.tcp_state >= ESTABLISHED:
            self.keep_alive(self.host.now)
            self.host.mark(self)

    @property
    def user_timeout(self):
        return self.sender.user_limit

    @user_timeout.setter
    def user_timeout(self, uint64_t value):
        self.sender.user_limit = value
        if self.host is not None:
            self.host.mark(self)

    @property
    def linger(self):
        return None if self.linger_time == NEVER else self.linger_time

    @linger.setter
    def linger(self, value):
        if self.orphan:
            return
        self.linger_time = NEVER if value is None else value

    @property
    def congestion_control(self):
        return self.sender.congestion.name

    @congestion_control.setter
    def congestion_control(self, str name not None):
        cdef Congestion chosen = make_congestion(name)
        if name != self.sender.congestion.name:
            chosen.follow(self.sender.congestion)
            self.sender.congestion = chosen

    @property
    def quick_ack(self):
        return bool(self.receiver.quick)

    @quick_ack.setter
    def quick_ack(self, bint value):
        self.receiver.quick = value
        if value and self.host is not None:
            self.host.mark(self)

    @property
    def mss_limit(self):
        return self.sender.mss_limit or None

    @mss_limit.setter
    def mss_limit(self, value):
        self.sender.mss_limit = checked_mss(value)
        if self.sender.mss:
            self.sender.resize(self)

    @property
    def receive_limit(self):
        return self.receiver.cap

    @receive_limit.setter
    def receive_limit(self, size_t value):
        self.receiver.cap = value
        self.receiver.fixed = True
        if self.tcp_state >= ESTABLISHED:
            self._was_read()

    @property
    def send_limit(self):
        return self.sender.cap

    @send_limit.setter
    def send_limit(self, size_t value):
        self.sender.cap = value
        self.sender.fixed = True

    @property
    def unsent_limit(self):
        return self.sender.unsent_limit or None

    @unsent_limit.setter
    def unsent_limit(self, value):
        if value is not None and not 0 < value <= 0xffffffff:
            raise ValueError("a limit is a positive number of bytes")
        self.sender.unsent_limit = value or 0

    @property
    def ecn(self):
        return self.sender.ecn.use

    @property
    def write_limit(self):
        return self.sender.cap if self.host is None else self.sender.room(self)

    @property
    def crowded(self):
        # Only of those that a peer has opened: who dials and writes much before it reads would wait for itself.
        return self.host is not None and self.has_place and self.node.allowance(OUTBOUND) <= LEAST_BUFFER

    def await_room(self):
        """Have WRITABLE told when there is room, as if a write had found none."""
        self.sender.starved = True

    @property
    def queued(self):
        return self.sender.out.end - self.sender.out.base

    @property
    def send_space(self):
        return 0 if self.host is None or self.sender.fin_wanted else self._send_room()

    cdef uint64_t _send_room(self) noexcept:
        cdef uint64_t most = self.sender.room(self)
        return most - min(most, self.sender.out.end - self.sender.out.base)

    @property
    def readable(self):
        return self.receiver.queue.next - self.receiver.queue.read

    @property
    def at_eof(self):
        return bool(self.receiver.fin_received and self.receiver.queue.next == self.receiver.queue.read)

    cdef int _write(self, object data, size_t limit) except -1:
        cdef size_t size
        cdef bint idle = self.sender.out.end == self.sender.una
        if self.sender.fin_wanted or self.host is None:
            raise os_error(self.failure or errno.EPIPE)
        check_fork(self.host.made_in)
        size = queue_write(&self.sender.out, data, limit)
        if size and self.host is not None:      # an object that shows its bytes may have run code that ended us
            self.account()
            if idle:
                self.sender.progress_at = NEVER        # between turns the time is not known
            self.host.mark(self)
        return 0

    def send(self, data):
        """Queue as much of `data` as `send_space` allows and return how many bytes."""
        cdef uint64_t before = self.sender.out.end
        self._write(data, 0 if self.host is None else self._send_room())
        if self._send_room() == 0:
            self.sender.starved = True
        return self.sender.out.end - before

    def write(self, data):
        """Queue all of `data` whatever the limit and return `queued`."""
        self._write(data, <size_t>-1)
        if self.sender.out.end - self.sender.out.base > self.sender.room(self):
            self.sender.starved = True
        return self.sender.out.end - self.sender.out.base

    cdef bint _can_read(self) except -1:
        if self.receiver.queue.read != self.receiver.queue.next:
            return True
        if self.failure and not self.receiver.fin_received:
            raise os_error(self.failure)
        return False

    cdef void _was_read(self) noexcept:
        if not self.is_busy or self.host.memory.pressed:
            self.receiver.rest()
        if self.host is not None:
            self.account()
            self.receiver.was_read(self.sender.rtt.smoothed, self)
        else:
            self.count_unread()

    def recv(self, Py_ssize_t limit=1 << 62):
        """Return the next bytes, at most `limit`."""
        cdef object result
        if not self._can_read():
            return b""
        if limit < 0:
            raise ValueError("limit must not be negative")
        result = received_take(&self.receiver.queue, limit)
        self._was_read()
        return result

    def recv_into(self, buffer):
        """Fill the writable `buffer` from its start and return how many bytes."""
        cdef size_t size
        if not self._can_read():
            return 0
        size = received_fill(&self.receiver.queue, buffer)
        self._was_read()
        return size

    def shutdown_write(self):
        """Send FIN after what is queued."""
        if self.sender.fin_wanted or self.host is None:
            return
        self.sender.fin_wanted = True
        self.sender.is_corked = False
        if self.tcp_state >= ESTABLISHED:
            self.step(CALL_CLOSE)
        self.host.mark(self)

    def close(self):
        """Give the connection up: the stack sends what is queued and FIN, or RST where something was not read."""
        if self.host is None:
            self.forget_unread()
            return
        if self.orphan:
            return
        if self.tcp_state == SYN_SENT:
            self.step(CALL_CLOSE)
            return
        if (self.linger_time == 0 or self.receiver.queue.next > self.receiver.queue.read
                or self.receiver.queue.ranges.count):
            self.abort()
            return
        self.shutdown_write()
        self.abandon()
        self.receiver.clear()
        self.account()
        self.host.mark(self)
        self.host.limit_orphans(self.node)

    def abort(self):
        """Reset the connection now and free it."""
        if self.remains != NULL:
            end_time_wait(self.remains)
        if self.host is None:
            self.forget_unread()
            return
        if self.tcp_state != SYN_SENT:
            self.send_reset()
        self.receiver.clear()
        self.step(ABORT)

    def info(self, uint64_t now=0):
        """Return the connection's figures."""
        now = max(now, self.keep.heard_at if self.host is None else self.host.now)
        name, at = self._next_timer()
        return {
            "state": self.state,
            **flow_info(self, self.sender, self.receiver, now),
            "timer": name,
            "timer_in": None if name is None else max(at, now) - now,
            "keepalive_probes": self.keep.probes,
            "last_heard": now - min(self.keep.heard_at, now),
            "sack": bool(self.sack),
            "timestamps": bool(self.stamps),
            "ecn": bool(self.sender.ecn.agreed),
            "send_memory": self.held[OUTBOUND],
            "receive_memory": self.held[INBOUND],
            "bytes_out": self.bytes_out,
            "segments_in": self.segments_in,
            "segments_out": self.segments_out,
        }

    cdef tuple _next_timer(self):
        # Of the timers that run, the name of the one that expires first, and when.
        cdef Sender sender = self.sender
        cdef bint persists = sender.una == sender.nxt or sender.window == 0
        timers = [
            (self.receiver.ack_at, "delayed ACK"), (self.life_at, "FIN-WAIT-2" if self.orphan else "keepalive"),
            (sender.rto_at, "persist" if persists else "retransmission"), (self.give_up_at(), "user timeout"),
        ]
        if sender.flight != NULL:
            timers += [(sender.flight.rack.probe_at, "tail loss probe"), (sender.flight.rack.reorder_at, "reordering")]
        at, name = min(timers)
        return (None if at == NEVER or self.host is None else name), at
