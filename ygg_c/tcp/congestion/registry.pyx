"""Congestion control algorithms by name."""

from ygg_c.tcp.congestion.cubic cimport Cubic
from ygg_c.tcp.congestion.newreno cimport NewReno

DEFAULT = "cubic"
_ALGORITHMS = {"cubic": Cubic, "newreno": NewReno}


cdef Congestion make_congestion(str name):
    return _ALGORITHMS[check_name(name)]()


def algorithms():
    """Return the names that `NetStack.congestion` takes."""
    return sorted(_ALGORITHMS)


def check_name(str name not None):
    """Return `name`; ValueError when there is no such algorithm."""
    if name not in _ALGORITHMS:
        raise ValueError(f"congestion control is one of {', '.join(algorithms())}, not {name}")
    return name
