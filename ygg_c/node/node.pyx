"""A whole node without IO.

Everything happens in turns, of which base/turn.pyx has the rules: enter() and leave() are their brackets for hosts in
C, turn() is for those in Python. What the parts of a node have to do in a turn, and in which order, is here.
"""

from cpython.bytes cimport PyBytes_AsString
from cpython.exc cimport PyErr_SetObject, PyErr_WriteUnraisable

from ygg_c.base.address cimport key_address, key_subnet
from ygg_c.base.clock cimport MS, NEVER, SECOND
from ygg_c.base.forks cimport check_fork, generation
from ygg_c.base.packet cimport packet_copy, packet_push
from ygg_c.base.sodium cimport SIG_SIZE, Random, sign, verify
from ygg_c.base.turn cimport turn_want
from ygg_c.ip.layer cimport Layer, top_of
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.node.queries cimport QUERY_NODEINFO, QUERY_PEERS, QUERY_SELF
from ygg_c.routing.layer cimport TrafficLower, TrafficUpper
from ygg_c.routing.views cimport own_ports, root_key
from ygg_c.session.layer cimport SessionUpper

cdef int64_t CLOCK_MOST = 1 << 33               # seconds
cdef uint64_t NO_WAY_INTERVAL = 500 * MS       # ns between two calls of on_no_way
cdef int64_t NOT_SET = -(1 << 62)
cdef uint64_t OWN_RECORD_GAP = 15 * SECOND
cdef uint64_t FORMER_RUN = 300 * SECOND        # after the first link; then records of a former run are forgotten
cdef uint64_t LATE_RECORD_GAP = 900 * SECOND   # a node renews its record every four minutes

cdef enum:
    # Of these that follow each other another program makes one: a node that was restarted finds the records of its
    # former run, which are the same everywhere but for one or two that some have not heard of.
    OWN_RECORDS_MOST = 4
    OWN_RECORDS_REST = 200          # until it is told again
    LATE_RECORDS_MOST = 2           # one may be left over in a part of the network that was away
    EVENTS_MOST = 1024              # told in one turn; strangers open sessions

cdef enum:                      # first byte of a session payload
    PAYLOAD_DUMMY = 0
    PAYLOAD_IPV6 = 1
    PAYLOAD_PROTOCOL = 2

cdef enum:                      # first byte of a protocol message
    NODEINFO_REQUEST = 1
    NODEINFO_RESPONSE = 2
    DEBUG = 255

cdef enum:
    NODEINFO_MAX = 16384
    KEYS_MAX = 65533            # bytes of an answer that lists keys
    ANSWER_RATE = 262144        # bytes of answers to queries per second; one asks for up to 64 KiB
    ANSWER_BURST = 1048576
    ANSWER_LEAST = 1024         # what one counts for at least, for its work

# Debug requests in the order of the query kinds after QUERY_NODEINFO: 1, 3, 5; the responses are one above.
_KINDS = ("nodeinfo", "self", "peers", "tree")


cdef class PayloadSink(Lower):
    """What a node gives its IPv6 payloads to."""

    cdef void payload_in(self, const uint8_t *key, uint8_t *data, size_t size) noexcept:
        pass

    cdef void queue_builds_up(self, const uint8_t *key) noexcept:
        pass

    cdef void path_in(self, const uint8_t *key) noexcept:
        pass

    cdef uint64_t expire(self, uint64_t now) noexcept:
        return NEVER

    cdef void node_closed(self) noexcept:
        pass

    cdef void session_renewed(self, const uint8_t *key) noexcept:
        pass

    cdef void links_changed(self) noexcept:
        pass

    def counters(self):
        """Return the packets dropped, by reason."""
        return {}


# The first byte of a payload says whom it is for.
cdef class _Payloads(SessionUpper):
    cdef Node node                  # owns it

    cdef void payload_in(self, Session session, uint8_t *payload, size_t size) noexcept:
        cdef PayloadSink attachment = self.node.attachment
        if size and payload[0] == PAYLOAD_IPV6:
            if attachment is not None:
                attachment.payload_in(session.key, payload + 1, size - 1)
            else:
                self.node._detached += 1
        elif size and payload[0] == PAYLOAD_PROTOCOL:
            self.node._protocol_in(session, payload + 1, size - 1)
        elif size != 1 or payload[0] != PAYLOAD_DUMMY:
            self.node._unknown += 1

    cdef void session_opened(self, const uint8_t *key) noexcept:
        self.node.tell("session_opened", key[:32])

    cdef void session_closed(self, const uint8_t *key) noexcept:
        self.node.tell("session_closed", key[:32])

    cdef void name_remotes(self) noexcept:
        if self.node.attachment is not None and self.node.attachment.upper is not None:
            self.node.attachment.upper.name_remotes()

    cdef void session_renewed(self, const uint8_t *key) noexcept:
        if self.node.attachment is not None:
            self.node.attachment.session_renewed(key)


