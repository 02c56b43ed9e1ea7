"""Counts of live engine objects, kept so that a test that leaks one can be failed."""

cdef long _live[LIVE_KINDS]
_NAMES = ("node", "link", "session", "gateway", "stack", "tcp", "listener", "light", "udp", "pump", "packet", "tls")


cdef void born(int kind) noexcept:
    _live[kind] += 1


cdef void died(int kind) noexcept:
    _live[kind] -= 1


def counts():
    """Return how many objects of each kind are alive."""
    cdef int kind
    return {_NAMES[kind]: _live[kind] for kind in range(LIVE_KINDS)}
