"""A scoreboard by itself, for tests."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from ygg_c.base.clock cimport NEVER
from ygg_c.tcp.scoreboard cimport (
    LOST, RESENT, SACKED, Delivery, Scoreboard, Sent, board_acknowledge, board_free, board_lose, board_next_lost,
    board_push, board_record, board_resend, board_rest, board_restore, board_sack, board_split, board_unsack, sent_end,
)

_FLAGS = ((SACKED, "sacked"), (LOST, "lost"), (RESENT, "resent"))


cdef object _delivered(const Delivery *delivery):
    return {
        "size": delivery.size, "sacked": delivery.sacked, "once_at": delivery.once_at,
        "once_start": delivery.once_start,
        "late_at": delivery.late_at, "late_resent_at": delivery.late_resent_at, "resent": bool(delivery.resent),
        "newest": (delivery.newest.last_sent, delivery.newest.start) if delivery.newest.last_sent else None,
    }


cdef class SentSegments:
    """A scoreboard by itself. Records are told by their index, 0 for the first."""

    cdef Scoreboard _board

    def __init__(self, uint32_t first=0):
        self._board.first = self._board.cursor = first

    def __dealloc__(self):
        board_free(&self._board)

    def push(self, uint64_t start, uint32_t size, uint64_t now):
        """Note that a segment was sent for the first time; False when there is no room."""
        return board_push(&self._board, start, size, now) != NULL

    def _number(self, index):
        if not 0 <= index < self._board.count:
            raise IndexError(index)
        return <uint32_t>(self._board.first + <uint32_t>index)

    def resend(self, index, uint64_t now):
        """Note that a segment was sent again."""
        board_resend(&self._board, self._number(index), now)

    def acknowledge(self, uint64_t ack, uint64_t credible=NEVER):
        """Take a cumulative acknowledgement and return what it delivered."""
        cdef Delivery delivery
        memset(&delivery, 0, sizeof(delivery))
        delivery.credible = credible
        board_acknowledge(&self._board, ack, &delivery)
        return _delivered(&delivery)

    def sack(self, uint64_t start, uint64_t end, uint64_t credible=NEVER):
        """Take a SACK block and return what it delivered."""
        cdef Delivery delivery
        memset(&delivery, 0, sizeof(delivery))
        delivery.credible = credible
        board_sack(&self._board, start, end, &delivery)
        return _delivered(&delivery)

    def rest(self):
        """Free the memory when nothing is in flight."""
        board_rest(&self._board)

    def unsack(self):
        """Forget every SACK."""
        board_unsack(&self._board)

    def lose(self, index):
        """Mark a segment in flight as lost."""
        cdef uint32_t number = self._number(index)
        if board_record(&self._board, number).flags & (SACKED | LOST):
            raise ValueError("not in flight")
        board_lose(&self._board, number)

    def next_lost(self):
        """Return the index of the lowest segment that is lost, or None."""
        cdef uint32_t number
        return number - self._board.first if board_next_lost(&self._board, &number) else None

    def restore(self):
        """Have what was lost in flight again."""
        board_restore(&self._board)

    def split(self, uint32_t size):
        """Divide the records above `size`, and lose the parts."""
        return bool(board_split(&self._board, size))

    def records(self):
        """Return (start, end, first sent, last sent, flags) of each record."""
        cdef uint32_t index
        cdef Sent *record
        result = []
        for index in range(self._board.count):
            record = board_record(&self._board, self._board.first + index)
            flags = [name for flag, name in _FLAGS if record.flags & flag]
            result.append((record.start, sent_end(record), record.first_sent, record.last_sent, " ".join(flags)))
        return result

    def by_time(self):
        """Return the indices of the segments in flight in the order in which they were last sent."""
        cdef uint32_t number = self._board.oldest
        result = []
        for _ in range(self._board.listed):
            result.append(<uint32_t>(number - self._board.first))
            number = board_record(&self._board, number).newer
        number = self._board.newest
        for index in reversed(result):
            assert number == <uint32_t>(self._board.first + <uint32_t>index)
            number = board_record(&self._board, number).older
        return result

    @property
    def totals(self):
        """Positions in flight, SACKed and lost."""
        return (self._board.in_flight, self._board.sacked, self._board.lost)

    @property
    def sacks(self):
        """Records SACKed."""
        return self._board.sacks

    @property
    def room(self):
        """Records that there is memory for."""
        return self._board.mask + 1 if self._board.ring != NULL else 0
