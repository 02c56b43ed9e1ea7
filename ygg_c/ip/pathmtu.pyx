"""Path MTUs of other nodes; see pathmtu.pxd."""

from cpython.ref cimport PyObject
from libc.string cimport memcpy

from ygg_c.base.clock cimport SECOND
from ygg_c.base.lru cimport aging_add, aging_remove, aging_touch
from ygg_c.ip.header cimport MIN_MTU

cdef enum:
    MAX_PATHS = 1024

cdef uint64_t PATH_AGE = 600 * SECOND       # (RFC 8201, 4)


cdef class _Path:
    """The way to one node."""


cdef class PathMtus:
    """The paths that take less than our own MTU."""

    def __cinit__(self, size_t own, uint64_t seed):
        self._own = own
        self._paths = ByteMap(7, seed)

    cdef size_t find(self, const uint8_t *address, uint64_t now) noexcept:
        cdef _Path path
        if self._order.count == 0:
            return self._own
        path = self._known(address, now)
        return self._own if path is None else path.mtu

    cdef void lower(self, const uint8_t *address, size_t mtu, uint64_t now) noexcept:
        cdef _Path path = self._known(address, now)
        mtu = max(mtu, <size_t>MIN_MTU)
        if path is None:
            if mtu < self._own:
                self._keep(address, mtu, now)
        elif mtu <= path.mtu:
            path.mtu = mtu
            aging_touch(&self._order, &path.aging, now)

    cdef void widen(self, const uint8_t *address, size_t size, uint64_t now) noexcept:
        cdef _Path path = self._known(address, now)
        if path is not None and size > path.mtu:
            path.mtu = size
            if size >= self._own:
                self._forget(path)

    cdef _Path _known(self, const uint8_t *address, uint64_t now):
        cdef PyObject *found = self._paths.get(address + 1)
        cdef _Path path = None if found == NULL else <_Path>found
        if path is not None and now >= path.aging.used + PATH_AGE:
            self._forget(path)
            return None
        return path

    cdef void _keep(self, const uint8_t *address, size_t mtu, uint64_t now) noexcept:
        cdef _Path path
        if self._order.count >= MAX_PATHS:
            self._forget(<_Path>self._order.oldest.owner)
        try:
            path = _Path()
            memcpy(path.node, address + 1, 7)
            path.mtu = mtu
            self._paths.put(path.node, path)
        except MemoryError:
            return
        aging_add(&self._order, &path.aging, <void *>path, now)

    cdef void _forget(self, _Path path) noexcept:
        aging_remove(&self._order, &path.aging)
        self._paths.discard(path.node)
