# Loss found by time (RACK) and probes for what the end of a flight lost (TLP), RFC 8985.
#
# A segment is lost when one sent later was delivered and it still was not a round trip and a reordering window later.
# That window is zero until reordering was seen, if three segments are SACKed or a recovery is on; else a quarter of the
# least round trip for each round trip in which a DSACK showed that it was too short. Where segments came late and were
# not sent again, how late they were says it without a retransmission for nothing: the window is a quarter more than
# that. It never exceeds SRTT, and 16 recoveries without either reset it.

from libc.stdint cimport uint32_t, uint64_t

from ygg_c.tcp.rtt cimport Rtt
from ygg_c.tcp.scoreboard cimport Delivery, Scoreboard

cdef struct Rack:
    uint64_t sent_at            # of the delivered segment that was sent last; 0: none
    uint64_t end
    uint64_t rtt                # and its round trip
    uint64_t lateness           # ns that a segment came after it would have counted as lost without a window
    uint64_t dsack_round        # no DSACK counts until `una` is here
    uint64_t reorder_at         # when a segment becomes lost if nothing is heard of it, NEVER: none
    uint64_t probe_at           # when a probe goes, NEVER: none
    uint64_t probe_end          # `nxt` when the probe left; 0: no probe is out
    uint32_t steps              # quarters of the least round trip beyond the first
    uint32_t keep               # recoveries until the window is reset
    bint reordered              # segments overtook one another
    bint probe_resent           # it was a retransmission

cdef void rack_start(Rack *rack) noexcept nogil
# All was delivered before, in round trips of `rtt`.
cdef void rack_resume(Rack *rack, uint64_t rtt) noexcept nogil
cdef bint rack_is_fresh(const Rack *rack) noexcept nogil    # nothing is known of the path, and nothing runs
cdef void rack_take(Rack *rack, const Delivery *delivery, uint64_t now) noexcept nogil
# What came late was there first, and sent again for nothing.
cdef void rack_late(Rack *rack, uint64_t first_sent, uint64_t now) noexcept nogil
cdef void rack_duplicate(Rack *rack, uint64_t una, uint64_t nxt) noexcept nogil     # a DSACK
cdef void rack_recovered(Rack *rack) noexcept nogil
cdef uint64_t rack_window(const Rack *rack, const Scoreboard *board, const Rtt *rtt, bint recovering) noexcept nogil
# Lose what is due, and return how much.
cdef uint64_t rack_detect(Rack *rack, Scoreboard *board, uint64_t window, uint64_t now) noexcept nogil
# The retransmission timer expired: lose the first segment, and of the others those that are due; all, before anything
# was delivered. Return when these were sent at the latest.
cdef uint64_t rack_timed_out(Rack *rack, Scoreboard *board, uint64_t window, uint64_t now) noexcept nogil
# Whether an ACK shows that the probe has repaired a loss. `repeats`: it is a pure duplicate; `duplicate_end`: of its
# DSACK, or 0.
cdef bint rack_probe_acked(Rack *rack, uint64_t ack, bint repeats, uint64_t duplicate_end) noexcept nogil
