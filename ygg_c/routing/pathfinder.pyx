"""Paths to keys (protocol 0.5, path discovery).

Theory of operation
-------------------

To reach a key, a node needs the coordinates of its holder: a path. It asks with a lookup, which travels the tree along
the links whose filters may lead to the key. The holder answers with a notify: its coordinates and the time, signed,
routed greedily to the asker. Keys are looked up in a transformed, shorter form, so that an IPv6 address is enough to
ask with.

    rumor   a key is wanted; keyed by the transformed key; sees to it that one lookup a second goes out
    path    a key is found; keyed by the whole key; lives for a minute after the last traffic from it

A lookup is in vain while no filter leads to the key, and its answer is lost when the asker's coordinates change
meanwhile. While there is no answer the lookup is therefore repeated, a few times, as soon as it would reach more
neighbours or come from another place: after a node has started or lost its parent no packet has to wait for the next
second. Where a path breaks far away neither happens here, and the lookup goes by filters that lead to the break as the
path did; so it is repeated after 0.1, 0.2 and 0.4 seconds more, as long as we hear that the path is broken, or have no
link for it ourselves.

A path serves for a minute after something has shown that it leads there: a notify, a session packet that answers what
we sent, an acknowledgement of the stack's. What merely arrives shows that the other way works. A path that has nothing
to show is looked for again, ever less often, and so is one when we have moved in the tree, when its holder writes from
elsewhere, or when the stack hears nothing back: then the first hop is suspected of swallowing what it is given, and
another neighbour that is nearer takes its place for a while. Meanwhile a path in doubt goes on being used, and any
signed answer replaces it, of whatever number: a holder that was restarted with its clock behind has none that is
higher. A neighbour needs no path: its link is one.

Who writes to us has a path to where we were. When we move we say so to those who have written lately, unasked: a notify
of a higher number than before.

The answer to a first message does not wait for a lookup's round trip. Who is written to by a node to which it has no
path answers the way that the message came, by the coordinates of its header, and looks for a path meanwhile. Nothing
has signed those, and while the tree settles they are soon wrong: what goes by them is kept too, and sent again when a
notify tells others. The reference does not do so. It holds its answer until it is told a path, and takes any notify for
a key that it looks for: one that it did not ask for, a little behind our Init, spares it the round trip (introduce()).

Both hold the last few packets that could not be sent; they leave when the path is found. One would not do: when both
ends have begun to talk, an Ack waits ahead of the first payload, which is worth nothing without it. A node that cannot
forward traffic says so to the source (path broken), which then looks again and goes on using the old path meanwhile:
anyone can forge that message, so it must not stop anything by itself.
"""

from libc.string cimport memcmp, memcpy

from ygg_c.base.address cimport lookup_key
from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.base.packet cimport packet_copy, queue_clear, queue_init
from ygg_c.base.ratelimit cimport bucket_init, bucket_take
from ygg_c.base.sodium cimport verify
from ygg_c.ip.layer cimport free_way
from ygg_c.link.link cimport HELD, WORK_VERIFY
from ygg_c.link.wire cimport OK, PATH_MAX, PATH_PORTS_MAX, UV_MAX, path_ports, path_put, ports_size, uv_put
from ygg_c.routing.lookups cimport LOOKUP_INTERVAL
from ygg_c.routing.nexthop cimport Hop, hop_bit

cdef uint64_t LIFE = 60 * SECOND                # ns of a path without traffic from it
# of a path that only the header of a message tells, without more from there
cdef uint64_t UNPROVEN_LIFE = 3 * SECOND
cdef enum:
    RENEWED = 1                                 # of _check()
    LOOKUPS_SEEN_MAX = 4096                     # that are kept, one for each asker
