"""The router: what arrives on a link goes to the part that it is for.

The parts are the spanning tree, next hops, filters and paths; beside them what is passed on (forwarding), this node's
own messages (local), what has to be verified (verification), what is done periodically (maintenance), and the state as
Python sees it (views). The router owns them and the links, and has no protocol of its own. See router.pxd for its place
in a host's turn.
"""

from libc.stdint cimport int64_t
from libc.string cimport memcmp, memcpy

from ygg_c.base.address cimport lookup_key
from ygg_c.base.clock cimport NEVER
from ygg_c.base.forks cimport check_fork
from ygg_c.base.live cimport LIVE_NODE, born, died
from ygg_c.base.sodium cimport Random
from ygg_c.ip.layer cimport Way
from ygg_c.link.bloom cimport Bloom, bloom_decode
from ygg_c.link.deferred cimport PARKED_MAX
from ygg_c.link.link cimport ROUND, ROUND_HELD, SLICE_LEAST, Sink
from ygg_c.link.wire cimport (
    ANNOUNCE, BLOOM_FILTER, DUMMY, ERR_DECODE, ERR_UNRECOGNIZED_MESSAGE, KEEPALIVE, OK, PATH_BROKEN, PATH_LOOKUP,
    PATH_NOTIFY, SIG_REQ, SIG_RES, TRAFFIC, Announce, Lookup, Routed, SigReq, SigRes, decode_announce, decode_broken,
    decode_lookup, decode_notify, decode_sig_req, decode_sig_res, decode_traffic, uv_get,
)
from ygg_c.routing.paths cimport Path
from ygg_c.routing.verification cimport new_budget
from ygg_c.routing.views cimport link_states, lookup_states, own_ports, path_states, record_states, root_key

cdef enum:
    WORK_TRAFFIC = 2
    WORK_FILTER = 3


