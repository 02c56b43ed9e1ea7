"""TCP connections as the application has them."""

import errno
import os

from libc.stdint cimport uint8_t

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer

from ygg_c.endpoint cimport COUNT_TCP_RESETS_SENT
from ygg_c.forks cimport check_fork
from ygg_c.ipv6 cimport get16
from ygg_c.packetio cimport NEVER
from ygg_c.remotenode cimport LEAST_BUFFER, OUTBOUND
from ygg_c.tcp.congestion.base cimport Congestion
from ygg_c.tcp.congestion.registry cimport make_congestion
from ygg_c.tcp.sender cimport CLOSE_WAIT, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, SYN_SENT, TIME_WAIT
from ygg_c.tcp.wire cimport ACK, RST

cdef enum:
    # ns. In a shorter time no link brings a good part of a window: on a path within one machine the window is to stay as
    # small as serves, for what waits there has left the processor's caches when it is read.
    LEAST_INTERVAL = 200000

_STATES = (
    "CLOSED", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",
    "LAST-ACK", "TIME-WAIT",
)
_PHASES = ("open", "recovery", "loss", "repair")


cdef object _error(int code):
    return OSError(code, os.strerror(code))


cdef class TcpConnection(TcpMachine):
    """One TCP connection."""

    @property
    def local(self):
        return (self.key[16:32], get16(self.key + 34))

    @property
    def remote(self):
        return (self.key[:16], get16(self.key + 32))

    @property
    def state(self):
        return _STATES[<int>self._state]

    @property
    def nodelay(self):
        return bool(self.no_delay)

    @nodelay.setter
    def nodelay(self, bint value):
        self.no_delay = value
        if value and self.host is not None:
            self.host.mark(self)

    @property
    def corked(self):
        return bool(self.is_corked)

    @corked.setter
    def corked(self, bint value):
        self.is_corked = value
        if not value and self.host is not None:
            self.host.mark(self)

    @property
    def keepalive(self):
        return (self._keep_idle, self._keep_interval, self._keep_count) if self._keep_idle else None

    @keepalive.setter
    def keepalive(self, value):
        if value is None:
            self._keep_idle = 0
            return
        idle, interval, count = value
        if idle <= 0 or interval <= 0 or count <= 0:
            raise ValueError("keepalive takes positive times and a positive count")
        self._keep_idle, self._keep_interval, self._keep_count = idle, interval, count
        if self.host is not None and ESTABLISHED <= self._state < TIME_WAIT:
            self._keep_alive(self.host._now)
            self.host.mark(self)

    @property
    def user_timeout(self):
        return self.user_limit

    @user_timeout.setter
    def user_timeout(self, uint64_t value):
        self.user_limit = value

    @property
    def congestion_control(self):
        return self.congestion.name

    @congestion_control.setter
    def congestion_control(self, str name not None):
        cdef Congestion chosen = make_congestion(name)
        if name != self.congestion.name:
            chosen.follow(self.congestion)
            self.congestion = chosen

    @property
    def send_limit(self):
        return self.send_cap

    @send_limit.setter
    def send_limit(self, size_t value):
        self.send_cap = value

    @property
    def write_limit(self):
        return self.send_cap if self.host is None else self.send_room()

    @property
    def crowded(self):
        # Only of those that a peer has opened: who dials and writes much before it reads would wait for itself.
        return self.host is not None and self.has_place and self.node.allowance(OUTBOUND) <= LEAST_BUFFER

    def await_room(self):
        """Have WRITABLE told when there is room, as if a write had found none."""
        self.starved = True

    @property
    def queued(self):
        return self.out.end - self.out.base

    @property
    def send_space(self):
        return 0 if self.host is None or self.fin_wanted else self._send_room()

    cdef uint64_t _send_room(self) noexcept:
        cdef uint64_t most = self.send_room()
        return most - min(most, self.out.end - self.out.base)

    @property
    def readable(self):
        return self.inbound.next - self.inbound.read

    @property
    def at_eof(self):
        return bool(self.fin_received and self.inbound.next == self.inbound.read)

    cdef int _write(self, object data, size_t limit) except -1:
        # Queue at most `limit` bytes. A bytes object, or a view of one, is kept by reference.
        cdef Py_buffer view
        cdef size_t size
        cdef bint idle = self.out.end == self.una
        if self.fin_wanted or self.host is None:
            raise _error(self.failure or errno.EPIPE)
        check_fork(self.host.made_in)
        if type(data) is bytes:
            size = min(<size_t>PyBytes_GET_SIZE(data), limit)
            self.out.append(data, <uint8_t *>PyBytes_AS_STRING(data), size, True)
        else:
            PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
            try:
                size = min(<size_t>view.len, limit)
                self.out.append(None, <uint8_t *>view.buf, size, False)
            finally:
                PyBuffer_Release(&view)
        if size and self.host is not None:      # an object that shows its bytes may have run code that ended us
            self.account()
            if idle:
                self.progress_at = NEVER        # between turns nobody knows the time
            self.host.mark(self)
        return 0

    def send(self, data):
        """Queue as much of `data` as `send_space` allows and return how many bytes."""
        cdef uint64_t before = self.out.end
        self._write(data, 0 if self.host is None else self._send_room())
        if self._send_room() == 0:
            self.starved = True
        return self.out.end - before

    def write(self, data):
        """Queue all of `data` whatever the limit and return `queued`."""
        self._write(data, <size_t>-1)
        if self.out.end - self.out.base > self.send_room():
            self.starved = True
        return self.out.end - self.out.base

    cdef void _was_read(self) noexcept:
        # Tell the peer when the window grew by a good part, and let it grow further where it limits the flow.
        cdef uint64_t now, interval, edge
        if self.host is None:
            return
        self.account()
        if self.fin_received:
            return
        now = self.host._now
        interval = max(self.rtt.smoothed, <uint64_t>LEAST_INTERVAL)
        if self._tuned_at == 0 or now - self._tuned_at > interval:
            if self._tuned_at and self.inbound.read - self._tuned_from > self.receive_cap // 2:
                self.receive_cap = min(self.receive_cap * 2, max(self.host.receive_buffer_max, self.receive_cap))
            self._tuned_at = now
            self._tuned_from = self.inbound.read
        edge = self.window_edge()
        if edge > self.advertised and edge - self.advertised >= min((edge - self.inbound.read) // 4, self._shown()):
            self.ack_now = True
            self.host.mark(self)

    cdef uint64_t _shown(self) noexcept:
        # The window the peer sees, or two segments where it sees less.
        cdef uint64_t shown = self.advertised - min(self.advertised, self.inbound.next)
        return max(shown, 2 * <uint64_t>max(self.largest, <size_t>1220))

    def recv(self, Py_ssize_t limit=1 << 62):
        """Return the next bytes, at most `limit`."""
        cdef object result
        if self.inbound.read == self.inbound.next:
            if self.failure and not self.fin_received:
                raise _error(self.failure)
            return b""
        if limit < 0:
            raise ValueError("limit must not be negative")
        result = self.inbound.take(limit)
        self._was_read()
        return result

    def recv_into(self, buffer):
        """Fill the writable `buffer` from its start and return how many bytes."""
        cdef Py_buffer view
        cdef size_t size
        if self.inbound.read == self.inbound.next:
            if self.failure and not self.fin_received:
                raise _error(self.failure)
            return 0
        PyObject_GetBuffer(buffer, &view, PyBUF_WRITABLE)
        try:
            size = self.inbound.copy(<uint8_t *>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)
        self._was_read()
        return size

    def shutdown_write(self):
        """Send FIN after what is queued."""
        if self.fin_wanted or self.host is None:
            return
        self.fin_wanted = True
        self.is_corked = False
        if self._state == ESTABLISHED:
            self._state = FIN_WAIT_1
        elif self._state == CLOSE_WAIT:
            self._state = LAST_ACK
        self.host.mark(self)

    def close(self):
        """Give the connection up: the stack sends what is queued and FIN, or RST where something was not read."""
        if self.host is None or self.orphan:
            return
        if self._state == SYN_SENT:
            self._finish()
            return
        if self.inbound.next > self.inbound.read or self.inbound.ranges.count:
            self.abort()
            return
        self.shutdown_write()
        self.orphan = True
        self.inbound.clear()
        self.account()
        if self._state == FIN_WAIT_2:
            self.life_at = self.host._now + self.host.fin_wait
            self.host.mark(self)

    def abort(self):
        """Reset the connection now and free it."""
        if self.host is None:
            return
        if self._state != SYN_SENT and self._state != TIME_WAIT:
            self.host.count[COUNT_TCP_RESETS_SENT] += 1
            self.transmit(self.nxt, 0, RST | ACK, self.host._now)
        self.inbound.clear()
        self._finish()

    def info(self):
        """Return the connection's figures."""
        return {
            "state": self.state,
            "rtt": self.rtt.smoothed,
            "rtt_var": self.rtt.variance,
            "rtt_min": self.rtt.least,
            "rto": self.rtt.rto,
            "cwnd": self.congestion.cwnd,
            "ssthresh": self.congestion.ssthresh,
            "congestion": self.congestion.name,
            **self.congestion.info(),
            "phase": _PHASES[<int>self.phase],
            "mss": self.mss,
            "path_mtu": self.path,
            "send_window": self.window,
            "receive_window": self.advertised - min(self.advertised, self.inbound.next),
            "receive_buffer": self.receive_cap,
            "in_flight": self.nxt - self.una,
            "sack": bool(self.sack),
            "timestamps": bool(self.stamps),
            "retransmits": self.retransmits,
            "timeouts": self.timeouts,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "segments_in": self.segments_in,
            "segments_out": self.segments_out,
        }
