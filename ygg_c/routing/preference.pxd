# What a node prefers: of several links to a neighbour one, of its neighbours one as its parent.

from ygg_c.link.link cimport Link
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.routing.records cimport Records

# The link by which a neighbour is reached: of the lowest priority number the one on which a burst is there first. None:
# it has none.
cdef Link best_link(Neighbour neighbour)

# Who should be our parent, now that it is `current`; None: none is better than ourselves. `renewing`: our
# record is renewed anyway, so that another costs no more.
cdef Neighbour best_parent(Records records, Neighbour current, bint renewing)

# Whether all our neighbours are below us, or follow a root that is larger than we are. They take us for a way to a root
# that we have lost, and have nothing better to tell until they hear that: to wait would cost a second, and each of them
# one more.
cdef bint is_cut_off(Records records) noexcept
