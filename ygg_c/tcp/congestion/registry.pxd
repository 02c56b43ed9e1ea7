# Which algorithms there are.

from ygg_c.tcp.congestion.base cimport Congestion

# A new one of a name that `algorithms()` has.
cdef Congestion make_congestion(str name)
