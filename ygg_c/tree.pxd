# The spanning tree: records, their gossip, the choice of a parent, and coordinates.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.bytemap cimport ByteMap
from ygg_c.link cimport Link, LinkHost
from ygg_c.neighbour cimport Neighbour
from ygg_c.wire cimport Announce, SigReq, SigRes

cdef enum:
    RECORDS_MAX = 16384             # in total
    NEIGHBOUR_RECORDS_MAX = 4096    # brought first by one neighbour
    EVICTED_MAX = 256               # in one search for room
    CROWDED_FOR = 100000000         # ns for which a search for room that found none counts
    NEEDED_MAX = 256                # hops of a neighbour's ancestry that are kept when there are too many records
    SENT_MAX = 4096                 # keys remembered for a neighbour as sent; more than two ancestries
    GREETED_MAX = 128               # records told before the far side is proven; it has no room for many more (parked.pxd)
    DEPTH_MAX = 1024                # = PATH_PORTS_MAX: nobody can be addressed deeper

cdef class Record:
    cdef uint8_t key[32]
    cdef uint8_t parent[32]
    cdef uint64_t seq
    cdef uint64_t nonce
    cdef uint64_t port
    cdef uint8_t psig[64]
    cdef uint8_t sig[64]
    cdef uint64_t updated           # ns
    cdef Neighbour bringer          # None: ourselves, or it is gone
    cdef Py_ssize_t _slot           # in Tree._all
    cdef uint64_t _mark             # the walk that met it last
    cdef uint64_t *_ports           # coordinates, valid for one generation
    cdef size_t _depth
    cdef void *_root                # the record they start from, borrowed; NULL: its ancestry leads nowhere
    cdef uint64_t _generation       # 0: never computed

# Where following parents from a key ends.
cdef struct Walk:
    uint8_t root[32]                # the last key that has a record
    uint64_t depth                  # hops to it
    bint through_us

cdef class Tree:
    cdef LinkHost host
    cdef ByteMap _records           # 32-byte key -> Record
    cdef list _all
    cdef list neighbours            # of Neighbour with a proven link, oldest first
    cdef list _met                  # of Neighbour: these, and those with no proven link yet
    cdef list _unproven             # of Link
    cdef ByteMap _by_key            # 32-byte key -> Neighbour
    cdef ByteMap _by_target         # that key in the form in which it is looked up -> Neighbour
    cdef Record own                 # None before the first upkeep
    cdef uint64_t generation        # changes with everything a next hop depends on
    cdef bint _refresh              # our record is to be renewed
    cdef uint64_t _root_at          # when we become root if there is no parent by then; NEVER: we have a place
    cdef uint64_t _renumber_from    # no announcement of another number before
    cdef uint64_t _renumber_gap
    cdef uint64_t _walks
    cdef uint64_t _expire_at        # no record expires before
    cdef list _telling              # of Neighbour: those that may lack records, who has waited longest first
    cdef uint64_t tell_at           # when to go on telling them; NEVER: all have been told
    cdef uint64_t _changed_at       # ns: when the generation changed by what a record says
    cdef bint _stale                # a record has changed since
    cdef bint news                  # records have come that upkeep has not seen
    cdef readonly uint64_t requests_limited
    cdef readonly uint64_t answers_unasked
    cdef readonly uint64_t records_refused
    cdef readonly uint64_t records_evicted

    # Neighbours and links
    cdef Neighbour neighbour(self, const uint8_t *key)              # the one of this key, made when there is none
    cdef uint64_t _free_port(self, const uint8_t *key)
    cdef bint _is_child(self, Record record) noexcept
    cdef void link_up(self, Link link) noexcept
    cdef bint link_down(self, Link link) noexcept                   # True: other proven links to its neighbour remain
    cdef void greet(self, Link link) noexcept                       # send an unproven link the records that it lacks
    cdef void prove(self, Link link) noexcept

    # Messages; a code of ygg_c.wire, or HELD
    cdef int request_in(self, Link link, const SigReq *message) noexcept
    cdef int response_in(self, Link link, const SigRes *message) noexcept
    cdef int announce_in(self, Link link, const Announce *message) noexcept
    cdef void upkeep(self) noexcept
    cdef void tell(self) noexcept                                   # neighbours what they lack, as much as they may be told now

    # What others ask
    cdef Neighbour proven(self, const uint8_t *key)                 # the neighbour of this key; None: no proven link leads there
    cdef Record record(self, const uint8_t *key)                    # None when unknown
    cdef Link link_to(self, const uint8_t *key)                     # the proven link to a neighbour to use; None: there is none
    # Whether a neighbour may be addressed without a lookup. Before it has had time to look at its tree it can look for nobody, and
    # so cannot answer; a lookup reaches it when it can.
    cdef bint is_ready(self, const uint8_t *key) noexcept
    cdef Neighbour neighbour_wanted(self, const uint8_t *target)    # of this key in its transformed form, or None
    cdef size_t coords(self, Record record, uint64_t **ports) noexcept      # how many; `ports` is borrowed until the next change
    cdef size_t own_coords(self, uint64_t **ports) noexcept
    cdef bint in_our_tree(self, Record record) noexcept             # its coordinates and ours start from the same root

    # Records
    cdef bint _make_room(self, Neighbour bringer) noexcept
    cdef uint64_t _mark_needed(self) noexcept
    cdef Neighbour _greediest(self, uint64_t first)
    cdef int _store(self, const Announce *message, Neighbour bringer) noexcept
    cdef void _remove(self, Record record) noexcept
    cdef void _note_change(self) noexcept
    cdef void _forget_sent(self, const uint8_t *key) noexcept
    cdef void _note_sent(self, Neighbour neighbour, const uint8_t *key) noexcept
    cdef void _bound_sent(self, Neighbour neighbour) noexcept
    cdef void _forget_coords(self, Record record) noexcept
    cdef void _expire(self) noexcept
    cdef void _walk(self, const uint8_t *key, Walk *walk) noexcept
    cdef size_t _ancestry(self, const uint8_t *key, Record end, void **records, size_t most) noexcept

    # Parent
    cdef Neighbour _parent(self)                                    # None: none that is a neighbour
    cdef bint _is_renumbered(self) noexcept
    cdef void _check_number(self) noexcept
    cdef void _choose_parent(self) noexcept
    cdef bint _adopt(self, Neighbour parent) noexcept
    cdef void _become_root(self) noexcept
    cdef void _settle(self) noexcept
    cdef void _ask_again(self) noexcept
    cdef void _lose(self, Neighbour neighbour) noexcept
    cdef void _ask(self, Link link) noexcept
    cdef void _keep_answer(self, Neighbour neighbour, const SigRes *message) noexcept
    cdef bint _is_useful(self, Neighbour neighbour) noexcept
    cdef void _send_record(self, Link link, Record record) noexcept
    cdef void _gossip(self) noexcept
    cdef void _want_to_tell(self, Neighbour neighbour) noexcept
    # `above`: our ancestry; adds to `looks` how many records it looked at. False: there is more to tell.
    cdef bint _tell(self, Neighbour neighbour, void **above, size_t count, size_t *looks) noexcept
    cdef bint _tell_some(self, Neighbour neighbour, void **records, size_t count) noexcept
    cdef bint _is_behind(self, Neighbour neighbour) noexcept
    cdef void _greet(self, Link link, const uint8_t *key) noexcept
