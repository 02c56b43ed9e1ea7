# The spanning tree: neighbours and what they say, and our place below one of them.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.ratelimit cimport Backoff
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.link.wire cimport Announce, SigReq, SigRes
from ygg_c.routing.gossip cimport Gossip
from ygg_c.routing.records cimport Record, Records

cdef class Tree(Records):
    cdef list _met                  # of Neighbour: these, and those with no proven link yet
    cdef list _unproven             # of Link
    cdef ByteMap _by_key            # 32-byte key -> Neighbour
    cdef ByteMap _by_target         # that key in the form in which it is looked up -> Neighbour
    cdef bint _refresh              # our record is to be renewed
    cdef bint _outdone              # it came from elsewhere, newer than what we had made
    cdef uint64_t _root_at          # when we become root if there is no parent by then; NEVER: we have a place
    cdef Backoff _renumberings      # announcements of another number
    cdef Backoff _hurries           # times that we became root at once
    cdef Gossip gossip
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
    cdef void prove(self, Link link) noexcept

    # Messages; a code of ygg_c.link.wire, or HELD
    cdef int request_in(self, Link link, const SigReq *message) noexcept
    cdef int response_in(self, Link link, const SigRes *message) noexcept
    cdef int announce_in(self, Link link, const Announce *message) noexcept
    cdef void maintain(self) noexcept

    # What others ask
    # the neighbour of this key; None: no proven link leads there
    cdef Neighbour proven(self, const uint8_t *key)
    # the proven link to a neighbour to use; None: there is none
    cdef Link link_to(self, const uint8_t *key)
    # Whether a neighbour may be addressed without a lookup. Before it has had time to look at its tree it can look for
    # no key, and so cannot answer; a lookup reaches it when it can.
    cdef bint is_ready(self, const uint8_t *key) noexcept
    cdef Neighbour neighbour_wanted(self, const uint8_t *target)    # of this key in its transformed form, or None

    # Parent
    cdef Neighbour _parent(self)                                    # None: none that is a neighbour
    cdef bint _is_renumbered(self) noexcept
    cdef void _check_number(self) noexcept
    cdef void _choose_parent(self) noexcept
    cdef bint _may_hurry(self) noexcept
    cdef bint _is_change(self, Neighbour best, Neighbour current) noexcept
    cdef bint _adopt(self, Neighbour parent) noexcept
    cdef void _become_root(self) noexcept
    cdef void _settle(self) noexcept
    cdef void _ask_again(self) noexcept
    cdef void _lose(self, Neighbour neighbour) noexcept
    cdef uint64_t _next_seq(self) noexcept
    cdef void _ask(self, Link link) noexcept
    cdef void _keep_answer(self, Neighbour neighbour, const SigRes *message) noexcept
    cdef bint _is_useful(self, Neighbour neighbour) noexcept
