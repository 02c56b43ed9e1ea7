# What connections begin with. A stack has such options for all of its connections, a listener a copy of its own for
# those that it accepts, and a dial may bring others. Where a living connection can be told too, it has an attribute of
# the same name.

from libc.stdint cimport uint16_t, uint32_t, uint64_t

from ygg_c.socket.endpoint cimport Host

cdef class TcpOptions:
    cdef public bint nodelay
    cdef public bint corked
    cdef public bint quick_ack
    cdef public uint64_t user_timeout
    cdef bint keeps                 # keepalive is on
    cdef uint64_t idle
    cdef uint64_t interval
    cdef uint16_t count
    cdef uint64_t linger_time       # NEVER: as long as it takes
    cdef size_t send_most           # 0: it tunes itself
    cdef size_t receive_most
    cdef uint32_t unsent_most       # 0: no limit of its own
    cdef uint16_t segment_most      # 0: what the path takes
    cdef int ecn_use                # EcnUse; -1: the stack's
    cdef str algorithm              # None: the stack's
    cdef int ecn_of(self, Host host) noexcept
    # What our SYN says: the shift of our windows, the window, and the largest segment that we take.
    cdef int scale(self, Host host) noexcept
    cdef uint16_t window(self, Host host, size_t allowance) noexcept
    cdef uint16_t mss(self, size_t mtu) noexcept

# The values that attributes of options and of connections take; ValueError for others.
cdef uint16_t checked_mss(object value) except? 1
cdef int checked_keepalive(object value, uint64_t *idle, uint64_t *interval, uint16_t *count) except -1
