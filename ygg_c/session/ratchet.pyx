"""What happens to a session, and the one table of what that does to its keys; see ratchet.pxd and docs/sessions.md."""

STATES_BY_NAME = ("none", "due", "rested")
EVENTS_BY_NAME = (
    "traffic (current, recv)", "traffic (next, send)", "traffic (next, recv)", "traffic of unknown keys",
    "forged traffic", "replayed traffic", "malformed traffic", "old handshake", "copied handshake",
    "handshake of known keys", "handshake of later keys", "handshake of a remote anew", "a minute is over",
)
ACTIONS_BY_NAME = ("ignore", "ask", "note", "deliver", "step", "take", "create")

# Without a session all traffic is of unknown keys, and all handshakes are of a remote anew.
_ROWS = {
    NO_SESSION: {TRAFFIC_UNKNOWN: (ASK, NO_SESSION), HANDSHAKE_ANEW: (CREATE, DUE)},
    DUE: {
        TRAFFIC_CURRENT_RECV: (DELIVER, DUE),
        TRAFFIC_NEXT_SEND: (STEP, RESTED),
        TRAFFIC_NEXT_RECV: (STEP, RESTED),
        TRAFFIC_UNKNOWN: (ASK, DUE),
        TRAFFIC_FORGED: (ASK, DUE),
        TRAFFIC_REPLAYED: (IGNORE, DUE),
        TRAFFIC_MALFORMED: (IGNORE, DUE),
        HANDSHAKE_OLD: (IGNORE, DUE),
        HANDSHAKE_COPY: (IGNORE, DUE),
        HANDSHAKE_AGAIN: (NOTE, DUE),
        HANDSHAKE_LATER: (TAKE, DUE),
        HANDSHAKE_ANEW: (TAKE, DUE),
    },
    RESTED: {
        TRAFFIC_CURRENT_RECV: (DELIVER, RESTED),
        TRAFFIC_NEXT_SEND: (DELIVER, RESTED),
        TRAFFIC_NEXT_RECV: (DELIVER, RESTED),
        TRAFFIC_UNKNOWN: (ASK, RESTED),
        TRAFFIC_FORGED: (ASK, RESTED),
        TRAFFIC_REPLAYED: (IGNORE, RESTED),
        TRAFFIC_MALFORMED: (IGNORE, RESTED),
        HANDSHAKE_OLD: (IGNORE, RESTED),
        HANDSHAKE_COPY: (IGNORE, RESTED),
        HANDSHAKE_AGAIN: (NOTE, RESTED),
        HANDSHAKE_LATER: (TAKE, RESTED),
        HANDSHAKE_ANEW: (TAKE, RESTED),
        MINUTE_OVER: (IGNORE, DUE),
    },
}
TRANSITIONS = {}

cdef signed char _actions[<int>STATES][<int>EVENTS]


cdef _fill():
    cdef int state, event, action, after
    for state in range(STATES):
        for event in range(EVENTS):
            action, after = _ROWS[state].get(event, (-1, -1))
            _actions[state][event] = action
            if action >= 0:
                TRANSITIONS[STATES_BY_NAME[state], EVENTS_BY_NAME[event]] = (
                    ACTIONS_BY_NAME[action], STATES_BY_NAME[after])


cdef int action_for(int state, int event) noexcept nogil:
    return _actions[state][event]


_fill()
