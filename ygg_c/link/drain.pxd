# How fast a link drains, and how much may therefore wait below its fair queue, where nothing can be shared out any
# more.
#
# The rate is that at which the transport takes bytes while it is full and more of them wait; so it needs no knowledge
# of the transport. Until it has been full, the rate is a guess, which doubles whenever the transport takes a burst
# without filling up. All that depends on it is a time's worth of bytes, between bounds: slow links keep short queues,
# and fast ones work in batches as large as they ever were.

from libc.stdint cimport uint64_t

cdef enum:
    FLIGHT_MOST = 262144
    UNSENT_MOST = 524288            # two flights: one is on its way into the kernel while the other leaves it
    BURST_LEAST = 9800              # of which headers are two hundredths
    SMALLEST = 1220                 # what always fits (RFC 8200, 5)

cdef struct Drain:
    uint64_t rate                   # bytes a second
    bint guessed                    # it was never measured, or has doubled since
    uint64_t full_at                # ns; the transport has been full, or about to be, since then; NEVER: it is not
    uint64_t bytes                  # taken since then
    uint64_t slack                  # µs beyond UNSENT_TIME that this program takes to notice that there is room
    bint dry                        # the transport has run out of bytes since `full_at`, though more waited
    uint64_t burst_at               # ns
    uint64_t burst_bytes            # taken then, without filling up
    # Limits, in bytes.
    size_t flight                   # taken out of the queues for one write
    size_t unsent                   # that the transport may hold
    size_t credit                   # of own packets in the fair queue, where the transport has room
    size_t ahead                    # the same, while it is full: what is sealed then can be overtaken by nothing
    size_t burst                    # that one flow sends before the next has its turn; also the largest useful segment

cdef void drain_init(Drain *drain) noexcept
cdef void drain_took(Drain *drain, size_t count, bint full, uint64_t now) noexcept
# The transport was full, and when it told of room it had sent everything: it should have held more.
cdef void drain_ran_dry(Drain *drain) noexcept
# Output has been given to the transport: is it full now?
cdef void drain_flushed(Drain *drain, bint full, uint64_t now) noexcept
