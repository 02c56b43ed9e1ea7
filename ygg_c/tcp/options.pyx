"""Options of connections; see options.pxd."""

from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.tcp.ecn cimport ECN_AGREE, ECN_OFF
from ygg_c.tcp.wire cimport MAX_SCALE, MIN_MSS

from ygg_c.tcp.congestion.registry import check_name


cdef uint16_t checked_mss(object value) except? 1:
    cdef int limit = 0 if value is None else value
    if value is not None and not MIN_MSS <= limit <= 65535:
        raise ValueError(f"a segment has {MIN_MSS} to 65535 bytes")
    return <uint16_t>limit


cdef int checked_keepalive(object value, uint64_t *idle, uint64_t *interval, uint16_t *count) except -1:
    first, again, most = value
    if first <= 0 or again <= 0 or most <= 0:
        raise ValueError("keepalive takes positive times and a positive count")
    idle[0], interval[0], count[0] = first, again, min(most, 65535)
    return 0


cdef size_t _size(object value) except? 1:
    if value is None:
        return 0
    if value <= 0:
        raise ValueError("a limit is a positive number of bytes")
    return value


cdef class TcpOptions:
    """What TCP connections begin with."""

    def __cinit__(self):
        self.idle, self.interval, self.count = 7200 * SECOND, 75 * SECOND, 9       # as Linux has them
        self.linger_time = NEVER
        self.ecn_use = -1

    def copy(self):
        """Return others with the same values."""
        cdef TcpOptions other = TcpOptions()
        other.nodelay, other.corked, other.quick_ack = self.nodelay, self.corked, self.quick_ack
        other.user_timeout, other.linger_time = self.user_timeout, self.linger_time
        other.keeps, other.idle, other.interval, other.count = self.keeps, self.idle, self.interval, self.count
        other.send_most, other.receive_most, other.unsent_most = self.send_most, self.receive_most, self.unsent_most
        other.segment_most, other.ecn_use, other.algorithm = self.segment_most, self.ecn_use, self.algorithm
        return other

    cdef int ecn_of(self, Host host) noexcept:
        return host.ecn if self.ecn_use < 0 else self.ecn_use

    cdef int scale(self, Host host) noexcept:
        cdef size_t most = max(host.receive_buffer_max, self.receive_most)
        cdef int scale = 0
        while scale < MAX_SCALE and <size_t>65535 << scale < most:
            scale += 1
        return scale

    cdef uint16_t window(self, Host host, size_t allowance) noexcept:
        # The window of a SYN is not scaled (RFC 7323, 2.2).
        return <uint16_t>min(min(self.receive_most or host.receive_buffer, allowance), <size_t>65535)

    cdef uint16_t mss(self, size_t mtu) noexcept:
        cdef size_t most = min(mtu - 60, <size_t>65535)
        return <uint16_t>(min(most, <size_t>self.segment_most) if self.segment_most else most)

    @property
    def keepalive(self):
        return self.keepalive_times if self.keeps else None

    @keepalive.setter
    def keepalive(self, value):
        if value is not None:
            self.keepalive_times = value
        self.keeps = value is not None

    @property
    def keepalive_times(self):
        return (self.idle, self.interval, self.count)

    @keepalive_times.setter
    def keepalive_times(self, value):
        checked_keepalive(value, &self.idle, &self.interval, &self.count)

    @property
    def linger(self):
        return None if self.linger_time == NEVER else self.linger_time

    @linger.setter
    def linger(self, value):
        self.linger_time = NEVER if value is None else value

    @property
    def send_limit(self):
        return self.send_most or None

    @send_limit.setter
    def send_limit(self, value):
        self.send_most = _size(value)

    @property
    def receive_limit(self):
        return self.receive_most or None

    @receive_limit.setter
    def receive_limit(self, value):
        self.receive_most = _size(value)

    @property
    def unsent_limit(self):
        return self.unsent_most or None

    @unsent_limit.setter
    def unsent_limit(self, value):
        self.unsent_most = <uint32_t>min(_size(value), <size_t>0xffffffff)

    @property
    def mss_limit(self):
        return self.segment_most or None

    @mss_limit.setter
    def mss_limit(self, value):
        self.segment_most = checked_mss(value)

    @property
    def ecn(self):
        return None if self.ecn_use < 0 else self.ecn_use

    @ecn.setter
    def ecn(self, value):
        if value is not None and not ECN_OFF <= value <= ECN_AGREE:
            raise ValueError("ecn is 0, 1 or 2")
        self.ecn_use = -1 if value is None else value

    @property
    def congestion_control(self):
        return self.algorithm

    @congestion_control.setter
    def congestion_control(self, value):
        self.algorithm = None if value is None else check_name(value)
