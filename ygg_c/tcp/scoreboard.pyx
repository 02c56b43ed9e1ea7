"""The scoreboard: what is known of each segment that was sent; see scoreboard.pxd."""

from libc.stdlib cimport free, malloc
from libc.string cimport memset


cdef enum:
    LEAST_ROOM = 8


cdef void board_free(Scoreboard *board) noexcept nogil:
    free(board.ring)
    memset(board, 0, sizeof(Scoreboard))


# The list of those in flight, by time of sending.


cdef inline void _link_last(Scoreboard *board, uint32_t number) noexcept nogil:
    cdef Sent *record = board_record(board, number)
    if board.listed == 0:
        board.oldest = number
    else:
        board_record(board, board.newest).newer = number
    record.older = board.newest
    board.newest = number
    board.listed += 1
    board.in_flight += record.size


cdef inline void _unlink(Scoreboard *board, uint32_t number) noexcept nogil:
    cdef Sent *record = board_record(board, number)
    if number == board.oldest:
        board.oldest = record.newer
    else:
        board_record(board, record.older).newer = record.newer
    if number == board.newest:
        board.newest = record.older
    else:
        board_record(board, record.newer).older = record.older
    board.listed -= 1
    board.in_flight -= record.size


cdef inline bint _is_earlier(const Scoreboard *board, uint32_t number, uint32_t other) noexcept nogil:
    cdef uint64_t at = board_record(board, number).last_sent
    cdef uint64_t other_at = board_record(board, other).last_sent
    return at < other_at or (at == other_at and number - board.first < other - board.first)


cdef void _sort(Scoreboard *board) noexcept nogil:
    # By time of sending, in place: runs of 1, 2, 4, ... are merged in pairs. A peer has a say in the order that was
    # before.
    cdef uint32_t run = 1
    cdef uint32_t done, left, right, lefts, rights, next, _step
    while run < board.listed:
        done = 0
        right = board.oldest
        while done < board.listed:
            left = right
            lefts = min(run, board.listed - done)
            rights = min(run, board.listed - done - lefts)
            for _step in range(lefts):
                right = board_record(board, right).newer
            while lefts or rights:
                if lefts and (rights == 0 or _is_earlier(board, left, right)):
                    next = left
                    left = board_record(board, left).newer
                    lefts -= 1
                else:
                    next = right
                    right = board_record(board, right).newer
                    rights -= 1
                if done == 0:
                    board.oldest = next
                else:
                    board_record(board, board.newest).newer = next
                    board_record(board, next).older = board.newest
                board.newest = next
                done += 1
        run *= 2


# Sending.


cdef bint _set_room(Scoreboard *board, uint32_t room) noexcept nogil:
    cdef Sent *ring = <Sent *>malloc(room * sizeof(Sent))
    cdef uint32_t index
    if ring == NULL:
        return False
    for index in range(board.count):
        ring[(board.first + index) & (room - 1)] = board_record(board, board.first + index)[0]
    free(board.ring)
    board.ring = ring
    board.mask = room - 1
    return True


cdef bint board_has_room(Scoreboard *board) noexcept nogil:
    if board.ring == NULL:
        return _set_room(board, LEAST_ROOM)
    return board.count <= board.mask or (board.count < MAX_RECORDS and _set_room(board, 2 * (board.mask + 1)))


cdef Sent *board_push(Scoreboard *board, uint64_t start, uint32_t size, uint64_t now) noexcept nogil:
    cdef Sent *record
    cdef uint32_t number = board.first + board.count
    if not board_has_room(board):
        return NULL
    board.count += 1
    record = board_record(board, number)
    record.start = start
    record.size = size
    record.first_sent = record.last_sent = now
    record.sends = 1
    record.flags = 0
    _link_last(board, number)
    return record


cdef Sent *board_resend(Scoreboard *board, uint32_t number, uint64_t now) noexcept nogil:
    cdef Sent *record = board_record(board, number)
    if record.flags & LOST:
        record.flags &= ~LOST
        board.lost -= record.size
    else:
        _unlink(board, number)
    record.last_sent = now
    record.flags |= RESENT
    record.sends += record.sends < 65535
    _link_last(board, number)
    return record


# Delivery.


cdef inline void _note(const Scoreboard *board, const Sent *record, Delivery *delivery) noexcept nogil:
    # `record` was delivered just now.
    cdef bint late = sent_end(record) < board.highest
    if record.flags & RESENT:
        delivery.resent = True
        if late and (delivery.late_resent_at == 0 or record.first_sent < delivery.late_resent_at):
            delivery.late_resent_at = record.first_sent
        if record.last_sent > delivery.credible:
            return
    else:
        if delivery.once_at == 0 or record.last_sent < delivery.once_at:
            delivery.once_at = record.last_sent
        if delivery.once_start == 0 or record.start < delivery.once_start:
            delivery.once_start = record.start
        if late and (delivery.late_at == 0 or record.last_sent < delivery.late_at):
            delivery.late_at = record.last_sent
    if record.last_sent >= delivery.newest.last_sent:
        delivery.newest = record[0]


cdef void _trim(Scoreboard *board, Sent *record, uint64_t ack, Delivery *delivery) noexcept nogil:
    # A part of the first record is acknowledged.
    cdef uint32_t gone = <uint32_t>(ack - record.start)
    record.start = ack
    record.size -= gone
    if record.flags & SACKED:
        board.sacked -= gone
        return
    delivery.size += gone
    if record.flags & LOST:
        board.lost -= gone
    else:
        board.in_flight -= gone


