# A neighbour: a node key with at least one link, and what the tree and the filters remember about it.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.keyset cimport KeySet
from ygg_c.base.ratelimit cimport Bucket
from ygg_c.base.sodium cimport Random
from ygg_c.link.bloom cimport Bloom

cdef class Neighbour:
    cdef uint8_t key[32]
    cdef readonly uint64_t port         # the number we give it; shared by all its links
    cdef list links                     # of Link: those that are proven, first proven first
    cdef uint64_t since                 # when the first of these was proven, ns
    cdef list unproven                  # of Link: anyone may have made them, and nothing below is theirs

    # Owned by the tree.
    cdef KeySet sent                    # keys whose present record it is known to have
    cdef bint telling                   # it may lack some; in Gossip._telling
    cdef Bucket tellings                # how many it may be sent now
    cdef bint answered                  # an answer to our present question is kept below
    cdef uint64_t response_seq
    cdef uint64_t response_nonce
    cdef uint64_t response_port
    cdef uint8_t response_psig[64]
    cdef size_t stored                  # records it was the first to bring
    cdef size_t idle                    # of them, those not needed; counted when there are too many
    # looking for room for its records has found none, and is not worth its cost before
    cdef uint64_t crowded_until

    # Owned by the filters.
    cdef bint ontree
    cdef bint dirty                     # the last tick kept bits that nothing needs any more
    cdef uint64_t age                   # ticks since `filter_out` was sent
    cdef Bloom filter_out
    cdef Bloom filter_in

    # How many of these it may still send now.
    cdef Bucket requests

    cdef void forget(self) noexcept     # what was learnt and told over links that are all gone
