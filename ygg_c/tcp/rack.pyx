"""RACK and the tail loss probe; see rack.pxd."""

from ygg_c.base.clock cimport NEVER
from ygg_c.tcp.scoreboard cimport LOST, SACKED, Sent, board_lose, board_record, sent_end

cdef enum:
    DUP_THRESHOLD = 3
    KEEP = 16               # recoveries
    MOST_STEPS = 1000


cdef void rack_start(Rack *rack) noexcept nogil:
    rack.reorder_at = rack.probe_at = NEVER


cdef void rack_resume(Rack *rack, uint64_t rtt) noexcept nogil:
    rack.sent_at = 1
    rack.rtt = rtt


cdef bint rack_is_fresh(const Rack *rack) noexcept nogil:
    return not rack.reordered and rack.steps == 0 and rack.lateness == 0 and rack.probe_end == 0


cdef void rack_late(Rack *rack, uint64_t first_sent, uint64_t now) noexcept nogil:
    cdef uint64_t since = now - min(first_sent, now)
    rack.reordered = True
    if since > rack.rtt + rack.lateness:
        rack.lateness = since - rack.rtt
        rack.keep = KEEP


cdef void rack_take(Rack *rack, const Delivery *delivery, uint64_t now) noexcept nogil:
    cdef uint64_t sent = delivery.newest.last_sent
    cdef uint64_t end = sent_end(&delivery.newest)
    if delivery.late_at:
        rack_late(rack, delivery.late_at, now)
    if sent > rack.sent_at or (sent and sent == rack.sent_at and end > rack.end):
        rack.sent_at = sent
        rack.end = end
        rack.rtt = now - min(sent, now)


cdef void rack_duplicate(Rack *rack, uint64_t una, uint64_t nxt) noexcept nogil:
    if una < rack.dsack_round:
        return
    rack.dsack_round = nxt
    rack.steps = min(rack.steps + 1, <uint32_t>MOST_STEPS)
    rack.keep = KEEP


cdef void rack_recovered(Rack *rack) noexcept nogil:
    if rack.keep:
        rack.keep -= 1
        if rack.keep == 0:
            rack.steps = 0
            rack.lateness = 0


cdef uint64_t rack_window(const Rack *rack, const Scoreboard *board, const Rtt *rtt, bint recovering) noexcept nogil:
    if not rack.reordered and (recovering or board.sacks >= DUP_THRESHOLD):
        return 0
    return min(max((1 + rack.steps) * (rtt.least // 4), rack.lateness + rack.lateness // 4), rtt.smoothed)


cdef uint64_t rack_detect(Rack *rack, Scoreboard *board, uint64_t window, uint64_t now) noexcept nogil:
    cdef uint64_t lost = 0
    cdef Sent *record
    rack.reorder_at = NEVER
    while board.listed:
        # The list is in order of sending: those due come first.
        record = board_record(board, board.oldest)
        if record.last_sent > rack.sent_at or (record.last_sent == rack.sent_at and sent_end(record) >= rack.end):
            break
        if record.last_sent + rack.rtt + window > now:
            rack.reorder_at = record.last_sent + rack.rtt + window
            break
        lost += record.size
        board_lose(board, board.oldest)
    return lost


cdef uint64_t rack_timed_out(Rack *rack, Scoreboard *board, uint64_t window, uint64_t now) noexcept nogil:
    cdef uint64_t age = rack.rtt + window if rack.sent_at else 0
    cdef uint64_t before = now - min(age, now)
    rack.reorder_at = rack.probe_at = NEVER
    rack.probe_end = 0
    while board.listed and board_record(board, board.oldest).last_sent <= before:
        board_lose(board, board.oldest)
    if board.count and not board_record(board, board.first).flags & (SACKED | LOST):
        board_lose(board, board.first)
    return before


cdef bint rack_probe_acked(Rack *rack, uint64_t ack, bint repeats, uint64_t duplicate_end) noexcept nogil:
    cdef bint repaired = False
    if rack.probe_end == 0 or ack < rack.probe_end:
        return False
    if rack.probe_resent and duplicate_end != rack.probe_end:
        if ack == rack.probe_end and not repeats:
            return False        # of the original or of the probe: what comes next tells
        repaired = ack > rack.probe_end
    rack.probe_end = 0
    return repaired
