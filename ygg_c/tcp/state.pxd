# The states of a connection, what happens to it, and the one table of transitions (RFC 9293, 3.3.2 and 3.10).
#
# A segment can be several events, one after the other: a SYN that was waited for, its acknowledgement of ours, its FIN.
# What a state does besides (which segments leave, which timers run) is not here.

cdef enum State:
    CLOSED = 0
    LISTEN
    SYN_SENT
    SYN_RCVD
    ESTABLISHED
    FIN_WAIT_1
    FIN_WAIT_2
    CLOSE_WAIT
    CLOSING
    LAST_ACK
    TIME_WAIT
    STATES

cdef enum Event:
    CALL_OPEN = 0       # the application dials
    CALL_LISTEN         # a listener makes it
    CALL_CLOSE          # the application writes no more; in SYN-RECEIVED this waits until the handshake is done
    ABORT               # the application or the stack gives it up
    EVICTED             # the stack needs its place for another
    GOT_SYN             # a SYN that does not acknowledge ours
    GOT_SYN_ACK         # one that does
    GOT_ACK_OF_SYN
    GOT_FIN             # all before it has arrived
    GOT_ACK_OF_FIN
    GOT_RST             # a valid one
    UNREACHABLE         # ICMPv6 says so for good
    TIMED_OUT           # without an answer for too long, or the wait of FIN-WAIT-2 or TIME-WAIT is over
    EVENTS

# The state after `event`, -1 where it cannot happen.
cdef int next_state(State state, Event event) noexcept nogil
