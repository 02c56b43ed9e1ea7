# The spanning tree: neighbours, the gossip of records, and the choice of a parent.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.ratelimit cimport Backoff
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.link.wire cimport Announce, SigReq, SigRes
from ygg_c.routing.records cimport Record, Records

cdef enum:
    SENT_MAX = 4096                 # keys remembered for a neighbour as sent; more than two ancestries
    # records told before the far side is proven; it has no room for many more (link/deferred.pxd)
    GREETED_MAX = 128

# The link by which a neighbour is reached: of the lowest priority number the one on which a burst is there first. None:
# it has none.
cdef Link best_link(Neighbour neighbour)

cdef class Tree(Records):
    cdef list _met                  # of Neighbour: these, and those with no proven link yet
    cdef list _unproven             # of Link
    cdef ByteMap _by_key            # 32-byte key -> Neighbour
    cdef ByteMap _by_target         # that key in the form in which it is looked up -> Neighbour
    cdef bint _refresh              # our record is to be renewed
    cdef uint64_t _root_at          # when we become root if there is no parent by then; NEVER: we have a place
    cdef Backoff _renumberings      # announcements of another number
    cdef Backoff _hurries           # times that we became root at once
    cdef list _telling              # of Neighbour: those that may lack records, who has waited longest first
    cdef uint64_t tell_at           # when to go on telling them; NEVER: all have been told
    cdef bint news                  # records have come that maintain() has not seen
    cdef readonly uint64_t requests_limited
    cdef readonly uint64_t answers_unasked

    # Neighbours and links
    cdef Neighbour neighbour(self, const uint8_t *key)              # the one of this key, made when there is none
    cdef uint64_t _free_port(self, const uint8_t *key)
    cdef bint _is_child(self, Record record) noexcept
    cdef void link_up(self, Link link) noexcept
    cdef bint link_down(self, Link link) noexcept                   # True: other proven links to its neighbour remain
    cdef bint doubt_others(self, Link link) noexcept    # this one was proven; whether no other is sure to live
    cdef void greet(self, Link link) noexcept                       # send an unproven link the records that it lacks
    cdef void prove(self, Link link) noexcept

    # Messages; a code of ygg_c.link.wire, or HELD
    cdef int request_in(self, Link link, const SigReq *message) noexcept
    cdef int response_in(self, Link link, const SigRes *message) noexcept
    cdef int announce_in(self, Link link, const Announce *message) noexcept
    cdef void maintain(self) noexcept
    # neighbours what they lack, as much as they may be told now
    cdef void tell(self) noexcept

    # What others ask
    # the neighbour of this key; None: no proven link leads there
    cdef Neighbour proven(self, const uint8_t *key)
    # the proven link to a neighbour to use; None: there is none
    cdef Link link_to(self, const uint8_t *key)
    # Whether a neighbour may be addressed without a lookup. Before it has had time to look at its tree it can look for
    # no key, and so cannot answer; a lookup reaches it when it can.
    cdef bint is_ready(self, const uint8_t *key) noexcept
    cdef Neighbour neighbour_wanted(self, const uint8_t *target)    # of this key in its transformed form, or None

    # What neighbours have been told
    cdef void _note_sent(self, Neighbour neighbour, const uint8_t *key) noexcept
    cdef void _bound_sent(self, Neighbour neighbour) noexcept

    # Parent
    cdef Neighbour _parent(self)                                    # None: none that is a neighbour
    cdef bint _is_renumbered(self) noexcept
    cdef void _check_number(self) noexcept
    cdef void _choose_parent(self) noexcept
    cdef bint _may_hurry(self) noexcept
    cdef bint _is_cut_off(self) noexcept
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
