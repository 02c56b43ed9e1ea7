# A whole node without IO: router, sessions, queries, and the turn in which its host runs them.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.clock cimport Clock
from ygg_c.base.packet cimport Packet
from ygg_c.ip.layer cimport Lower
from ygg_c.node.queries cimport QueryTable
from ygg_c.routing.router cimport Router
from ygg_c.session.session cimport Session
from ygg_c.session.table cimport SessionTable

# What a node gives its IPv6 payloads to: an interface. The gateway, which is defined above this module, has it.
cdef class PayloadSink(Lower):
    # An IPv6 packet that arrived from a session of this key; it may be changed in place.
    cdef void payload_in(self, const uint8_t *key, uint8_t *data, size_t size) noexcept
    # What is sent to this key waits for too long: its flow is to be told.
    cdef void queue_builds_up(self, const uint8_t *key) noexcept
    # This key now has a path.
    cdef void path_in(self, const uint8_t *key) noexcept
    # Forget what has expired; return the next deadline or NEVER.
    cdef uint64_t expire(self, uint64_t now) noexcept
    # The node has closed: part from it, and tell what is above.
    cdef void node_closed(self) noexcept
    # The node of this key has made a new session in place of one we had: it may have restarted.
    cdef void session_renewed(self, const uint8_t *key) noexcept
    # There is a link that was not there before, or one less: any way may be another.
    cdef void links_changed(self) noexcept

cdef class Node(Router):
    cdef readonly Clock clock
    cdef SessionTable sessions_table
    cdef QueryTable queries
    cdef PayloadSink attachment         # None: IPv6 payloads are dropped
    cdef public object on_work
    cdef public object on_link_closed
    cdef public object on_link_proven
    cdef public object on_no_way
    cdef public object on_error
    cdef public object on_events
    cdef list _events                   # what on_events is called with at the end of this turn; None: with nothing
    cdef uint64_t _tree_seen            # generation of the tree when its place was last looked at
    cdef tuple _place                   # root and coordinates then
    cdef uint64_t _own_record_at        # when a newer record of our own key last came, ns
    cdef int _own_records               # how many, with less than OWN_RECORD_GAP between two
    cdef uint64_t _first_link           # when a link was first proven, ns; NEVER: none was
    cdef uint64_t _late_record_at       # when one last came alone that no former run of this node can have left, ns
    cdef int _late_records              # how many, with less than LATE_RECORD_GAP between two
    cdef bytes _nodeinfo
    cdef Budget _answers                # bytes of answers to queries of strangers
    cdef int64_t _clock_base            # ns of unix time when `now` was 0, as we tell it: never moved back
    cdef uint64_t _unanswered
    cdef uint64_t _detached             # IPv6 payloads that came while nothing took them
    cdef uint64_t _told_no_way          # when that was last told, ns
    cdef uint64_t _unknown              # payloads of no known kind, answers to no request
    cdef int64_t _clock_least           # unix second from which it shall go on in the next turn
    cdef bint _closed

    # The turn, for hosts in C: enter, feed links, leave.
    cpdef void enter(self, uint64_t now, uint64_t wall) noexcept
    cpdef void leave(self) noexcept
    # The upper side acts at this time, perhaps outside a turn.
    cdef void catch_up(self, uint64_t now) noexcept
    # An IPv6 packet for a key: prepends the core payload type; takes ownership.
    cdef void send_ipv6(self, const uint8_t *key, Packet *packet) noexcept
    # Send a payload, its type byte included.
    cdef int send_bytes(self, const uint8_t *key, bytes payload) except -1
    # Run a Python callback at the end of the turn; what it raises goes to on_error.
    cdef void later(self, object function, tuple arguments) noexcept

    cdef uint64_t _poll(self) noexcept
    cdef void _look_at_place(self) noexcept
    # Have on_events hear of this at the end of the turn.
    cdef void tell(self, str what, object about) noexcept
    cdef object _lost_with(self, tuple last)
    cdef void _wake(self) noexcept
    cdef void _links_changed(self) noexcept
    cdef void _late_record_in(self) noexcept
    cdef void _call(self, object function, tuple arguments) noexcept
    cdef void _protocol_in(self, Session session, const uint8_t *data, size_t size) noexcept
    cdef void _answer(self, Session session, int kind) noexcept
    cdef size_t _answer_size(self, int kind) noexcept
    cdef void _reply_in(self, const uint8_t *key, int kind, const uint8_t *data, size_t size) noexcept
