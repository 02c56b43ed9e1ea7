# What ACKs tell of loss, and what the sender does about it: an event begins, is found to be none, ends; the window
# grows or is reduced. What is lost is found by `rack`, or without SACK by duplicates (RFC 6582); the phases are those
# of `recovery`.
#
# The functions are the sender's: each is given it, and its connection.

from libc.stdint cimport uint32_t, uint64_t

from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.scoreboard cimport Delivery
from ygg_c.tcp.sender cimport Sender

# What an ACK brought, beside what it delivered.
cdef struct Arrived:
    uint64_t ack
    bint advances
    bint repeats                    # it is a pure duplicate
    bint stamped                    # with a timestamp that counts:
    uint32_t echo
    uint64_t duplicate              # the range of a DSACK; end 0: none
    uint64_t duplicate_end
    uint64_t prior                  # in flight before it
    bint marked                     # the peer has got a mark

# An ACK has been taken.
cdef void loss_react(
    Sender sender, const Arrived *arrived, const Delivery *delivery, TcpEndpoint connection, uint64_t now
) noexcept
# Lose what is lost, and return how much of it congestion control has to know.
cdef uint64_t loss_find(Sender sender, TcpEndpoint connection, uint64_t now) noexcept
# An event begins: of what was in flight, `prior` bytes, `lost` are lost.
cdef void loss_begin(Sender sender, uint64_t lost, uint64_t prior, uint64_t now) noexcept
# Have proportional rate reduction say how much may leave now. `size`: what was delivered; `safe`: it lost nothing more.
cdef void loss_reduce(Sender sender, uint64_t size, bint safe) noexcept
