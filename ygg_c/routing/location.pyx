"""Where a node is in the tree; see location.pxd."""

from cpython.bytes cimport PyBytes_AsString, PyBytes_Size
from libc.stdint cimport uint8_t
from libc.string cimport memcmp

from ygg_c.base.clock cimport SECOND
from ygg_c.base.mix cimport mix
from ygg_c.base.sodium cimport sign
from ygg_c.link.link cimport WORK_SIGN
from ygg_c.link.wire cimport PATH_MAX, UV_MAX, path_put, uv_put

cdef uint64_t AHEAD_MAX = 5             # seconds by which moves may put the number in our notifies ahead of the clock


cdef class Location:
    """Where one node is in the tree."""

    def __cinit__(self, LinkHost host not None, Tree tree not None):
        self.host = host
        self.tree = tree

    cdef uint64_t place(self) noexcept:
        cdef uint64_t *ports
        cdef size_t count = self.tree.own_coords(&ports)
        cdef uint64_t place = count
        cdef size_t index
        for index in range(count):
            place = mix(place ^ ports[index])
            place ^= place >> 32
        return place

    # Unix seconds that never stand still: when the clock is set back they go on with the time that passes.
    cdef uint64_t _clock(self) noexcept:
        cdef uint64_t passed = (self.host.now - self._second_at) // SECOND
        self._second += passed
        self._second_at += passed * SECOND
        if self.host.wall > self._second:
            self._second = self.host.wall
            self._second_at = self.host.now
        return self._second

    cdef bytes signed(self):
        cdef uint8_t text[UV_MAX + PATH_MAX + 64]
        cdef uint64_t *ports
        cdef size_t count = self.tree.own_coords(&ports)
        cdef uint8_t *end
        cdef uint64_t place = self.place()
        cdef uint64_t clock = self._clock()
        # Who has our path of this second takes another one only under a later number.
        if place != self._signed_place and self._seq < clock + AHEAD_MAX:
            self._seq += 1
        self._signed_place = place
        self._seq = max(self._seq, clock)
        end = path_put(uv_put(text, self._seq), ports, count)
        if (self._signed is None or PyBytes_Size(self._signed) != end - text + 64
                or memcmp(PyBytes_AsString(self._signed), text, end - text) != 0):
            self.host.work -= WORK_SIGN
            sign(end, text, end - text, self.host.secret)
            self._signed = (<char *>text)[:end - text + 64]
        return self._signed
