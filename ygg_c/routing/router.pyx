"""The router: what arrives on links is taken, forwarded or answered. See router.pxd for its place in a host's turn.

Upkeep chooses a parent, tells neighbours what they lack of the tree, and sends filters that have changed. It is due
every second (the tick, by which delays that are part of the protocol are counted), and early when something has
happened that it may act on: nodes that wait for the tick to pass on what they hear need a second a hop to find each
other. Strangers cause such events at will, so upkeeps keep a gap and early ones are counted out: what exceeds a short
burst is handled at a few a second, five times what the tick alone would do.

Records of the tree, answers to lookups, and answers to our own questions are signed. A verification takes longer than
all else that a message asks for, so there is one budget of them for all links together. A record for which there is
nothing left, or an answer that we want, waits beside its link (see link/deferred.pxd), which goes on with what comes
behind it: a neighbour that is told a thousand records by another must not be deaf meanwhile. What waits goes first, and
answers leave half of the room to records: strangers far away can have us verify answers that they made up, by whichever
neighbour. Only when there is no room for more records does the link itself wait.
"""

from libc.string cimport memcmp, memcpy

from ygg_c.base.address cimport lookup_key
from ygg_c.base.budget cimport Budget
from ygg_c.base.clock cimport NEVER
from ygg_c.base.forks cimport check_fork
from ygg_c.base.live cimport LIVE_NODE, born, died
from ygg_c.base.packet cimport (
    HEADROOM, PacketQueue, packet_copy, packet_free, packet_headroom, packet_new, packet_push, queue_pop,
)
from ygg_c.base.ratelimit cimport bucket_init, bucket_take, recent_pass
from ygg_c.base.sodium cimport Random
from ygg_c.ip.layer cimport Way, free_way
from ygg_c.link.bloom cimport Bloom, bloom_decode
from ygg_c.link.deferred cimport PARKED_MAX, WAITING_ALL, WAITING_MAX
from ygg_c.link.link cimport HELD, ROUND, ROUND_HELD, SLICE_LEAST, Sink
from ygg_c.link.wire cimport (
    ANNOUNCE, BLOOM_FILTER, DUMMY, ERR_DECODE, ERR_UNRECOGNIZED_MESSAGE, FRAME_MAX, KEEPALIVE, OK, PATH_BROKEN,
    PATH_LOOKUP, PATH_NOTIFY, SIG_REQ, SIG_RES, TRAFFIC, Announce, Lookup, SigReq, SigRes, decode_announce,
    decode_broken, decode_lookup, decode_notify, decode_sig_req, decode_sig_res, decode_traffic, error_name,
    frame_header_size, frame_put, uv_get, uv_put, uv_size,
)
from ygg_c.routing.nexthop cimport Hop
from ygg_c.routing.pathfinder cimport RENEWED, send_routed
from ygg_c.routing.records cimport Record

cdef uint64_t TICK = 1000000000
cdef uint64_t UPKEEP_GAP = 10000000             # ns between upkeeps, so that what comes together is handled together
cdef uint64_t UPKEEP_RATE = 4                   # early upkeeps a second, once the burst is used up
cdef uint64_t UPKEEP_BURST = 10
# ns between messages that a path of one source and destination is broken
cdef uint64_t BROKEN_INTERVAL = 100000000
cdef double VERIFY_RATE = 5000                  # signatures a second: a quarter of a processor
cdef double VERIFY_BURST = 200
# a link that has used up its share waits until it has so much of it again
cdef double VERIFY_BATCH = 20
cdef uint64_t VERIFY_GAP = 5000000              # ns that it waits at least
cdef enum:
    WORK_TRAFFIC = 2
    WORK_FILTER = 3
    DELIVERED_MAX = 4096


