"""The paths that a node has found; see paths.pxd."""

from cpython.ref cimport PyObject
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.base.packet cimport queue_clear

cdef enum:
    PATHS_MAX = 16384
    PATHS_BYTES = 16777216          # of all paths, with the headers for them

cdef size_t PATH_OVERHEAD = 384     # bytes of memory of a path besides its ports and its header
cdef uint64_t SPAN = 60 * SECOND    # of the longest life that a path has before it


cdef class Path:
    """Where a key is."""

    def __dealloc__(self):
        queue_clear(&self.held)
        free(self.ports)
        free(self.header)


cdef class Paths:
    """The paths that one node has found."""

    def __cinit__(self, LinkHost host not None, HeldPackets held not None):
        self.host = host
        self.held = held
        self._by_key = ByteMap(32, host.random.u64())
        self.all = []
        self._expire_at = NEVER

    cdef Path find(self, const uint8_t *key):
        cdef PyObject *found = self._by_key.get(key)
        return <Path>found if found != NULL else None

    cdef Path add(self, const uint8_t *key):
        cdef Path path
        if len(self.all) >= PATHS_MAX:
            self.remove(self._burden(None))
        path = Path()
        self._bytes += PATH_OVERHEAD
        memcpy(path.key, key, 32)
        path.created = self.host.now
        path.avoid_until = path.introduce_at = NEVER
        path._slot = len(self.all)
        self.all.append(path)
        self._by_key.put(key, path)
        return path

    cdef void live(self, Path path, uint64_t until) noexcept:
        path.expires = until
        self._expire_at = min(self._expire_at, until)

    cdef int set_ports(self, Path path, const uint8_t *ports, size_t size) noexcept:
        cdef uint8_t *copy = <uint8_t *>malloc(size)
        if copy == NULL:
            return -1
        memcpy(copy, ports, size)
        self._bytes += size - path.size
        free(path.ports)
        path.ports = copy
        path.size = size
        path.generation = 0
        self._make_room(path)
        return 0

    cdef int set_header_size(self, Path path, size_t size) noexcept:
        if size != path.header_size:
            free(path.header)
            path.header = <uint8_t *>malloc(size)
            self._bytes -= path.header_size
            path.header_size = size if path.header != NULL else 0
            self._bytes += path.header_size
            self._make_room(path)
        return 0 if path.header != NULL else -1

    # Memory

    cdef size_t _weight(self, Path path) noexcept:
        return PATH_OVERHEAD + path.size + path.header_size

    # Of a few taken at random, the path that takes most memory for the longest time without a sign that it is of use:
    # long paths that strangers invent go before short ones in use, in constant time.
    cdef Path _burden(self, Path kept):
        cdef Path path
        cdef Path worst = None
        cdef uint64_t burden, most = 0
        cdef int _index
        for _index in range(8):
            path = <Path>self.all[self.host.random.u64() % <uint64_t>len(self.all)]
            burden = self._weight(path) * ((self.host.now + SPAN + SECOND
                                            - min(path.expires, self.host.now + SPAN)) >> 20)
            if path is not kept and (worst is None or burden > most):
                worst = path
                most = burden
        return worst

    cdef void _make_room(self, Path kept) noexcept:
        cdef Path path
        while self._bytes > PATHS_BYTES and len(self.all) > 1:
            path = self._burden(kept)
            if path is not None:
                self.remove(path)
                self.evicted += 1

    cdef void remove(self, Path path) noexcept:
        cdef Path last = <Path>self.all.pop()
        if last is not path:
            self.all[path._slot] = last
            last._slot = path._slot
        self._bytes -= self._weight(path)
        self.held.drop(&path.held, 0)
        self._by_key.discard(path.key)
        self.unsee(path)

    cdef void unsee(self, Path path) noexcept:
        if path.seen:
            path.seen = False
            self.host.path_seen(path.key, False)

    cdef void expire(self, uint64_t now) noexcept:
        cdef Path path
        if now < self._expire_at:
            return
        self._expire_at = NEVER
        for path in list(self.all):
            if path.expires <= now:
                self.remove(path)
            else:
                self._expire_at = min(self._expire_at, path.expires)
