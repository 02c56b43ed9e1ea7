# How many engine objects are alive, by kind: the test suite fails a test that leaves one behind.

cdef enum:
    LIVE_NODE = 0
    LIVE_LINK
    LIVE_SESSION
    LIVE_GATEWAY
    LIVE_STACK
    LIVE_TCP
    LIVE_LISTENER
    LIVE_LIGHT              # connections that are half-open or in TIME-WAIT
    LIVE_UDP
    LIVE_PUMP
    LIVE_PACKET
    LIVE_TLS
    LIVE_KINDS

cdef void born(int kind) noexcept
cdef void died(int kind) noexcept
