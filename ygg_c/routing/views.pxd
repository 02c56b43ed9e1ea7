# A router's state as Python objects, for those who look at a node.

from libc.stdint cimport uint64_t

from ygg_c.routing.pathfinder cimport Pathfinder
from ygg_c.routing.tree cimport Tree

cdef list own_ports(Tree tree)                          # our coordinates: the ports from the root down
cdef bytes root_key(Tree tree)                          # the key that we take for the root
cdef list link_states(list links, uint64_t now)
cdef list record_states(Tree tree)
cdef list path_states(Pathfinder pathfinder)
cdef list lookup_states(Pathfinder pathfinder)          # oldest first; none where they are not kept