cdef void board_acknowledge(Scoreboard *board, uint64_t ack, Delivery *delivery) noexcept nogil:
    cdef Sent *record
    while board.count:
        record = board_record(board, board.first)
        if sent_end(record) > ack:
            if record.start < ack:
                _trim(board, record, ack, delivery)
            break
        if record.flags & SACKED:
            board.sacked -= record.size
            board.sacks -= 1
        else:
            delivery.size += record.size
            if record.flags & LOST:
                board.lost -= record.size
            else:
                _unlink(board, board.first)
            _note(board, record, delivery)
        if board.cursor == board.first:
            board.cursor += 1
        board.first += 1
        board.count -= 1
    board.highest = max(board.highest, ack)


cdef void board_rest(Scoreboard *board) noexcept nogil:
    if board.count == 0 and board.ring != NULL:
        free(board.ring)
        board.ring = NULL
        board.mask = 0


cdef uint32_t _past_sacked(Scoreboard *board, uint32_t number) noexcept nogil:
    # The first record from `number` on that is not SACKED, or the end. The way there is shortened for the next time.
    cdef uint32_t end = board.first + board.count
    cdef uint32_t root = number
    cdef uint32_t next
    while root != end and board_record(board, root).flags & SACKED:
        root = board_record(board, root).newer
    while number != root:
        next = board_record(board, number).newer
        board_record(board, number).newer = root
        number = next
    return root


cdef uint32_t _find(const Scoreboard *board, uint64_t position) noexcept nogil:
    # The first record that starts at `position` or above, or the end.
    cdef uint32_t low = 0
    cdef uint32_t high = board.count
    cdef uint32_t middle
    while low < high:
        middle = (low + high) // 2
        if board_record(board, board.first + middle).start < position:
            low = middle + 1
        else:
            high = middle
    return board.first + low


cdef void board_sack(Scoreboard *board, uint64_t start, uint64_t end, Delivery *delivery) noexcept nogil:
    cdef uint32_t number = _find(board, start)
    cdef uint32_t last = board.first + board.count
    cdef Sent *record
    cdef uint64_t reached = board.highest
    while True:
        number = _past_sacked(board, number)
        if number == last:
            break
        record = board_record(board, number)
        if sent_end(record) > end:
            break
        if record.flags & LOST:
            record.flags &= ~LOST
            board.lost -= record.size
        else:
            _unlink(board, number)
        _note(board, record, delivery)
        record.flags |= SACKED
        number += 1
        record.newer = number
        board.sacks += 1
        board.sacked += record.size
        delivery.size += record.size
        delivery.sacked += record.size
        reached = max(reached, sent_end(record))
    board.highest = reached


cdef void board_unsack(Scoreboard *board) noexcept nogil:
    cdef uint32_t index
    cdef Sent *record
    for index in range(board.count):
        record = board_record(board, board.first + index)
        if record.flags & SACKED:
            record.flags &= ~SACKED
            _link_last(board, board.first + index)
    _sort(board)
    board.sacked = 0
    board.sacks = 0


# Loss.


cdef void board_lose(Scoreboard *board, uint32_t number) noexcept nogil:
    cdef Sent *record = board_record(board, number)
    _unlink(board, number)
    record.flags |= LOST
    if board.lost == 0 or number - board.first < board.cursor - board.first:
        board.cursor = number
    board.lost += record.size


cdef bint board_next_lost(Scoreboard *board, uint32_t *number) noexcept nogil:
    if board.lost == 0:
        return False
    while not board_record(board, board.cursor).flags & LOST:
        board.cursor += 1
    number[0] = board.cursor
    return True


cdef void board_restore(Scoreboard *board) noexcept nogil:
    cdef uint32_t index
    cdef Sent *record
    for index in range(board.count):
        record = board_record(board, board.first + index)
        if record.flags & LOST:
            record.flags &= ~LOST
            board.lost -= record.size
            _link_last(board, board.first + index)
    _sort(board)


cdef uint32_t _parts(const Scoreboard *board, uint32_t size) noexcept nogil:
    cdef uint32_t index
    cdef uint32_t parts = 0
    for index in range(board.count):
        parts += (board_record(board, board.first + index).size + size - 1) // size
    return parts


cdef void _divide(const Scoreboard *board, Scoreboard *divided, uint32_t size) noexcept nogil:
    # Copy the records to an empty board that has room for their parts; what is LOST is so in both.
    cdef const Sent *whole
    cdef Sent *part
    cdef uint32_t index, done
    for index in range(board.count):
        whole = board_record(board, board.first + index)
        done = 0
        while done < whole.size:
            part = board_record(divided, divided.count)
            part[0] = whole[0]
            part.start += done
            part.size = min(size, whole.size - done)
            done += part.size
            divided.count += 1
            if part.flags & SACKED:
                part.newer = divided.count
                divided.sacks += 1
                divided.sacked += part.size
            else:
                part.flags &= ~LOST
                _link_last(divided, divided.count - 1)
    _sort(divided)


cdef bint board_split(Scoreboard *board, uint32_t size) noexcept nogil:
    cdef Scoreboard divided
    cdef const Sent *whole
    cdef uint32_t index
    cdef uint32_t number = 0
    cdef uint32_t room = LEAST_ROOM
    cdef uint32_t parts = _parts(board, size)
    if parts == board.count:
        return True
    while room < parts:
        room *= 2
    memset(&divided, 0, sizeof(divided))
    if not _set_room(&divided, room):
        return False
    divided.highest = board.highest
    _divide(board, &divided, size)
    for index in range(board.count):
        whole = board_record(board, board.first + index)
        while number < divided.count and board_record(&divided, number).start < sent_end(whole):
            if not whole.flags & SACKED and (whole.size > size or whole.flags & LOST):
                board_lose(&divided, number)
            number += 1
    free(board.ring)
    board[0] = divided
    return True
