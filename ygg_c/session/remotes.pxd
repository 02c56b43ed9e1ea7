# Remotes in order of use, oldest first, counted by where they came in; who makes room when there are too many.
#
# The oldest gives way of those that came in by the neighbour with the most: one that lets thousands in pushes out its
# own.

from libc.stdint cimport uint32_t, uint64_t

from ygg_c.base.lru cimport Aging, AgingList, aging_add, aging_remove
from ygg_c.session.session cimport Remote

cdef enum:
    ORIGINS = 256               # counted apart; neighbours with higher numbers share

cdef struct RemoteList:
    AgingList aging
    uint32_t by_origin[256]

cdef inline void remotes_add(RemoteList *list, Remote remote, uint64_t now) noexcept:
    list.by_origin[remote.origin & (ORIGINS - 1)] += 1
    aging_add(&list.aging, &remote.aging, <void *>remote, now)

cdef inline void remotes_remove(RemoteList *list, Remote remote) noexcept:
    list.by_origin[remote.origin & (ORIGINS - 1)] -= 1
    aging_remove(&list.aging, &remote.aging)

# Where its last handshake came in.
cdef inline void remotes_move(RemoteList *list, Remote remote, uint64_t origin) noexcept:
    list.by_origin[remote.origin & (ORIGINS - 1)] -= 1
    remote.origin = origin
    list.by_origin[remote.origin & (ORIGINS - 1)] += 1

# Who gives way. The list is not empty.
cdef inline Remote remotes_victim(RemoteList *list):
    cdef Aging *entry = list.aging.oldest
    cdef uint32_t most = 0
    cdef size_t index, origin = 0
    for index in range(ORIGINS):
        if list.by_origin[index] > most:
            most = list.by_origin[index]
            origin = index
    while entry.newer != NULL and (<Remote>entry.owner).origin & (ORIGINS - 1) != origin:
        entry = entry.newer
    return <Remote>entry.owner