cdef class Router(LinkHost):
    """Links, spanning tree, filters, paths and forwarding of one node."""

    def __cinit__(self, bytes secret not None, *args, Random random=None, **kwargs):
        cdef const uint8_t *data = secret
        if len(secret) != 64:
            raise ValueError(f"a secret is seed and public key, 64 bytes, not {len(secret)}")
        memcpy(self.secret, data, 64)
        memcpy(self.key, data + 32, 32)
        self.random = random if random is not None else Random()
        self.verifications = new_budget(self.random)
        self.links = []
        self.tree = Tree(self)
        self.hops = NextHops(self, self.tree)
        self.reach = Reach(self, self.tree)
        self.pathfinder = Pathfinder(self, self.tree, self.hops, self.reach)
        self.forwarding = Forwarding(self, self.tree, self.hops, self.pathfinder)
        self.local = LocalTraffic(self, self.tree, self.pathfinder)
        self.verification = Verification(self, self.tree, self.pathfinder)
        self.maintenance = Maintenance(self, self.tree, self.reach, self.pathfinder, self.links)
        self.due = 0
        born(LIVE_NODE)
        self._counted = True    # what fails before is deallocated too

    def __init__(self, bytes secret not None, *, Random random=None):
        pass        # done above, before anything can call in

    def __dealloc__(self):
        if self._counted:
            died(LIVE_NODE)

    # Links

    def add_link(self, bytes key not None, int priority, Sink sink not None):
        """Take a stream whose handshake proved `key`."""
        cdef const uint8_t *data = key
        cdef Neighbour neighbour
        cdef Link link
        check_fork(self.made_in)
        if len(key) != 32:
            raise ValueError(f"a key has 32 bytes, not {len(key)}")
        if not 0 <= priority <= 255:
            raise ValueError("a priority is a number from 0 to 255")
        if memcmp(data, self.key, 32) == 0:
            raise ValueError("node cannot connect to self")
        neighbour = self.tree.neighbour(data)
        self._orders += 1
        link = Link(self, neighbour, sink, priority, self._orders)
        self.links.append(link)
        self.tree.link_up(link)
        self.reach.link_up(link)
        self.tree.gossip.greet(self.tree, link)
        self.want_turn()
        self.due = min(self.due, link.prove_by)
        return link

    cdef void link_down(self, Link link) noexcept:
        if link in self.links:
            self.links.remove(link)
        self._queue_dropped += link.dropped
        self._links_lost += link.lost
        if self.tree.link_down(link):
            self.reach.link_down(link.neighbour)
        if link.proven:
            self.want_maintenance(self.now)
        else:
            self.links_unproven += 1
        self.link_closed(link)
        if link.credit_refused:
            self.credit_in(link.order)      # who waited for this link must look for another way

    cdef void link_rated(self, Link link) noexcept:
        if len(link.neighbour.links) > 1:
            self.tree.generation += 1

    cdef int frame_in(self, Link link, int kind, uint8_t *body, size_t size) noexcept:
        if not link.proven:
            return self._unproven_in(link, kind, body, size)
        if kind == TRAFFIC:
            return self._traffic_in(link, body, size)
        if kind == PATH_NOTIFY:
            return self._notify_in(link, body, size)
        if kind == PATH_BROKEN:
            return self._broken_in(link, body, size)
        if kind == PATH_LOOKUP:
            return self._lookup_in(link, body, size)
        if kind == ANNOUNCE:
            return self.verification.signed_in(link, kind, body, size)
        if kind == BLOOM_FILTER:
            self.work -= WORK_FILTER
            return self.reach.filter_in(link, body, size)
        if kind == DUMMY or kind == KEEPALIVE:
            return OK
        return self._tree_message_in(link, kind, body, size)

    # One who has recorded a handshake can say all this: it must not count for more than the sender's own link.
    cdef int _unproven_in(self, Link link, int kind, const uint8_t *body, size_t size) noexcept:
        cdef int code
        cdef Announce announce
        cdef Bloom bloom
        if kind == SIG_REQ:
            return self._tree_message_in(link, kind, body, size)
        if kind == SIG_RES:
            code = self._tree_message_in(link, kind, body, size)
            if link.proven:
                self.reach.link_proven(link)
                if link.parked.filter is not None:
                    self.reach.filter_in(link, <const uint8_t *><const char *>link.parked.filter,
                                         len(link.parked.filter))
                    link.parked.filter = None
                # What came before the proof is as good as if it came now.
                self.verification.take_parked(link, self.work - link.slice_end)
                self.want_maintenance(self.now)
                self.link_proven(link, self.tree.doubt_others(link))
            return code
        if kind == ANNOUNCE:
            if decode_announce(body, size, &announce):
                return ERR_DECODE
            self.unproven_dropped += not link.parked.put(kind, body, size, PARKED_MAX)
        elif kind == BLOOM_FILTER:
            if bloom_decode(&bloom, body, size) < 0:
                return ERR_DECODE
            link.parked.filter = (<const char *>body)[:size]
        elif kind > TRAFFIC:
            return ERR_UNRECOGNIZED_MESSAGE
        elif kind != DUMMY and kind != KEEPALIVE:
            self.unproven_refused += 1
        return OK

    cdef int _tree_message_in(self, Link link, int kind, const uint8_t *body, size_t size) noexcept:
        cdef SigReq request
        cdef SigRes response
        cdef int code = ERR_UNRECOGNIZED_MESSAGE
        if kind == SIG_REQ:
            code = decode_sig_req(body, size, &request)
            return code or self.tree.request_in(link, &request)
        if kind == SIG_RES:
            code = decode_sig_res(body, size, &response)
            return code or self.tree.response_in(link, &response)
        return code

    cdef int _traffic_in(self, Link link, uint8_t *body, size_t size) noexcept:
        cdef Routed message
        cdef int code = decode_traffic(body, size, &message)
        if code:
            return code
        self.work -= WORK_TRAFFIC
        if not self.forwarding.traffic_in(link, body, &message):
            self.local.traffic_in(link, &message)
        return OK

    cdef int _lookup_in(self, Link link, const uint8_t *body, size_t size) noexcept:
        cdef Lookup message
        cdef int code = decode_lookup(body, size, &message)
        if code:
            return code
        if link.neighbour.ontree:
            self.pathfinder.lookup_in(link.neighbour, &message, body, size)
        else:
            self.lookups_offtree += 1
        return OK

    cdef int _notify_in(self, Link link, const uint8_t *body, size_t size) noexcept:
        cdef Routed message
        cdef int code = decode_notify(body, size, &message)
        if code or self.forwarding.notify_in(body, size, &message):
            return code
        if link.waits and not self.pathfinder.is_awaited(message.source):
            self.pathfinder.checks_limited += 1
            return OK
        return self.verification.signed_in(link, PATH_NOTIFY, body, size)

    cdef int _broken_in(self, Link link, const uint8_t *body, size_t size) noexcept:
        cdef Routed message
        cdef int code = decode_broken(body, size, &message)
        if code == OK:
            self.forwarding.broken_in(link.neighbour.port, &message)
        return code

    # Paths

    cdef void seek(self, const uint8_t *partial_key) noexcept:
        cdef uint8_t target[32]
        cdef Neighbour neighbour
        lookup_key(partial_key, target)
        neighbour = self.tree.neighbour_wanted(target)
        if neighbour is not None and self.tree.is_ready(neighbour.key):
            self.path_in(neighbour.key, False)      # who it is, and where, is known
        else:
            self.pathfinder.want(partial_key)

    cdef void path_found(self, const uint8_t *key) noexcept:
        cdef Path path = self.pathfinder.path(key)
        self.path_in(path.key, self.local.send_held(path))
        self.credit_in(0)           # the way there may have changed from a link that had refused credit

    # Upcalls

    cdef void path_in(self, const uint8_t *key, bint held) noexcept:
        pass

    cdef void marked(self, const uint8_t *frame, size_t size) noexcept:
        cdef Routed message
        cdef uint64_t length
        cdef const uint8_t *body = uv_get(frame, frame + size, &length)
        if body != NULL and body[0] == TRAFFIC and decode_traffic(<uint8_t *>body + 1, length - 1, &message) == OK:
            self.queue_builds_up(message.dest)

    cdef void queue_builds_up(self, const uint8_t *dest) noexcept:
        pass

    cdef void link_closed(self, Link link) noexcept:
        pass

    # The turn

    # What was held goes on in the order in which it came, each link with its share. The rest of a round is for what
    # comes new.
    cdef void begin_round(self) noexcept:
        self.work = ROUND_HELD
        self.verification.take_all_parked()
        if self.held:
            self._let_go_on()
        self.work = ROUND

    cdef void _let_go_on(self) noexcept:
        cdef list waiting = self.held
        cdef list others = []
        cdef Link link
        cdef int64_t slice
        slice = max(<int64_t>SLICE_LEAST, <int64_t>(ROUND_HELD // len(waiting)))
        self.held = []
        for link in waiting:
            if link.closed:
                continue
            if link.held_until > self.now or self.work <= 0:
                others.append(link)
            elif not link.go_on(slice) and self.held and self.held[-1] is link:
                # those before it left nothing of what they share: it is first next time
                others.append(self.held.pop())
        self.held = others + self.held

    cdef uint64_t run_timers(self) noexcept:
        cdef uint64_t next_at
        cdef Link link
        if self.now >= self.due:
            self.due = NEVER
            for link in list(self.links):
                self.due = min(self.due, link.run_timers(self.now))
            next_at = self.maintenance.run()        # and what it calls may make `due` earlier
            self.due = min(self.due, next_at)
        if self.failed:
            self._close_failed()
        return self.due

    cdef void want_maintenance(self, uint64_t when) noexcept:
        self.maintenance.want(when)

    cdef void _close_failed(self) noexcept:
        cdef Link link
        while self.failed:
            link = self.failed.pop()
            link.shut(link.error)

    cdef void flush_links(self) noexcept:
        cdef Link link
        if self.failed:
            self._close_failed()
        for link in self.turns.take_dirty():
            link.dirty = False
            if not (link.closed or link.error or link.blocked):
                self._flush_link(link)
        if self.failed:
            self._close_failed()

    # It has room. Who was refused any while it was full comes first: of what waits in it others may have too much.
    cdef void _flush_link(self, Link link) noexcept:
        cdef Sink sink = link.sink      # held: the link drops it when flushing closes it
        cdef bint offered = link.offer_all()
        if link.has_output() or sink.has_output():
            sink.flush(link)
            if link.closed:
                return
            link.flushed()
        if link.blocked:
            return
        if link.has_output() or offered or link.offer_all():
            link.want_flush()
        else:
            link.flushed()

    # For Python

    def close(self):
        """Close every link."""
        cdef Link link
        self.held = []
        self.verification.waiting = []
        for link in list(self.links):
            link.shut("ErrClosed")

    def find(self, bytes key not None):
        """Look for the node behind a full or partial key."""
        if len(key) != 32:
            raise ValueError("a key has 32 bytes")
        self.seek(key)

    def suspect(self, bytes key not None):
        """Say that what is sent to a key seems not to arrive."""
        if len(key) != 32:
            raise ValueError("a key has 32 bytes")
        self.pathfinder.suspect(key)

    def confirm(self, bytes key not None):
        """Say that what is sent to a key arrives."""
        if len(key) != 32:
            raise ValueError("a key has 32 bytes")
        self.pathfinder.confirm(key)

    def credit(self, bytes key not None):
        """Return how many bytes may be sent towards a key now without being dropped."""
        cdef Way way
        if len(key) != 32:
            raise ValueError("a key has 32 bytes")
        self.pathfinder.find_way(key, 0, &way)
        return way.credit

    @property
    def key(self):
        """The public key."""
        return self.key[:32]

    @property
    def coords(self):
        """The ports from the root down to this node."""
        return own_ports(self.tree)

    @property
    def root(self):
        """The key this node takes for the root."""
        return root_key(self.tree)

    def peers(self):
        """Return the state of each link, oldest first."""
        return link_states(self.links, self.now)

    def tree_records(self):
        """Return the tree records held."""
        return record_states(self.tree)

    def known_paths(self):
        """Return the paths held."""
        return path_states(self.pathfinder)

    @property
    def keep_lookups(self):
        """Whether who looks for whom is kept."""
        return self.pathfinder.lookups_seen is not None

    @keep_lookups.setter
    def keep_lookups(self, bint wanted):
        if not wanted:
            self.pathfinder.lookups_seen = None
        elif self.pathfinder.lookups_seen is None:
            self.pathfinder.lookups_seen = {}

    def lookups(self):
        """Return the lookups that have come, oldest first."""
        return lookup_states(self.pathfinder)

    def self_state(self):
        """Return what this node is in the tree."""
        return {
            "key": self.key[:32], "coords": self.coords, "root": self.root, "routing_entries": len(self.tree.entries),
        }

    def counters(self):
        """Return counts of what was forwarded, dropped or refused."""
        cdef Link link
        return {
            "forwarded": self.forwarding.forwarded,
            "forward_failed": self.forwarding.failed + self.local.failed,
            "unroutable": self.forwarding.unroutable,
            "sent_to_self": self.local.sent_to_self,
            "lookups_offtree": self.lookups_offtree,
            "links_held": self.links_held,
            "links_unproven": self.links_unproven,
            "unproven_refused": self.unproven_refused,
            "unproven_dropped": self.unproven_dropped,
            "maintenance_early": self.maintenance.early,
            "maintenance_limited": self.maintenance.limited,
            "announces_limited": self.verification.announces_limited,
            "requests_limited": self.tree.requests_limited,
            "answers_unasked": self.tree.answers_unasked,
            "records_refused": self.tree.records_refused,
            "records_evicted": self.tree.records_evicted,
            "lookups_limited": self.pathfinder.lookups_limited,
            "answers_limited": self.pathfinder.answers.limited,
            "answers_unroutable": self.pathfinder.answers.unroutable,
            "checks_limited": self.pathfinder.checks_limited,
            "breaks_limited": self.pathfinder.breaks_limited,
            "brokens_limited": self.forwarding.brokens_limited,
            "notifies_refused": self.pathfinder.notifies_refused,
            "held_dropped": self.pathfinder.held.dropped,
            "paths_evicted": self.pathfinder.paths.evicted,
            "queue_dropped": self._queue_dropped + sum([link.dropped for link in self.links]),
            "links_lost": self._links_lost + sum([link.lost for link in self.links]),
        }
