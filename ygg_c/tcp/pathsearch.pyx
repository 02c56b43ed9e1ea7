"""Which packet sizes are tried on the way up; see pathsearch.pxd."""

from libc.string cimport memset

cdef enum:
    SIZES = 16
    TRIES = 2                   # a segment may be lost for other reasons

# Usual MTUs: of tunnels, Ethernet and jumbo frames, and doublings between and beyond.
cdef size_t[SIZES] _usual = [
    1280, 1340, 1400, 1420, 1440, 1460, 1480, 1492, 1500, 2048, 4096, 8192, 9000, 16384, 32768, 65535,
]


cdef size_t _between(size_t path, size_t most) noexcept nogil:
    # The middle one of the usual sizes that are above `path` and no larger than `most`; 0: there is none.
    cdef int low = 0
    cdef int high = SIZES
    while low < SIZES and _usual[low] <= path:
        low += 1
    while high > low and _usual[high - 1] > most:
        high -= 1
    return _usual[(low + high) // 2] if low < high else 0


cdef void search_begin(PathSearch *search, size_t path, size_t most) noexcept nogil:
    memset(search, 0, sizeof(PathSearch))
    if most > path:
        search.most = search.size = most


cdef bint search_passed(PathSearch *search) noexcept nogil:
    cdef size_t most = search.most
    cdef size_t path = search.size
    memset(search, 0, sizeof(PathSearch))
    if path < most:
        search.most, search.size = most, _between(path, most)
    if search.size == 0:
        search.most = 0
    return search.most > 0


cdef bint search_failed(PathSearch *search, size_t path) noexcept nogil:
    search.out = False
    search.fails += 1
    if search.fails < TRIES:
        return True
    search.fails = 0
    search.most = search.size - 1
    search.size = _between(path, search.most)
    if search.size == 0:
        search.most = 0
    return search.most > 0


cdef bint search_told(PathSearch *search, size_t path, size_t most) noexcept nogil:
    search_begin(search, path, most)
    return search.most > 0