cdef uint64_t WRITES = 10 * SECOND              # ns since it wrote, in which one is told that we have moved
cdef uint64_t DOUBT_AFTER = 45 * SECOND         # ns without a sign that a path works, after which it is looked for anew
cdef uint64_t PATIENCE_MAX = 32 * SECOND        # ns between lookups for a path in doubt, at most
cdef uint64_t AVOID_LEAST = 60 * SECOND         # ns for which a first hop is avoided; it doubles
cdef uint64_t AVOID_MOST = 960 * SECOND
cdef uint64_t REVIEW_RATE = 100                 # lookups a second for paths in doubt, all together
cdef uint64_t REVIEW_BURST = 200


cdef class Pathfinder:
    """The paths and rumors of one node."""

    def __cinit__(self, LinkHost host not None, Tree tree not None, NextHops hops not None, Reach reach not None):
        self.host = host
        self.tree = tree
        self.hops = hops
        self.reach = reach
        self.held = HeldPackets()
        self.paths = Paths(host, self.held)
        self.rumors = Rumors(host, self.held)
        self.location = Location(host, tree)
        self.lookups = Lookups(host, tree, reach, self.location, self.rumors)
        self.answers = Answers(host, hops, self.location)
        self._salt = host.random.u64()
        bucket_init(&self._reviews, REVIEW_RATE, REVIEW_BURST, host.now)
        # Many nodes may look for one at the same moment, as a server's clients do. A lookup costs no work with keys.
        self._lookups = Budget(4000, 2000, self._salt)
        self._breaks = Budget(200, 100, self._salt)
        lookup_key(host.key, self._target)

    # Paths

    cdef Path path(self, const uint8_t *key):
        return self.paths.find(key)

    cdef Path path_to(self, const uint8_t *key):
        cdef Path path = self.path(key)
        if path is None and self.tree.is_ready(key):
            path = self._new_path(key)
            if self._follow_neighbour(path) < 0:
                self.paths.remove(path)
                return None
            self._confirm(path)
        return path

    # Nothing has signed these coordinates: the message is its sender's, its header may be anyone's who has passed it on
    # or kept a copy. They serve for an answer of the message's own size and what follows in the round trip that a
    # lookup takes; any notify replaces them, and its holder could sign what it likes there too.
    cdef Path path_back(self, const uint8_t *key):
        cdef Path path
        if self._message == NULL or not self._proven or memcmp(key, self._message.source, 32) != 0:
            return None
        self.want(key)
        path = self._new_path(key)
        if self.paths.set_ports(path, self._message.origin, self._message.origin_size) < 0:
            self.paths.remove(path)
            return None
        path.unproven = True
        self.paths.live(path, self.host.now + UNPROVEN_LIFE)
        return path

    # What went by an unsigned path has arrived there.
    cdef void _forget_copies(self, Path path) noexcept:
        cdef PacketQueue held = self.release(path)
        queue_clear(&held)
        path.unproven = False

    # A neighbour's coordinates are known without asking.
    cdef int _follow_neighbour(self, Path path) noexcept:
        cdef uint8_t encoded[PATH_MAX]
        cdef uint64_t *ports
        cdef size_t count = self.tree.coords(self.tree.record(path.key), &ports)
        return self.paths.set_ports(path, encoded, path_put(encoded, ports, count) - encoded)

    cdef void prepare(self, Path path) noexcept:
        if path.avoid_until <= self.host.now:
            path.avoided = 0
            path.avoid_until = NEVER
            path.generation = 0
        if path.generation == self.tree.generation:
            return
        self._find_hop(path)
        if self._make_header(path) < 0:
            path.hop.link = NULL
            return
        path.generation = self.tree.generation

    cdef bint use(self, Path path, const uint8_t *dest, Packet *packet) noexcept:
        cdef Packet *copy
        cdef bint lost = False
        if path is not None:
            self.prepare(path)
            if path.hop.link == NULL:
                lost = not path.broken or self.lookups.is_overdue(dest)
                path.broken = True
                self.paths.unsee(path)
            elif not path.broken and not path.unproven:
                if self.is_doubtful(path):
                    self.doubt(path)
                return True
        self.want(dest, lost)
        if path is None or path.hop.link == NULL:
            self.hold(dest, packet)
            return False
        copy = packet_copy(packet.data, packet.size)
        if copy != NULL:
            self.hold(dest, copy)
        return True

    cdef void find_way(self, const uint8_t *dest, size_t wanted, Way *way) noexcept:
        cdef Path path = self.path(dest)
        if path is not None:
            self.prepare(path)
        if path is None or path.hop.link == NULL:
            free_way(way)
        else:
            (<Link>path.hop.link).find_room(wanted, way)

    cdef void _find_hop(self, Path path) noexcept:
        cdef bint direct = self.tree.link_to(path.key) is not None
        if direct:
            self._follow_neighbour(path)
            path.broken = False
        elif path.direct:
            path.place = ~self.place            # perhaps it was never looked for
        path.direct = direct
        self.hops.towards(path.key, path.ports, path.size, &path.hop)
        if path.avoided and path.hop.link != NULL and not direct:
            self._find_other_hop(path)

    cdef void _find_other_hop(self, Path path) noexcept:
        cdef Hop other
        self.hops.search(path.ports, path.size, path.avoided, &other)
        if other.link != NULL:
            path.hop = other
        else:
            path.avoided = 0                    # there is no other: begin again
            path.avoid_until = NEVER

    cdef int _make_header(self, Path path) noexcept:
        cdef uint64_t *ports
        cdef uint8_t *at
        cdef size_t count, size
        count = self.tree.own_coords(&ports)
        size = path.size + ports_size(ports, count) + 64
        if self.paths.set_header_size(path, size) < 0:
            return -1
        memcpy(path.header, path.ports, path.size)
        at = path_put(path.header + path.size, ports, count)
        memcpy(at, self.host.key, 32)
        memcpy(at + 32, path.key, 32)
        return 0

    # Doubt

    cdef bint is_doubtful(self, Path path) noexcept:
        return not path.direct and (path.place != self.place or self.host.now - path.confirmed >= DOUBT_AFTER)

    cdef bint doubt(self, Path path) noexcept:
        cdef uint64_t now = self.host.now
        cdef bint moved = path.place != self.place
        if path.direct or (path.doubted and now - path.doubted < (LOOKUP_INTERVAL if moved else path.patience)):
            return False
        if not bucket_take(&self._reviews, now):
            return False
        path.doubted = now
        path.patience = min(max(LOOKUP_INTERVAL, 2 * path.patience), PATIENCE_MAX)
        self.want(path.key)
        return True

    cdef void suspect(self, const uint8_t *key) noexcept:
        cdef Path path = self.path(key)
        if path is None:
            self.want(key)
        elif self.doubt(path):
            self._avoid_hop(path)

    # Go by another first hop that is nearer too, for a while.
    cdef void _avoid_hop(self, Path path) noexcept:
        self.prepare(path)
        if path.hop.link == NULL or path.direct:
            return
        path.avoided |= hop_bit((<Link>path.hop.link).neighbour.port)
        path.avoid_for = min(max(AVOID_LEAST, 2 * path.avoid_for), AVOID_MOST)
        path.avoid_until = self.host.now + path.avoid_for
        path.generation = 0

    cdef void confirm(self, const uint8_t *key) noexcept:
        cdef Path path = self.path(key)
        if path is not None:
            if path.unproven:
                self._forget_copies(path)
            self._confirm(path)

    cdef void _confirm(self, Path path) noexcept:
        path.confirmed = self.host.now
        path.patience = 0
        self.paths.live(path, path.confirmed + LIFE)
        if not (path.seen or path.broken or path.unproven):
            path.seen = True
            self.host.path_seen(path.key, True)

    cdef void message_in(self, const Routed *message) noexcept:
        self._message = message
        self._proven = False

    cdef void message_done(self) noexcept:
        self._message = NULL

    cdef void source_proven(self, const uint8_t *source) noexcept:
        if self._message != NULL:
            self._proven = True
            self._heard(source, self._message.origin, self._message.origin_size)

    cdef void _heard(self, const uint8_t *key, const uint8_t *origin, size_t size) noexcept:
        cdef Path path = self.path(key)
        if path is None:
            return
        if not path.broken:
            path.expires = self.host.now + LIFE
        if size == path.size and memcmp(origin, path.ports, size) == 0:
            return
        if path.unproven:
            self.paths.set_ports(path, origin, size)
        else:
            self.doubt(path)

    # Whether a notify of this number is too old for the path that we have.
    cdef bint _is_kept(self, Path path, uint64_t seq) noexcept:
        return seq <= path.seq and self.host.now - path.confirmed < LIFE

    cdef Path _new_path(self, const uint8_t *key):
        cdef Path path = self.paths.add(key)
        path.place = self.place
        self._take_rumor(path)
        return path

    # Rumors

    # What waited for this very key waits for its path now.
    cdef void _take_rumor(self, Path path) noexcept:
        cdef Rumor rumor = self.rumors.find(path.key)
        if rumor is not None and memcmp(rumor.dest, path.key, 32) == 0:
            path.held = rumor.held
            queue_init(&rumor.held)

    cdef bint want(self, const uint8_t *dest, bint urgent=False) noexcept:
        cdef Path path = self.path(dest)
        cdef bint fresh = path is not None and self.host.now - path.created < LOOKUP_INTERVAL
        if not self.lookups.want(dest, fresh, urgent):
            return False
        if path is not None:
            path.place = self.place
        return True

    # Packets that wait

    cdef void hold(self, const uint8_t *dest, Packet *packet) noexcept:
        cdef Path path = self.path(dest)
        cdef Rumor rumor
        if path is None:
            rumor = self.rumors.find(dest)
            if rumor is not None and memcmp(rumor.dest, dest, 32) != 0:
                self.held.drop(&rumor.held, 0)
                memcpy(rumor.dest, dest, 32)
            self.held.put(&rumor.held if rumor is not None else NULL, packet, HELD_FIRST)
        elif path.unproven:
            self.held.put(&path.held, packet, HELD_EACH)                # the Ack is the first of them
        else:
            # copies of what goes by the path that may be broken: the newest count
            self.held.drop(&path.held, HELD_EACH - 1)
            self.held.put(&path.held, packet, HELD_FIRST)

    cdef bint has_held(self, Path path) noexcept:
        return path.held.count and not path.broken and not path.unproven

    cdef PacketQueue release(self, Path path) noexcept:
        return self.held.release(&path.held)

    # Messages

    cdef void lookup_in(self, Neighbour came_from, const Lookup *message, const uint8_t *body, size_t size) noexcept:
        cdef uint8_t target[32]
        if not self._lookups.take(came_from.port, message.source, False, 1.0, self.host.now):
            self.lookups_limited += 1
            return
        if self.lookups_seen is not None:
            self._note(message)
        self.reach.multicast(body, size, came_from, message.source, message.dest)
        lookup_key(message.dest, target)
        if memcmp(target, self._target, 32) == 0:
            self.answers.answer(came_from.port, message, self.path(message.source) is not None)

    # Nothing in a lookup is signed: who sends many under many names fills this, and no more than this.
    cdef void _note(self, const Lookup *message) noexcept:
        cdef bytes asker = message.source[:32]
        self.lookups_seen.pop(asker, None)
        if len(self.lookups_seen) >= LOOKUPS_SEEN_MAX:
            del self.lookups_seen[next(iter(self.lookups_seen))]
        self.lookups_seen[asker] = (message.origin[:message.origin_size], message.dest[:32], self.host.wall)

    cdef int notify_in(self, Link link, const Routed *message) noexcept:
        cdef uint64_t ports[PATH_PORTS_MAX]
        cdef uint8_t shortest[PATH_MAX]
        cdef size_t size, count
        cdef Path path = self.path(message.source)
        cdef Rumor rumor = self.rumors.find(message.source)
        cdef bint same = False
        cdef int code
        # Paths are kept and compared in their shortest form.
        count = path_ports(message.info_path, message.info_path + message.info_path_size, ports, PATH_PORTS_MAX)
        size = path_put(shortest, ports, count) - shortest
        if path is None:
            if rumor is None:
                self.notifies_refused += 1
                return OK
            if memcmp(message.source, self.host.key, 32) == 0:
                return self._own_answer_in(link, message, ports, count, rumor)
        elif self._is_kept(path, message.seq):
            return OK
        else:
            same = path.size == size and memcmp(path.ports, shortest, size) == 0 and not path.broken
            if same and self.host.now - path.confirmed < LOOKUP_INTERVAL:
                return OK
        code = self._check(link, message, ports, count, rumor is not None and not rumor.answered)
        if code != RENEWED:
            return code
        if path is None:
            path = self._new_path(message.source)
        elif same and path.unproven:
            self._forget_copies(path)
        if not same and self.paths.set_ports(path, shortest, size) < 0:
            self.paths.remove(path)
            return OK
        if rumor is not None:
            rumor.answered = True
        path.seq = message.seq
        path.broken = path.unproven = False
        self._confirm(path)
        if not same:
            self.host.path_found(path.key)
        return OK

    # This node has looked for its own key. What it has signed itself, at this place, is no news.
    cdef int _own_answer_in(self, Link link, const Routed *message, const uint64_t *ports, size_t count,
                            Rumor rumor) noexcept:
        cdef uint64_t *own
        cdef size_t own_count = self.tree.own_coords(&own)
        cdef int code
        if count == own_count and memcmp(ports, own, count * sizeof(uint64_t)) == 0:
            return OK
        code = self._check(link, message, ports, count, not rumor.answered)
        if code != RENEWED:
            return code
        rumor.answered = True
        self.host.own_answer_in()
        return OK

    cdef bint is_awaited(self, const uint8_t *key) noexcept:
        cdef Rumor rumor = self.rumors.find(key)
        return rumor is not None and not rumor.answered

    # RENEWED when the signature is right. An answer that we want finds room when others have used up theirs, and else
    # waits.
    cdef int _check(self, Link link, const Routed *message, const uint64_t *ports, size_t count, bint wanted) noexcept:
        if not self.host.verifications.take(link.order, message.source, wanted, 1, self.host.now):
            self.checks_limited += not wanted
            return HELD if wanted else OK
        self.host.work -= WORK_VERIFY
        if not _is_signed(message, ports, count):
            self.notifies_refused += 1
            return OK
        return RENEWED

    cdef void broken_in(self, uint64_t origin, const Routed *message) noexcept:
        cdef Path path = self.path(message.dest)
        cdef bint was
        if path is not None and not path.direct:
            if not self._breaks.take(origin, message.dest, False, 1.0, self.host.now):
                self.breaks_limited += 1
                return
            was = path.broken
            path.broken = True
            self.paths.unsee(path)
            self.want(message.dest, not was or self.lookups.is_overdue(message.dest))

    # Who has written to us lately would find out by a lookup, once the filters lead here again and after a round trip.
    cdef void _tell_moved(self) noexcept:
        cdef uint64_t lately = self.host.now + LIFE - WRITES
        cdef Path path
        for path in self.paths.all:
            if path.expires >= lately and not path.unproven and self.tree.link_to(path.key) is None:
                if not self.answers.tell_moved(path):
                    return

    cdef void maintain(self) noexcept:
        cdef uint64_t place
        self.paths.expire(self.host.now)
        self.rumors.expire(self.host.now)
        if self._seen_tree != self.tree.generation or self._seen_gains != self.reach.gains:
            self._seen_tree = self.tree.generation
            self._seen_gains = self.reach.gains
            place = self.location.place()
            if place != self.place:
                self.place = place
                self._tell_moved()
            self.lookups.look_again()

# The signature is over the integers, not over how they happened to be spelled.
cdef bint _is_signed(const Routed *message, const uint64_t *ports, size_t count) noexcept:
    cdef uint8_t signed[UV_MAX + PATH_MAX]
    cdef uint8_t *end = path_put(uv_put(signed, message.seq), ports, count)
    return verify(message.sig, signed, end - signed, message.source) == 0
