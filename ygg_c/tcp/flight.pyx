"""What is kept while segments are under way; see flight.pxd."""

from libc.stdlib cimport free, malloc
from libc.string cimport memset

from ygg_c.base.clock cimport NEVER
from ygg_c.tcp.rack cimport rack_is_fresh, rack_start
from ygg_c.tcp.recovery cimport OPEN
from ygg_c.tcp.scoreboard cimport board_free, board_rest


cdef Flight *flight_new() noexcept nogil:
    # glibc's calloc takes nothing from what a thread has freed
    cdef Flight *flight = <Flight *>malloc(sizeof(Flight))
    if flight != NULL:
        memset(flight, 0, sizeof(Flight))
        rack_start(&flight.rack)
        flight.pace_at = NEVER
        flight.limited = 1              # it begins with what the application wrote after a pause
    return flight


cdef void flight_free(Flight *flight) noexcept nogil:
    if flight != NULL:
        board_free(&flight.board)
        free(flight)


cdef Flight *flight_rest(Flight *flight, uint64_t una) noexcept nogil:
    if flight.board.count:
        return flight
    board_rest(&flight.board)
    if (flight.recovery.phase != OPEN or flight.recovery.undoable or flight.recovery.recover >= una
            or flight.search.most or not rack_is_fresh(&flight.rack)):
        return flight
    flight_free(flight)
    return NULL
