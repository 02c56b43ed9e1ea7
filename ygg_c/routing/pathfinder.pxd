# Paths to keys: who is looked for, what was found, what broke (protocol 0.5, path discovery).

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.packet cimport Packet, PacketQueue
from ygg_c.base.ratelimit cimport Bucket, Recent
from ygg_c.ip.layer cimport Way
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.link.wire cimport Lookup, Routed
from ygg_c.routing.answers cimport Answers
from ygg_c.routing.heldpackets cimport HeldPackets
from ygg_c.routing.location cimport Location
from ygg_c.routing.lookups cimport Lookups
from ygg_c.routing.multicast cimport Reach
from ygg_c.routing.nexthop cimport NextHops
from ygg_c.routing.paths cimport Path, Paths
from ygg_c.routing.rumors cimport Rumor, Rumors
from ygg_c.routing.tree cimport Tree

cdef enum:
    HELD_EACH = 8                   # packets that wait for another path
    HELD_FIRST = 512                # packets that wait for the first one to a key; later ones are dropped

cdef class Pathfinder:
    cdef LinkHost host
    cdef Tree tree
    cdef NextHops hops
    cdef Reach reach
    cdef Location location
    cdef HeldPackets held
    cdef Paths paths
    cdef Rumors rumors
    cdef Lookups lookups
    cdef Answers answers
    cdef uint8_t _target[32]        # our own key, transformed
    cdef const Routed *_message     # a message for us that is handled now, or NULL
    cdef bint _proven               # it is from the source that it names, the session layer has seen
    cdef uint64_t _seen_tree        # generation of the tree, and gains of the filters, at the last maintenance
    cdef uint64_t _seen_gains
    cdef uint64_t place             # our own coordinates at the last maintenance, as Location.place()
    cdef Bucket _reviews            # lookups out of doubt that may be made now
    cdef Budget _lookups            # of others that may be passed on and answered, by the neighbour that brings them
    cdef Budget _breaks             # paths that may be called broken
    cdef uint64_t _salt
    # Who has looked for whom, the latest last: key of the asker → (its coordinates as they came, what it looks for as
    # it came, unix seconds). None: it is not kept.
    cdef dict lookups_seen
    cdef readonly uint64_t lookups_limited
    cdef readonly uint64_t checks_limited
    cdef readonly uint64_t breaks_limited
    cdef readonly uint64_t notifies_refused

    cdef Path path(self, const uint8_t *key)                        # None when unknown
    cdef Path path_to(self, const uint8_t *key)                     # the same; made for a neighbour that has none
    # The same where one without a path has written the message that is handled now, and is answered at once: a path to
    # use until it is looked up.
    cdef Path path_back(self, const uint8_t *key)
    # Whether a packet for this key, to which there is this path or None, may leave by it now. The pathfinder keeps the
    # packet until there is a path where it may not, and a copy where the path is in doubt; it looks for one then.
    cdef bint use(self, Path path, const uint8_t *dest, Packet *packet) noexcept
    # How the way to this key stands; see Lower.find_way.
    cdef void find_way(self, const uint8_t *dest, size_t wanted, Way *way) noexcept
    cdef void prepare(self, Path path) noexcept                     # make header and hop valid for this generation
    # Look for a key, at most once a second; `urgent`: its path has just been lost. Tells whether a lookup went out.
    cdef bint want(self, const uint8_t *dest, bint urgent=*) noexcept
    cdef bint is_doubtful(self, Path path) noexcept                 # nothing shows that it works from where we are
    # look for it anew, ever less often; True when that was done
    cdef bint doubt(self, Path path) noexcept
    cdef void suspect(self, const uint8_t *key) noexcept            # what we send to it seems not to arrive
    cdef void confirm(self, const uint8_t *key) noexcept            # what we send to it arrives
    # Before and after a message for us is handled, and meanwhile: it is this source's own.
    cdef void message_in(self, const Routed *message) noexcept
    cdef void source_proven(self, const uint8_t *source) noexcept
    cdef void message_done(self) noexcept
    cdef void hold(self, const uint8_t *dest, Packet *packet) noexcept      # until a path is found; takes ownership
    cdef bint has_held(self, Path path) noexcept                    # something waits for it, and it is not in doubt
    cdef PacketQueue release(self, Path path) noexcept              # what waited for this path
    cdef void lookup_in(self, Neighbour came_from, const Lookup *message, const uint8_t *body, size_t size) noexcept
    # For us: OK, or HELD: not now. The host is told (path_found) of a path where none was or it was another.
    cdef int notify_in(self, Link link, const Routed *message) noexcept
    cdef bint is_awaited(self, const uint8_t *key) noexcept         # a notify about it is waited for
    cdef void broken_in(self, uint64_t origin, const Routed *message) noexcept      # for us
    cdef void maintain(self) noexcept                               # after tree and filters

    cdef void _tell_moved(self) noexcept
    cdef void _heard(self, const uint8_t *key, const uint8_t *origin, size_t size) noexcept
    cdef bint _is_kept(self, Path path, uint64_t seq) noexcept
    cdef void _confirm(self, Path path) noexcept
    cdef int _own_answer_in(self, Link link, const Routed *message, const uint64_t *ports, size_t count,
                            Rumor rumor) noexcept
    cdef void _avoid_hop(self, Path path) noexcept
    cdef void _find_hop(self, Path path) noexcept
    cdef int _make_header(self, Path path) noexcept
    cdef void _note(self, const Lookup *message) noexcept
    cdef void _forget_copies(self, Path path) noexcept
    cdef int _check(self, Link link, const Routed *message, const uint64_t *ports, size_t count, bint wanted) noexcept
    cdef Path _new_path(self, const uint8_t *key)
    cdef void _take_rumor(self, Path path) noexcept
    cdef int _follow_neighbour(self, Path path) noexcept
    cdef void _find_other_hop(self, Path path) noexcept
