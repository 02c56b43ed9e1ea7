# Tables whose entries live for a fixed time since their last use: an intrusive list in order of use, oldest first.
#
# Because every entry of one list has the same lifetime, the head is both the next to expire and the one to evict.

from libc.stdint cimport uint64_t

cdef struct Aging:
    Aging *older
    Aging *newer
    uint64_t used           # when it was last used, in ns
    void *owner             # borrowed: the owner takes its entry out before it dies

cdef struct AgingList:
    Aging *oldest
    Aging *newest
    size_t count

cdef inline void aging_remove(AgingList *list, Aging *entry) noexcept nogil:
    if entry.older != NULL:
        entry.older.newer = entry.newer
    else:
        list.oldest = entry.newer
    if entry.newer != NULL:
        entry.newer.older = entry.older
    else:
        list.newest = entry.older
    entry.older = NULL
    entry.newer = NULL
    list.count -= 1

cdef inline void aging_add(AgingList *list, Aging *entry, void *owner, uint64_t now) noexcept nogil:
    entry.owner = owner
    entry.used = now
    entry.newer = NULL
    entry.older = list.newest
    if list.newest != NULL:
        list.newest.newer = entry
    else:
        list.oldest = entry
    list.newest = entry
    list.count += 1

cdef inline void aging_touch(AgingList *list, Aging *entry, uint64_t now) noexcept nogil:
    if list.newest != entry:
        aging_remove(list, entry)
        aging_add(list, entry, entry.owner, now)
    else:
        entry.used = now
