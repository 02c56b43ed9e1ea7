"""What goes where memory is short; see pressure.pxd."""

from cpython.ref cimport PyObject
from libc.errno cimport ECONNABORTED

from ygg_c.base.clock cimport MS
from ygg_c.base.lru cimport Aging
from ygg_c.ip.memory cimport Memory
from ygg_c.socket.endpoint cimport COUNT_TCP_MEMORY_EVICTED, COUNT_TCP_ORPHANS_EVICTED
from ygg_c.socket.remotenode cimport BYTES, ORPHANED, ORPHANS

cdef enum:
    LOOKS = 64                  # orphans looked at for a slow one
    VICTIMS = 64                # connections that may go at once

cdef uint64_t AGAIN = 10 * MS   # strangers cause the search


cdef void pressure_rest(Memory memory, ByteMap connections) noexcept:
    cdef size_t place = 0
    cdef PyObject *found
    if memory.relieves:
        return
    memory.relieves = True
    found = connections.walk(&place)
    while found != NULL:
        (<Tcb>found).give_back()
        found = connections.walk(&place)


cdef void pressure_relieve(Host host, RemoteNodes nodes, RemoteNode asking, size_t size, bint in_order) noexcept:
    cdef Memory memory = nodes.memory
    cdef size_t most
    if host.now - memory.relieved_at < AGAIN:
        return
    memory.relieved_at = host.now
    most = _most_ahead(nodes)
    if most:
        _drop_ahead(nodes, most)
        _drop_ahead(nodes, most // 2)
    if in_order:
        _evict_idle(host, nodes, asking, size)


cdef size_t _most_ahead(RemoteNodes nodes) noexcept:
    # What the greediest of those holds that hold something out of order.
    cdef size_t most = 0
    cdef size_t place = 0
    cdef PyObject *found = nodes.by_key.walk(&place)
    while found != NULL:
        if (<RemoteNode>found).ahead.count and not (<RemoteNode>found).ours:
            most = max(most, (<RemoteNode>found).total())
        found = nodes.by_key.walk(&place)
    return most


cdef void _drop_ahead(RemoteNodes nodes, size_t least) noexcept:
    # Of nodes that hold so much at least, while memory is short.
    cdef RemoteNode node
    cdef size_t place = 0
    cdef PyObject *found = nodes.by_key.walk(&place)
    while found != NULL and nodes.memory.pressed:
        node = <RemoteNode>found
        if node.total() >= least and not node.ours:
            while node.ahead.count and nodes.memory.pressed:
                (<Tcb>node.ahead.oldest.owner).renege()
        found = nodes.by_key.walk(&place)


cdef void _evict_idle(Host host, RemoteNodes nodes, RemoteNode asking, size_t size) noexcept:
    cdef Tcb victim
    cdef int _count
    for _count in range(VICTIMS):
        if asking.takes(size, True):
            return
        victim = _oldest(_greediest(nodes, asking, size, host.now), True, host.now)
        if victim is None:
            return
        _evict(host, victim)


cdef void pressure_admit(Host host, RemoteNodes nodes, RemoteNode asking, size_t size) noexcept:
    cdef Tcb victim
    cdef int _count
    for _count in range(VICTIMS):
        victim = None if nodes.takes_connection(asking) else pressure_victim(nodes, asking, size, host.now)
        if victim is None:
            return
        _evict(host, victim)


cdef void _evict(Host host, Tcb victim) noexcept:
    host.count[COUNT_TCP_MEMORY_EVICTED] += 1
    victim.evict()


cdef Tcb pressure_victim(RemoteNodes nodes, RemoteNode asking, size_t size, uint64_t now):
    return _oldest(_greediest(nodes, asking, size, now), False, now)


cdef RemoteNode _greediest(RemoteNodes nodes, RemoteNode asking, size_t size, uint64_t now):
    # If it has twice as much as the other would have.
    cdef RemoteNode node = nodes.greediest(BYTES, now)
    if node is None or node.total() < 2 * (size + (0 if asking is None else asking.total())):
        return None
    return node


cdef Tcb _oldest(RemoteNode node, bint holding, uint64_t now):
    # Of its idle connections; `holding`: of those that hold something, if any do.
    cdef Aging *entry
    if node is None:
        return None
    if _is_idle(node.unread.oldest, now):
        return <Tcb>node.unread.oldest.owner
    entry = node.opened.oldest
    while holding and _is_idle(entry, now):
        if (<Tcb>entry.owner).memory():
            return <Tcb>entry.owner
        entry = entry.newer
    return <Tcb>node.opened.oldest.owner if _is_idle(node.opened.oldest, now) else None


cdef bint _is_idle(const Aging *entry, uint64_t now) noexcept:
    return entry != NULL and now - entry.used >= IDLE


cdef void pressure_orphans(Host host, RemoteNodes nodes, RemoteNode last) noexcept:
    while nodes.orphans > host.max_orphans and _evict_orphan(host, nodes.greediest_beside(last, ORPHANS, host.now),
                                                             False):
        pass
    while nodes.orphaned > nodes.memory.shared() // 2 and (
        _evict_orphan(host, nodes.greediest_beside(last, ORPHANED, host.now), True)
    ):
        pass


cdef bint _evict_orphan(Host host, RemoteNode node, bint slow) noexcept:
    # The oldest, or the oldest whose peer takes too little.
    cdef Aging *entry = node.orphans.oldest
    cdef int left = LOOKS
    while slow and entry != NULL and not (<Tcb>entry.owner).is_slow(host.now):
        left -= 1
        entry = entry.newer if left else NULL
    if entry == NULL:
        return False
    host.count[COUNT_TCP_ORPHANS_EVICTED] += 1
    (<Tcb>entry.owner).fail(ECONNABORTED, True)
    return True