cdef class Router(LinkHost):
    """Links, spanning tree, filters, paths and forwarding of one node."""

    def __cinit__(self, bytes secret not None, *args, Random random=None, **kwargs):
        cdef const uint8_t *data = secret
        if len(secret) != 64:
            raise ValueError(f"a secret is seed and public key, 64 bytes, not {len(secret)}")
        memcpy(self.secret, data, 64)
        memcpy(self.key, data + 32, 32)
        self.random = random if random is not None else Random()
        self.verifications = Budget(VERIFY_RATE, VERIFY_BURST, self.random.u64())
        self.tree = Tree(self)
        self.hops = NextHops(self, self.tree)
        self.reach = Reach(self, self.tree)
        self.pathfinder = Pathfinder(self, self.tree, self.hops, self.reach)
        self.links = []
        self._waiting = []
        self._delivered = []
        self._salt = self.random.u64()
        self._tellings = Budget(500, 200, self._salt)
        self.due = 0
        self._upkeep_at = NEVER
        bucket_init(&self._early, UPKEEP_RATE, UPKEEP_BURST, 0)
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
        self.tree.greet(link)
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
            self.want_upkeep(self.now)
        else:
            self.links_unproven += 1
        self.link_closed(link)
        if link._credit_refused:
            self.credit_in(link.order)      # who waited for this link must look for another way

    cdef void link_rated(self, Link link) noexcept:
        if len(link.neighbour.links) > 1:
            self.tree.generation += 1

    cdef int frame_in(self, Link link, int kind, uint8_t *body, size_t size) noexcept:
        if not link.proven:
            return self._unproven_in(link, kind, body, size)
        if kind == TRAFFIC:
            return self._traffic(link, body, size)
        if kind == PATH_NOTIFY:
            return self._notify(link, body, size)
        if kind == PATH_BROKEN:
            return self._broken(link, body, size)
        if kind == PATH_LOOKUP:
            return self._lookup(link, body, size)
        if kind == ANNOUNCE:
            return self._signed_in(link, kind, body, size)
        if kind == BLOOM_FILTER:
            self.work -= WORK_FILTER
            return self.reach.filter_in(link, body, size)
        if kind == DUMMY or kind == KEEPALIVE:
            return OK
        return self._tree_message(link, kind, body, size)

    # Whoever has recorded a handshake can say all this: it must not count for more than the sender's own link.
    cdef int _unproven_in(self, Link link, int kind, const uint8_t *body, size_t size) noexcept:
        cdef int code
        cdef Announce announce
        cdef Bloom bloom
        if kind == SIG_REQ:
            return self._tree_message(link, kind, body, size)
        if kind == SIG_RES:
            code = self._tree_message(link, kind, body, size)
            if link.proven:
                self.reach.link_proven(link)
                if link.parked.filter is not None:
                    self.reach.filter_in(link, <const uint8_t *><const char *>link.parked.filter,
                                         len(link.parked.filter))
                    link.parked.filter = None
                # What came before the proof is as good as if it came now.
                self._take_parked(link, self.work - link._slice_end)
                self.want_upkeep(self.now)
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

    cdef int _tree_message(self, Link link, int kind, const uint8_t *body, size_t size) noexcept:
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

    # Verifications

    cdef int _signed_in(self, Link link, int kind, const uint8_t *body, size_t size) noexcept:
        # What waits goes first. Records connect to those before them, and answers that strangers make up would leave
        # them nothing.
        cdef int code = HELD if link.waits else self._verify(link, kind, body, size)
        if code != HELD:
            self._see_news()
            return code
        if self._park(link, kind, body, size):
            return OK
        if kind == PATH_NOTIFY:
            self.pathfinder.checks_limited += 1
            return OK
        link.hold(self.now + VERIFY_GAP)
        return HELD

    cdef int _verify(self, Link link, int kind, const uint8_t *body, size_t size) noexcept:
        cdef Announce announce
        cdef Routed notify
        if kind == ANNOUNCE:
            return decode_announce(body, size, &announce) or self.tree.announce_in(link, &announce)
        return decode_notify(body, size, &notify) or self._take_notify(link, &notify)

    # The records that lead to a root are worth nothing until the last has come: what waits with them is waited for.
    cdef void _see_news(self) noexcept:
        if self.tree.news:
            self.want_upkeep(self.now)

    cdef bint _park(self, Link link, int kind, const uint8_t *body, size_t size) noexcept:
        cdef size_t most = min(<size_t>WAITING_MAX,
                               max(<size_t>PARKED_MAX, <size_t>(WAITING_ALL // (1 + len(self._waiting)))))
        if kind == PATH_NOTIFY:
            most //= 2          # the rest is for records, without room for which the link itself waits
        if not link.parked.put(kind, body, size, most):
            return False
        self.announces_limited += kind == ANNOUNCE
        if not link.waits:
            self._await(link, self.now + VERIFY_GAP)
        return True

    cdef void _await(self, Link link, uint64_t until) noexcept:
        link.waits = True
        link.parked.until = until
        self._waiting.append(link)
        self.due = min(self.due, until)

    cdef void _take_parked(self, Link link, int64_t slice) noexcept:
        cdef int64_t end = self.work - slice
        cdef const uint8_t *message
        cdef size_t size
        cdef int code
        link.waits = False
        link.parked.until = NEVER
        while True:
            message = link.parked.first(&size)
            if message == NULL:
                self._see_news()
                return
            if self.work <= end:
                self._await(link, self.now)
                return
            self.work -= 1
            code = self._verify(link, message[0], message + 1, size - 1)
            if code == HELD:
                self._await(link, self.now + max(VERIFY_GAP,
                                                 self.verifications.wait(link.order, True, VERIFY_BATCH, self.now)))
                return
            if code:
                link.fail(error_name(code))
                return
            link.parked.drop()

    cdef void _take_all_parked(self) noexcept:
        cdef list waiting = self._waiting
        cdef list early = []            # those whose time has not come, or for which no work was left
        cdef Link link
        cdef int64_t slice = max(<int64_t>SLICE_LEAST, <int64_t>(ROUND_HELD // len(waiting)))
        self._waiting = []
        for link in waiting:
            if link.closed or link.error:
                continue
            if link.parked.until > self.now or self.work <= 0:
                early.append(link)
            else:
                self._take_parked(link, slice)
        self._waiting = early + self._waiting

    # Traffic

    cdef int _traffic(self, Link link, uint8_t *body, size_t size) noexcept:
        cdef Routed message
        cdef Hop hop
        cdef Link direct
        cdef bint progress
        cdef int code = decode_traffic(body, size, &message)
        if code:
            return code
        self.work -= WORK_TRAFFIC
        self.hops.find(message.path, message.path_size, &hop)
        progress = hop.link != NULL and hop.distance < message.watermark
        direct = self.tree.link_to(message.dest) if message.watermark else None
        if direct is not None:
            self._forward(direct, body, &message, 0)        # see NextHops.towards()
            if not progress or (<Link>hop.link).neighbour is not direct.neighbour:
                self._tell_broken(link, &message)   # the path leads elsewhere
        elif progress:
            self._forward(<Link>hop.link, body, &message, hop.distance)
        elif memcmp(message.dest, self.key, 32) == 0:
            self._origin = message.origin
            self._origin_size = message.origin_size
            self._came_by = <void *>link.neighbour
            self._source = message.source
            self._proven = False
            self.traffic_in(link, message.source, message.payload, message.payload_size)
            self._origin = NULL
        else:
            self.unroutable += 1
            self._tell_broken(link, &message)
        return OK

    # The one copy of transit: from the read buffer into a packet that waits in the next link's queue.
    cdef void _forward(self, Link link, const uint8_t *body, const Routed *message, uint64_t watermark) noexcept:
        cdef size_t head = message.dest + 32 - body         # everything before the watermark goes on as it came
        cdef size_t size = head + uv_size(watermark) + message.payload_size
        cdef size_t header = frame_header_size(size) + size - message.payload_size
        cdef Packet *packet = packet_new(message.payload_size + (header if header > HEADROOM else 0))
        cdef uint8_t *at
        if packet == NULL or size >= FRAME_MAX:
            packet_free(packet)
            self.forward_failed += 1
            return
        if header > HEADROOM:
            packet.data += header
        memcpy(packet.data, message.payload, message.payload_size)
        packet.size = message.payload_size
        at = frame_put(packet_push(packet, header), TRAFFIC, size)
        memcpy(at, body, head)
        uv_put(at + head, watermark)
        self.forwarded += 1
        link.send_packet(packet, message.source, message.dest, False)

    cdef void _tell_broken(self, Link link, const Routed *traffic) noexcept:
        cdef uint8_t flow[64]
        cdef Routed broken
        cdef int index
        memcpy(flow, traffic.dest, 32)
        for index in range(32):
            flow[index] ^= traffic.source[(index + 1) & 31]
        if not recent_pass(&self._broken_lately, flow, self._salt, self.now, BROKEN_INTERVAL):
            return
        if not self._tellings.take(link.neighbour.port, traffic.source, False, 1.0, self.now):
            self.brokens_limited += 1
            return
        memcpy(flow, traffic.source, 32)
        memcpy(flow + 32, traffic.dest, 32)
        broken.path = traffic.origin
        broken.path_size = traffic.origin_size
        broken.watermark = NEVER
        broken.source = flow
        broken.dest = flow + 32
        self._route_broken(link.neighbour.port, &broken)

    cdef void send_traffic(self, const uint8_t *dest, Packet *payload) noexcept:
        cdef Path path = self.pathfinder.path_to(dest)
        cdef Packet *copy
        cdef size_t size, header
        cdef uint8_t *at
        cdef bint lost = False
        if memcmp(dest, self.key, 32) == 0:
            self.sent_to_self += 1
            packet_free(payload)
            return
        if path is None and self._origin != NULL and self._proven and memcmp(dest, self._source, 32) == 0:
            path = self.pathfinder.path_back(dest, self._origin, self._origin_size)
            if path is not None:
                self._send_held(path)
        if path is not None:
            self.pathfinder.prepare(path)
            if path.hop.link == NULL:
                lost = not path.broken or self.pathfinder.is_overdue(dest)
                path.broken = True
            elif not path.broken and not path.unproven and self.pathfinder.is_doubtful(path):
                self.pathfinder.doubt(path)
            if path.held.count and not path.broken and not path.unproven:
                self._send_held(path)
        if path is None or path.broken or path.unproven:
            self.pathfinder.want(dest, lost)
            if path is None or path.hop.link == NULL:
                self.pathfinder.hold(dest, payload)
                return
            copy = packet_copy(payload.data, payload.size)
            if copy != NULL:
                self.pathfinder.hold(dest, copy)
        size = path.header_size + uv_size(path.hop.distance) + payload.size
        if size >= FRAME_MAX:
            self.forward_failed += 1
            packet_free(payload)
            return
        header = frame_header_size(size) + size - payload.size
        if packet_headroom(payload) < header:
            payload = _with_headroom(payload, header)
            if payload == NULL:
                self.forward_failed += 1
                return
        at = frame_put(packet_push(payload, header), TRAFFIC, size)
        memcpy(at, path.header, path.header_size)
        uv_put(at + path.header_size, path.hop.distance)
        (<Link>path.hop.link).send_packet(payload, self.key, dest, True)

    cdef void find_way(self, const uint8_t *dest, size_t wanted, Way *way) noexcept:
        cdef Path path = self.pathfinder.path(dest)
        if path is not None:
            self.pathfinder.prepare(path)
        if path is None or path.hop.link == NULL:
            free_way(way)
        else:
            (<Link>path.hop.link).find_room(wanted, way)

    # Paths

    cdef void path_suspect(self, const uint8_t *dest) noexcept:
        self.pathfinder.suspect(dest)

    cdef void path_works(self, const uint8_t *dest) noexcept:
        self.pathfinder.confirm(dest)

    cdef void introduce(self, const uint8_t *dest) noexcept:
        self.pathfinder.introduce(dest)

    cdef void source_proven(self, const uint8_t *source) noexcept:
        if self._origin != NULL:
            self._proven = True
            self.pathfinder.heard(source, self._origin, self._origin_size)
            if memcmp((<Neighbour>self._came_by).key, source, 32) != 0:
                self._end_silent(source)

    # A neighbour that comes by another way has given up our link: it would be the first that it takes. One that owes an
    # answer for longer than that may take is dead at this end too.
    cdef void _end_silent(self, const uint8_t *source) noexcept:
        cdef Neighbour neighbour = self.tree.proven(source)
        cdef Link link
        if neighbour is None:
            return
        for link in neighbour.links:
            if link.is_silent():
                link.fail("ErrTimeout")

    cdef void lookup(self, const uint8_t *partial_key) noexcept:
        cdef uint8_t target[32]
        cdef Neighbour neighbour
        lookup_key(partial_key, target)
        neighbour = self.tree.neighbour_wanted(target)
        if neighbour is not None and self.tree.is_ready(neighbour.key):
            self.path_in(neighbour.key, False)      # who it is, and where, is known
        else:
            self.pathfinder.want(partial_key)

    cdef int _lookup(self, Link link, const uint8_t *body, size_t size) noexcept:
        cdef Lookup message
        cdef int code = decode_lookup(body, size, &message)
        if code:
            return code
        if link.neighbour.ontree:
            self.pathfinder.lookup_in(link.neighbour, &message, body, size)
        else:
            self.lookups_offtree += 1
        return OK

    cdef int _notify(self, Link link, const uint8_t *body, size_t size) noexcept:
        cdef Routed message
        cdef Hop hop
        cdef int code = decode_notify(body, size, &message)
        if code:
            return code
        self.hops.towards(message.dest, message.path, message.path_size, &hop)
        if hop.link != NULL and hop.distance < message.watermark:
            send_routed(<Link>hop.link, PATH_NOTIFY, message.path, message.path_size, hop.distance,
                        message.source, body + size - message.source, False)
            return OK
        if memcmp(message.dest, self.key, 32) != 0:
            self.unroutable += 1
            return OK
        if link.waits and not self.pathfinder.is_awaited(message.source):
            self.pathfinder.checks_limited += 1
            return OK
        return self._signed_in(link, PATH_NOTIFY, body, size)

    cdef int _take_notify(self, Link link, const Routed *message) noexcept:
        cdef Path path
        cdef int code = self.pathfinder.notify_in(link, message)
        if code != RENEWED:
            return code
        path = self.pathfinder.path(message.source)
        self.path_in(path.key, self._send_held(path))
        self.credit_in(0)           # the way there may have changed from a link that had refused credit
        return OK

    cdef bint _send_held(self, Path path) noexcept:
        cdef PacketQueue held = self.pathfinder.release(path)
        cdef bint waited = held.count > 0
        while held.count:
            self.send_traffic(path.key, queue_pop(&held))
        return waited

    cdef int _broken(self, Link link, const uint8_t *body, size_t size) noexcept:
        cdef Routed message
        cdef int code = decode_broken(body, size, &message)
        if code == OK:
            self._route_broken(link.neighbour.port, &message)
        return code

    cdef void _route_broken(self, uint64_t origin, const Routed *message) noexcept:
        cdef Hop hop
        self.hops.towards(message.source, message.path, message.path_size, &hop)
        if hop.link != NULL and hop.distance < message.watermark:
            send_routed(<Link>hop.link, PATH_BROKEN, message.path, message.path_size, hop.distance, message.source, 64,
                        False)
        elif memcmp(message.source, self.key, 32) == 0:
            self.pathfinder.broken_in(origin, message)
        else:
            self.unroutable += 1

    # Upcalls

    cdef void traffic_in(self, Link link, const uint8_t *source, uint8_t *payload, size_t size) noexcept:
        if len(self._delivered) < DELIVERED_MAX:
            self._delivered.append((source[:32], payload[:size]))

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

    cdef void enter(self, uint64_t now, uint64_t wall) noexcept:
        self.now = max(self.now, now)
        self.wall = wall

    # What was held goes on in the order in which it came, each link with its share. The rest of a round is for what
    # comes new.
    cdef void begin_round(self) noexcept:
        self.work = ROUND_HELD
        if self._waiting:
            self._take_all_parked()
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
            if link._held_until > self.now or self.work <= 0:
                others.append(link)
            elif not link.go_on(slice) and self.held and self.held[-1] is link:
                # those before it left nothing of what they share: it is first next time
                others.append(self.held.pop())
        self.held = others + self.held

    cdef uint64_t run_timers(self) noexcept:
        cdef Link link
        if self.now >= self.due:
            self.due = NEVER
            for link in list(self.links):
                self.due = min(self.due, link.run_timers(self.now))
            if self.now >= self._tick_at:
                self._tick()
            elif self.now >= self._upkeep_at:
                self._upkeep_early()
            if self.now >= self.tree.tell_at:
                self.tree.tell()
            if self.now >= self.pathfinder.introduce_at:
                self.pathfinder.send_introductions()
            self.due = min(min(self.due, self.pathfinder.introduce_at),
                           min(self.tree.tell_at, min(self._tick_at, self._upkeep_at)))
        if self.failed:
            self._close_failed()
        return self.due

    cdef void want_upkeep(self, uint64_t when) noexcept:
        self._upkeep_at = min(self._upkeep_at, max(when, self._upkeep_from))
        self.due = min(self.due, self._upkeep_at)
        self.want_turn()

    cdef void _upkeep_early(self) noexcept:
        if bucket_take(&self._early, self.now):
            self.upkeeps += 1
            self._upkeep(False)
        else:
            self.upkeeps_limited += 1
            self._upkeep_at = self._upkeep_from = self.now + TICK // UPKEEP_RATE

    cdef void _upkeep(self, bint tick) noexcept:
        self._upkeep_at = NEVER
        self._upkeep_from = self.now + UPKEEP_GAP
        self.tree.upkeep()
        self.reach.upkeep(tick)
        self.pathfinder.upkeep()

    cdef void _tick(self) noexcept:
        cdef Link link
        self._upkeep(True)
        for link in self.links:
            link.measure(self.now - self._ticked)
        self._ticked = self.now
        self._tick_at = self.now + TICK

    cdef void _close_failed(self) noexcept:
        cdef Link link
        while self.failed:
            link = self.failed.pop()
            link.shut(link.error)

    cdef void flush_links(self) noexcept:
        cdef list ready = self.ready
        cdef Link link
        if self.failed:
            self._close_failed()
        if not ready:
            return
        self.ready = []
        for link in ready:
            link._listed = False
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

    cdef void leave(self) noexcept:
        self.run_timers()
        self.flush_links()

    # For Python

    def turn(self, uint64_t now, uint64_t wall):
        """Set the clock, run due timers, close failed links, flush output; return the next deadline in ns, or None."""
        self.enter(now, wall)
        self.begin_round()
        self.leave()
        return self.now if self.ready else self.due

    def close(self):
        """Close every link."""
        cdef Link link
        self.held = []
        self._waiting = []
        for link in list(self.links):
            link.shut("ErrClosed")

    def send(self, bytes key not None, bytes payload not None):
        """Send a message to a key."""
        cdef Packet *packet = packet_new(len(payload))
        if packet == NULL:
            raise MemoryError
        memcpy(packet.data, <const char *>payload, len(payload))
        packet.size = len(payload)
        if len(key) != 32:
            packet_free(packet)
            raise ValueError("a key has 32 bytes")
        self.send_traffic(key, packet)

    def find(self, bytes key not None):
        """Look for the node behind a full or partial key."""
        if len(key) != 32:
            raise ValueError("a key has 32 bytes")
        self.lookup(key)

    def suspect(self, bytes key not None):
        """Say that what is sent to a key seems not to arrive."""
        if len(key) != 32:
            raise ValueError("a key has 32 bytes")
        self.path_suspect(key)

    def confirm(self, bytes key not None):
        """Say that what is sent to a key arrives."""
        if len(key) != 32:
            raise ValueError("a key has 32 bytes")
        self.path_works(key)

    def credit(self, bytes key not None):
        """Return how many bytes may be sent towards a key now without being dropped."""
        cdef Way way
        if len(key) != 32:
            raise ValueError("a key has 32 bytes")
        self.find_way(key, 0, &way)
        return way.credit

    def take_delivered(self):
        """Return the messages that arrived since the last call."""
        delivered = self._delivered
        self._delivered = []
        return delivered

    @property
    def key(self):
        """The public key."""
        return self.key[:32]

    @property
    def coords(self):
        """The ports from the root down to this node."""
        cdef uint64_t *ports
        cdef size_t count = self.tree.own_coords(&ports)
        return [ports[index] for index in range(count)]

    @property
    def root(self):
        """The key this node takes for the root."""
        cdef Record record = self.tree.own
        cdef size_t count = 0
        while record is not None and memcmp(record.key, record.parent, 32) != 0 and count < 1024:
            if self.tree.record(record.parent) is None:
                break
            record = self.tree.record(record.parent)
            count += 1
        return record.key[:32] if record is not None else self.key[:32]

    def peers(self):
        """Return the state of each link, oldest first."""
        cdef Link link
        return [
            {
                "key": link.key, "port": link.port, "priority": link.priority, "cost": link.cost,
                "rx_bytes": link.rx_bytes,
                "tx_bytes": link.tx_bytes, "rx_rate": link.rx_rate, "tx_rate": link.tx_rate, "latency": link.latency,
                "uptime": self.now - link.since, "order": link.order,
            }
            for link in self.links
        ]

    def tree_records(self):
        """Return the tree records held."""
        cdef Record record
        return [{"key": record.key[:32], "parent": record.parent[:32],
                 "sequence": record.seq} for record in self.tree._all]

    def known_paths(self):
        """Return the paths held."""
        cdef Path path
        return [
            {"key": path.key[:32], "path": _ports(path), "sequence": path.seq, "broken": path.broken}
            for path in self.pathfinder._all_paths
        ]

    def self_state(self):
        """Return what this node is in the tree."""
        return {"key": self.key[:32], "coords": self.coords, "root": self.root, "routing_entries": len(self.tree._all)}

    def counters(self):
        """Return counts of what was forwarded, dropped or refused."""
        cdef Link link
        return {
            "forwarded": self.forwarded,
            "forward_failed": self.forward_failed,
            "unroutable": self.unroutable,
            "sent_to_self": self.sent_to_self,
            "lookups_offtree": self.lookups_offtree,
            "links_held": self.links_held,
            "links_unproven": self.links_unproven,
            "unproven_refused": self.unproven_refused,
            "unproven_dropped": self.unproven_dropped,
            "upkeeps_early": self.upkeeps,
            "upkeeps_limited": self.upkeeps_limited,
            "announces_limited": self.announces_limited,
            "requests_limited": self.tree.requests_limited,
            "answers_unasked": self.tree.answers_unasked,
            "records_refused": self.tree.records_refused,
            "records_evicted": self.tree.records_evicted,
            "lookups_limited": self.pathfinder.lookups_limited,
            "answers_limited": self.pathfinder.answers_limited,
            "answers_unroutable": self.pathfinder.answers_unroutable,
            "checks_limited": self.pathfinder.checks_limited,
            "breaks_limited": self.pathfinder.breaks_limited,
            "brokens_limited": self.brokens_limited,
            "notifies_refused": self.pathfinder.notifies_refused,
            "held_dropped": self.pathfinder.held_dropped,
            "paths_evicted": self.pathfinder.paths_evicted,
            "queue_dropped": self._queue_dropped + sum([link.dropped for link in self.links]),
            "links_lost": self._links_lost + sum([link.lost for link in self.links]),
        }


cdef list _ports(Path path):
    cdef const uint8_t *at = path.ports
    cdef uint64_t port
    result = []
    while True:
        at = uv_get(at, path.ports + path.size, &port)
        if at == NULL or port == 0:
            return result
        result.append(port)


cdef Packet *_with_headroom(Packet *packet, size_t header) noexcept:
    cdef Packet *roomy = packet_new(packet.size + header)
    if roomy != NULL:
        roomy.data += header
        memcpy(roomy.data, packet.data, packet.size)
        roomy.size = packet.size
        roomy.ecn = packet.ecn
    packet_free(packet)
    return roomy
