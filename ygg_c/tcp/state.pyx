"""Connection states and their transitions; see state.pxd."""

STATES_BY_NAME = (
    "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",
    "LAST-ACK", "TIME-WAIT",
)
EVENTS_BY_NAME = (
    "OPEN call", "LISTEN call", "CLOSE call", "ABORT", "evicted", "SYN", "SYN,ACK", "ACK of SYN", "FIN", "ACK of FIN",
    "RST", "unreachable", "timeout",
)

cdef signed char _table[<int>STATES][<int>EVENTS]

_ROWS = {
    CLOSED: {CALL_OPEN: SYN_SENT, CALL_LISTEN: LISTEN},
    LISTEN: {GOT_SYN: SYN_RCVD, ABORT: CLOSED},
    SYN_SENT: {
        GOT_SYN_ACK: ESTABLISHED, GOT_SYN: SYN_RCVD, CALL_CLOSE: CLOSED, ABORT: CLOSED, GOT_RST: CLOSED,
        UNREACHABLE: CLOSED,
        TIMED_OUT: CLOSED,
    },
    SYN_RCVD: {
        GOT_ACK_OF_SYN: ESTABLISHED, ABORT: CLOSED, GOT_RST: CLOSED, UNREACHABLE: CLOSED, TIMED_OUT: CLOSED,
    },
    ESTABLISHED: {CALL_CLOSE: FIN_WAIT_1, GOT_FIN: CLOSE_WAIT, ABORT: CLOSED, GOT_RST: CLOSED, TIMED_OUT: CLOSED},
    FIN_WAIT_1: {GOT_ACK_OF_FIN: FIN_WAIT_2, GOT_FIN: CLOSING, ABORT: CLOSED, GOT_RST: CLOSED, TIMED_OUT: CLOSED},
    FIN_WAIT_2: {GOT_FIN: TIME_WAIT, ABORT: CLOSED, GOT_RST: CLOSED, TIMED_OUT: CLOSED},
    CLOSE_WAIT: {CALL_CLOSE: LAST_ACK, ABORT: CLOSED, GOT_RST: CLOSED, TIMED_OUT: CLOSED},
    CLOSING: {GOT_ACK_OF_FIN: TIME_WAIT, ABORT: CLOSED, GOT_RST: CLOSED, TIMED_OUT: CLOSED},
    LAST_ACK: {GOT_ACK_OF_FIN: CLOSED, ABORT: CLOSED, GOT_RST: CLOSED, TIMED_OUT: CLOSED},
    TIME_WAIT: {ABORT: CLOSED, EVICTED: CLOSED, TIMED_OUT: CLOSED},
}
TRANSITIONS = {}


cdef _fill():
    cdef int state, event
    for state in range(STATES):
        for event in range(EVENTS):
            _table[state][event] = _ROWS[state].get(event, -1)
            if _table[state][event] >= 0:
                TRANSITIONS[STATES_BY_NAME[state], EVENTS_BY_NAME[event]] = STATES_BY_NAME[<int>_table[state][event]]


cdef int next_state(State state, Event event) noexcept nogil:
    return _table[<int>state][<int>event]


_fill()
