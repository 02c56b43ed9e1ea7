# Tables whose entries live for a fixed time since their last use: an intrusive list in order of use, oldest first.
#
# Because every entry of one list has the same lifetime, the head is both the next to expire and the one to evict.

from libc.stdint cimport uint64_t

cdef struct Recent:
    Recent *older
    Recent *newer
    uint64_t used           # when it was last used, in ns
    void *owner             # borrowed: the owner takes its entry out before it dies

cdef struct RecentList:
    Recent *oldest
    Recent *newest
    size_t count

cdef inline void recent_remove(RecentList *list, Recent *entry) noexcept nogil:
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

cdef inline void recent_add(RecentList *list, Recent *entry, void *owner, uint64_t now) noexcept nogil:
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

cdef inline void recent_touch(RecentList *list, Recent *entry, uint64_t now) noexcept nogil:
    if list.newest != entry:
        recent_remove(list, entry)
        recent_add(list, entry, entry.owner, now)
    else:
        entry.used = now
