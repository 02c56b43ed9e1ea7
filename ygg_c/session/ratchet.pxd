# What arrives for a session, and the one table of what that does to its keys (protocol 0.5, sections 7.6 and 7.7).
#
# When and whether an answer leaves is not here: `table` decides it.

from libc.stdint cimport uint64_t

cdef enum State:
    NO_SESSION = 0          # perhaps an opening, whose Init is on its way
    DUE                     # the next packet under one of the remote's next keys has us step
    RESTED                  # such a packet has had us step less than a minute ago
    STATES

# The first three are the numbers of the secrets under which packets open, see session.pxd.
cdef enum Event:
    TRAFFIC_CURRENT_RECV = 0    # (their key, ours) that the numbers of a packet name, when it opens: what they sent ...
    TRAFFIC_NEXT_SEND           # ... before they saw our latest step, after they did, ...
    TRAFFIC_NEXT_RECV           # ... and when both have opened at the same moment
    TRAFFIC_UNKNOWN             # numbers that are none of these
    TRAFFIC_FORGED              # the box does not open
    TRAFFIC_REPLAYED            # it opens, and a nonce at least as high has been accepted under the same secret
    TRAFFIC_MALFORMED           # too short, or a bad number
    HANDSHAKE_OLD               # genuine, and not later than what came before
    HANDSHAKE_COPY              # the last one once more, second and all
    HANDSHAKE_AGAIN             # later, and tells the keys we know
    HANDSHAKE_LATER             # later, and tells others
    # the same, and the remote has started anew: it has hardly stepped, and they follow from none we know
    HANDSHAKE_ANEW
    MINUTE_OVER                 # since the last step that a packet has caused
    EVENTS

cdef enum:                      # what is done then
    IGNORE = 0              # no key moves, nothing is delivered
    ASK                     # the same, and an Init is sent when it is time
    NOTE                    # the handshake's second counts, no key moves
    DELIVER                 # the payload goes up, no key moves
    STEP                    # the payload goes up, the remote's next key becomes current, ours move up
    TAKE                    # the handshake's keys are the remote's, ours move up
    CREATE                  # the same, for a session that it makes

# The action, -1 where the event cannot happen.
cdef int action_for(int state, int event) noexcept nogil


# Which event a packet is if it opens: by how far the number that they give for themselves is ahead of the one we know,
# and the one that they give for us behind ours.
cdef inline int traffic_event(uint64_t ahead, uint64_t behind) noexcept nogil:
    if ahead == 0:
        return TRAFFIC_CURRENT_RECV if behind == 1 else TRAFFIC_UNKNOWN
    if ahead == 1:
        return TRAFFIC_NEXT_SEND if behind == 0 else TRAFFIC_NEXT_RECV if behind == 1 else TRAFFIC_UNKNOWN
    return TRAFFIC_UNKNOWN
