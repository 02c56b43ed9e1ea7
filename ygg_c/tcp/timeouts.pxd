# The sender's timers: retransmission and persist (one deadline: either runs), tail loss probe, reordering, user
# timeout.
#
# The functions are the sender's: each is given it, and its connection.

from libc.stdint cimport uint64_t

from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.sender cimport Sender

# After a flush: when the first of them expires.
cdef void timeouts_set(Sender sender, TcpEndpoint connection, uint64_t now) noexcept
# `timer_at` has come.
cdef void timeouts_fire(Sender sender, TcpEndpoint connection, uint64_t now) noexcept
# Ask a peer that may have forgotten the connection, by what is in flight. False: nothing waits longer than it would
# anyway.
cdef bint timeouts_hasten(Sender sender, uint64_t now) noexcept
# There is a way to the peer again: what waits leaves, no sooner than the timer would expire without its backoff and
# what outages have made of it. Attempts are counted anew, but not when there was no progress for `most` ns. False as
# before.
cdef bint timeouts_path_found(Sender sender, uint64_t now, uint64_t most) noexcept
