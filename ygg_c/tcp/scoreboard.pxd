# What was sent and is not acknowledged: one record for each segment, in a ring, in order of position and without gaps.
#
#   number   first ............ cursor .................... first + count
#   record     │ in flight │ SACKED │ LOST │ SACKED │ in flight │           oldest ⇄ ... ⇄ newest, by time of sending
#
# A record is in flight, or SACKED, or LOST until it is sent again. Those in flight are linked in the order in which
# they were last sent, which is the order in which RACK judges them (RFC 8985). A record keeps its number for life, so
# the ring grows without touching the links.
#
# Receivers SACK the segments that they got, and records are those: one of which a block covers only a part stays in
# flight. So records are divided only where the path takes smaller segments than before, all at once.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    MAX_RECORDS = 65536         # 1 Gbit/s and 200 ms take 21,000 of the smallest full segments

cdef enum:
    SACKED = 1
    LOST = 2                    # and not sent again since
    RESENT = 4                  # sent more than once
    LIMITED = 8                 # sent while the application, not a window, was the limit

cdef struct Sent:
    uint64_t start              # position
    uint64_t first_sent         # ns
    uint64_t last_sent
    uint64_t delivered          # the connection's figures for a sample of the delivery rate, when it was last sent
    uint64_t delivered_at
    uint64_t flight_at
    uint32_t size               # positions: a FIN counts one
    # neighbours by time of sending. While SACKED, `newer` is a later number: all between are too
    uint32_t older
    uint32_t newer
    uint16_t sends
    uint8_t flags

cdef struct Scoreboard:
    Sent *ring
    uint32_t mask
    uint32_t first
    uint32_t count
    uint32_t cursor             # none before it is LOST
    uint32_t oldest             # the ends of the list of those in flight
    uint32_t newest
    uint32_t listed             # its length
    uint32_t sacks              # records SACKED
    uint64_t in_flight          # positions in flight, SACKED and LOST
    uint64_t sacked
    uint64_t lost
    uint64_t highest            # end of the highest record that was delivered

# What one ACK delivers: acknowledges or SACKs for the first time.
cdef struct Delivery:
    # Given: when a segment was sent at the latest that this ACK can answer. What was sent again later had been
    # delivered before.
    uint64_t credible
    uint64_t size               # positions
    uint64_t sacked             # those of them that were SACKed
    uint64_t once_at            # when the first that was sent once was sent, 0: none
    uint64_t once_start         # and the lowest position of those
    uint64_t late_at            # the same of those below what had been delivered before: they overtook one another
    uint64_t late_resent_at     # the same of those that were sent again: when they were sent first
    bint resent                 # one was sent more than once
    # The one sent last.
    Sent newest                 # `last_sent` 0: none

cdef inline Sent *board_record(const Scoreboard *board, uint32_t number) noexcept nogil:
    return &board.ring[number & board.mask]

cdef inline uint64_t sent_end(const Sent *record) noexcept nogil:
    return record.start + record.size

cdef void board_free(Scoreboard *board) noexcept nogil
# A segment leaves for the first time. NULL: no memory or no room.
cdef Sent *board_push(Scoreboard *board, uint64_t start, uint32_t size, uint64_t now) noexcept nogil
cdef bint board_has_room(Scoreboard *board) noexcept nogil
# A segment leaves again.
cdef Sent *board_resend(Scoreboard *board, uint32_t number, uint64_t now) noexcept nogil
# Free the ring when it is empty and stays so for now.
cdef void board_rest(Scoreboard *board) noexcept nogil
# All below `ack` is acknowledged.
cdef void board_acknowledge(Scoreboard *board, uint64_t ack, Delivery *delivery) noexcept nogil
cdef void board_sack(Scoreboard *board, uint64_t start, uint64_t end, Delivery *delivery) noexcept nogil
cdef void board_unsack(Scoreboard *board) noexcept nogil                        # the peer went back on its word
cdef void board_lose(Scoreboard *board, uint32_t number) noexcept nogil         # of one in flight
cdef bint board_next_lost(Scoreboard *board, uint32_t *number) noexcept nogil   # the lowest
cdef void board_restore(Scoreboard *board) noexcept nogil                       # what is LOST is in flight after all
# Divide records above `size`, and lose their parts that are in flight. False: no memory, all is as before.
cdef bint board_split(Scoreboard *board, uint32_t size) noexcept nogil