cdef class Node(Router):
    """A whole Yggdrasil node without IO."""

    def __init__(self, bytes secret not None, *, bytes group_password=b"", Random random=None, Clock clock=None):
        cdef uint8_t signature[SIG_SIZE]
        cdef _Payloads payloads = _Payloads()
        sign(signature, self.secret, 32, self.secret)
        if verify(signature, self.secret, 32, (<LinkHost>self).key) != 0:
            raise ValueError("the public half of the secret does not belong to its seed")
        payloads.node = self
        self.sessions_table = SessionTable(secret, group_password or b"", self.random)
        self.sessions_table.lower = self.local
        self.sessions_table.upper = payloads
        self.local.upper = self.sessions_table
        self.queries = QueryTable(self.random.u64())
        self._nodeinfo = b"{}"
        self._answers = Budget(ANSWER_RATE, ANSWER_BURST, self.random.u64())
        self._clock_base = NOT_SET
        self._first_link = NEVER
        self.clock = Clock() if clock is None else clock
        self._place = ((<LinkHost>self).key[:32], ())

    @property
    def address(self):
        """The 16-byte address inside 200::/7."""
        cdef uint8_t address[16]
        key_address((<LinkHost>self).key, address)
        return address[:16]

    @property
    def subnet(self):
        """The 8-byte prefix of the routed /64."""
        cdef uint8_t subnet[8]
        key_subnet((<LinkHost>self).key, subnet)
        return subnet[:8]

    def go_on_from(self, int64_t seconds):
        """Have unix time as it is told to others go on from `seconds`, or from where it stands if that is later."""
        if not 0 <= seconds < CLOCK_MOST:
            raise ValueError(f"a clock shows 0 to {CLOCK_MOST - 1} seconds, not {seconds}")
        # From the next turn on: before the first there is no time that it could be the clock of.
        self._clock_least = max(self._clock_least, seconds)
        self.wall = max(self.wall, <uint64_t>seconds)
        self.sessions_table.wall = self.wall

    @property
    def deadline(self):
        """When the next turn is due, in ns; None when no timer runs."""
        return None if self.turns.deadline == NEVER else self.turns.deadline

    @property
    def nodeinfo(self):
        """The JSON text with which node information requests are answered."""
        return self._nodeinfo

    @nodeinfo.setter
    def nodeinfo(self, bytes value not None):
        if len(value) > NODEINFO_MAX:
            raise ValueError(f"node information has at most {NODEINFO_MAX} bytes, not {len(value)}")
        self._nodeinfo = value

    def sessions(self):
        """Return the sessions, sorted by key."""
        return self.sessions_table.states()

    def counters(self):
        """Return how often each thing happened that a healthy exchange does not need, by name."""
        result = Router.counters(self)
        result.update((f"session_{name}", count) for name, count in self.sessions_table.counters().items())
        result["queries_unanswered"] = self._unanswered
        result["payloads_detached"] = self._detached
        result["payloads_unknown"] = self._unknown
        if self.attachment is not None:
            result.update((f"gateway_{name}", count) for name, count in self.attachment.counters().items())
        return result

    def close(self):
        """Drop every link, session and buffer and let go of every callback."""
        self._closed = True
        if self.attachment is not None:
            self.attachment.node_closed()
        Router.close(self)
        self.sessions_table.clear()
        self.sessions_table.lower = TrafficLower()
        self.sessions_table.upper = SessionUpper()
        self.local.upper = TrafficUpper()
        self.queries.clear()
        self.turns.events.clear()
        self.on_work = self.on_link_closed = self.on_link_proven = self.on_no_way = self.on_error = None
        self.on_events = None

    # The turn

    cpdef void enter(self, uint64_t now, uint64_t wall) noexcept:
        self.turns.enter()
        self.now = max(self.now, now)
        # What others have accepted of us counts only against what is later, so a wall clock that is set back goes on
        # here.
        self._clock_base = max(self._clock_base,
                               max(min(<int64_t>wall, CLOCK_MOST), self._clock_least)
                               * <int64_t>SECOND - <int64_t>self.now)
        self._clock_least = 0
        self.wall = <uint64_t>((self._clock_base + <int64_t>self.now) // <int64_t>SECOND)
        self.sessions_table.now = self.now
        self.sessions_table.wall = self.wall

    cpdef void leave(self) noexcept:
        cdef uint64_t deadline
        if self.made_in != generation:
            self.turns.drop()
            return
        if not self.turns.leave():
            return
        while self.turns.next_round():
            if self.attachment is not None and self.attachment.upper is not None:
                self.attachment.upper.batch_end(self.now)
            deadline = self._poll()
            if self._tree_seen != self.tree.generation and self.on_events is not None:
                self._look_at_place()
            # A sink may hand bytes over at once, and have some handed back: what is wanted in its flush comes too late
            # for this round, and makes no further one, but is due.
            self.turns.more = False
            self.flush_links()
            self.turns.flushed(self.now if self.turns.more else deadline)
            self._wake()
        if self.turns.end(self.now):
            self.want_turn()

    def turn(self, uint64_t now, uint64_t wall):
        """Run what is due, flush links, run callbacks; return the next deadline in ns, or None."""
        check_fork(self.made_in)
        self.enter(now, wall)
        if self.turns.begin_owed():
            self.begin_round()
        self.leave()
        self.turns.promise()
        return self.deadline

    cdef uint64_t _poll(self) noexcept:
        cdef uint64_t deadline = self.run_timers()
        deadline = min(deadline, self.sessions_table.poll())
        deadline = min(deadline, self.queries.poll(self.now))
        if self.attachment is not None:
            deadline = min(deadline, self.attachment.expire(self.now))
            if self.attachment.upper is not None:
                deadline = min(deadline, self.attachment.upper.run_due(self.now))
        return deadline

    cdef void _wake(self) noexcept:
        # A callback may detach the top, to which no layer leads then. What it has gathered it is to tell all the same.
        cdef Layer upper = self.attachment.upper if self.attachment is not None else None
        cdef Layer top = top_of(upper)
        self._events = None
        for function, arguments in self.turns.take_events():
            self._call(function, arguments)
        if upper is not None:
            upper.wake()
            if top.lower is None:
                top.wake()

    cdef void want_turn(self) noexcept:
        if turn_want(self.turns, self.on_work is not None):
            self._call(self.on_work, ())

    cdef void catch_up(self, uint64_t now) noexcept:
        if self.turns.depth == 0:
            self.now = max(self.now, now)
            self.sessions_table.now = self.now
        self.want_turn()

    cdef void later(self, object function, tuple arguments) noexcept:
        if function is not None and not self._closed:
            self.turns.later(function, arguments)
            self.want_turn()

    # Those who watch are called once in a turn, with all that has happened.
    cdef void tell(self, str what, object about) noexcept:
        if self.on_events is None or self._closed:
            return
        if self._events is None:
            self._events = []
            self.later(self.on_events, (self._events,))
        if len(self._events) < EVENTS_MOST:
            self._events.append((what, about))
        else:
            self._events[EVENTS_MOST - 1] = ("lost", self._lost_with(self._events[EVENTS_MOST - 1]))

    cdef object _lost_with(self, tuple last):
        return last[1] + 1 if last[0] == "lost" else 2

    cdef void _look_at_place(self) noexcept:
        cdef tuple place = (root_key(self.tree), tuple(own_ports(self.tree)))
        self._tree_seen = self.tree.generation
        if place != self._place:
            self._place = place
            self.tell("place", place)

    cdef void _call(self, object function, tuple arguments) noexcept:
        try:
            function(*arguments)
        except BaseException as error:
            try:
                if self.on_error is None:
                    raise
                self.on_error(error)
            except BaseException as unhandled:
                PyErr_SetObject(type(unhandled), unhandled)
                PyErr_WriteUnraisable(function)         # to sys.unraisablehook

    # What the router tells

    cdef void path_in(self, const uint8_t *key, bint held) noexcept:
        self.sessions_table.path_in(key, held)
        if self.attachment is not None:
            self.attachment.path_in(key)

    cdef void credit_in(self, uint64_t link) noexcept:
        if self.attachment is not None and self.attachment.upper is not None:
            self.attachment.upper.credit_in(link, self.now)

    cdef void queue_builds_up(self, const uint8_t *dest) noexcept:
        if self.attachment is not None:
            self.attachment.queue_builds_up(dest)

    cdef void link_proven(self, Link link, bint alone) noexcept:
        self._first_link = min(self._first_link, self.now)
        if alone:
            self.sessions_table.returned(link.neighbour.key)
            self._links_changed()
        self.later(self.on_link_proven, (link,))

    cdef void link_closed(self, Link link) noexcept:
        if link.proven and self.tree.neighbours:
            self._links_changed()
        self.later(self.on_link_closed, (link, link.error))

    # What timers of silence keep back, of sessions and of connections, may go where there was no way.
    cdef void _links_changed(self) noexcept:
        self.sessions_table.links_changed()
        if self.attachment is not None:
            self.attachment.links_changed()

    cdef void path_seen(self, const uint8_t *key, bint there) noexcept:
        self.tell("path_found" if there else "path_lost", key[:32])

    # Two programs with one key each go on from the other's number, about once a second. Where their links go to the
    # same peers each hears of the other's record only when it renews its own.
    cdef void own_record_in(self) noexcept:
        if self.now - self._own_record_at >= OWN_RECORD_GAP:
            self._own_records = 0
            self._late_record_in()
        self._own_record_at = self.now
        self._own_records += 1
        if self._own_records == OWN_RECORDS_MOST:
            self._own_records = -OWN_RECORDS_REST
            self.tell("same_identity", "record")

    cdef void _late_record_in(self) noexcept:
        if self.now - self._first_link < FORMER_RUN:
            return
        if self.now - self._late_record_at >= LATE_RECORD_GAP:
            self._late_records = 0
        self._late_record_at = self.now
        self._late_records += 1
        if self._late_records == LATE_RECORDS_MOST:
            self._late_records = 0
            self.tell("same_identity", "record")

    cdef void own_answer_in(self) noexcept:
        self.tell("same_identity", "answer")

    cdef void no_way(self) noexcept:
        if self.now - self._told_no_way >= NO_WAY_INTERVAL:
            self._told_no_way = self.now
            self.later(self.on_no_way, ())

    cdef void send_ipv6(self, const uint8_t *key, Packet *packet) noexcept:
        packet_push(packet, 1)[0] = PAYLOAD_IPV6
        self.sessions_table.send(key, packet)

    # Queries

    def request(self, bytes key not None, str kind not None, on_reply):
        """Ask the node of a 32-byte public key."""
        cdef int code
        check_fork(self.made_in)
        if len(key) != 32:
            raise ValueError(f"key must be 32 bytes, not {len(key)}")
        if kind not in _KINDS:
            raise ValueError(f"kind must be one of {', '.join(_KINDS)}, not {kind}")
        code = _KINDS.index(kind)
        self.queries.add(code, <const uint8_t *>PyBytes_AsString(key), on_reply, self.now)
        self.send_bytes(<const uint8_t *>PyBytes_AsString(key), _message(code, False, b""))
        self.want_turn()

    cdef void _protocol_in(self, Session session, const uint8_t *data, size_t size) noexcept:
        if size and data[0] == NODEINFO_REQUEST:
            self._answer(session, QUERY_NODEINFO)
        elif size and data[0] == NODEINFO_RESPONSE:
            self._reply_in(session.key, QUERY_NODEINFO, data + 1, size - 1)
        elif size >= 2 and data[0] == DEBUG and 1 <= data[1] <= 6:
            if data[1] & 1:
                self._answer(session, (data[1] + 1) // 2)
            else:
                self._reply_in(session.key, data[1] // 2, data + 2, size - 2)
        else:
            self._unknown += 1

    cdef void _answer(self, Session session, int kind) noexcept:
        if not self._answers.take(session.origin, session.key, False, max(self._answer_size(kind), ANSWER_LEAST),
                                  self.now):
            self._unanswered += 1
            return
        if kind == QUERY_NODEINFO:
            content = self._nodeinfo
        elif kind == QUERY_SELF:
            entries = self.self_state()["routing_entries"]
            content = b'{"key":"%s","routing_entries":"%d"}' % ((<LinkHost>self).key[:32].hex().encode(), entries)
        elif kind == QUERY_PEERS:
            content = _keys(self.peers())
        else:
            content = _keys(self.tree_records())
        self.send_bytes(session.key, _message(kind, True, content))

    # Bytes of an answer, before it is made.
    cdef size_t _answer_size(self, int kind) noexcept:
        if kind == QUERY_NODEINFO:
            return len(self._nodeinfo)
        if kind == QUERY_SELF:
            return ANSWER_LEAST
        return min(32 * <size_t>len(self.links if kind == QUERY_PEERS else self.tree.entries), <size_t>KEYS_MAX)

    cdef void _reply_in(self, const uint8_t *key, int kind, const uint8_t *data, size_t size) noexcept:
        on_reply = self.queries.take(kind, key)
        if on_reply is not None:
            self.later(on_reply, (key[:32], _KINDS[kind], data[:size]))
        else:
            self._unknown += 1

    cdef int send_bytes(self, const uint8_t *key, bytes payload) except -1:
        cdef Packet *packet = packet_copy(<const uint8_t *>PyBytes_AsString(payload), len(payload))
        if packet == NULL:
            raise MemoryError
        self.sessions_table.send(key, packet)
        return 0


cdef bytes _message(int kind, bint is_response, bytes content):
    if kind == QUERY_NODEINFO:
        head = bytes((PAYLOAD_PROTOCOL, NODEINFO_RESPONSE if is_response else NODEINFO_REQUEST))
    else:
        head = bytes((PAYLOAD_PROTOCOL, DEBUG, 2 * kind if is_response else 2 * kind - 1))
    return head + content


cdef bytes _keys(list states):
    return b"".join([state["key"] for state in states[:KEYS_MAX // 32]])
