"""What is remembered per neighbour; see neighbour.pxd."""

from ygg_c.link.bloom cimport bloom_clear


cdef class Neighbour:
    """A node key with at least one link."""

    def __cinit__(self, Random random not None):
        self.links = []
        self.unproven = []
        self.sent = KeySet(random)

    cdef void forget(self) noexcept:
        self.sent.clear()
        self.answered = self.ontree = self.dirty = False
        self.stored = self.idle = self.crowded_until = self.age = 0
        bloom_clear(&self.filter_in)
        bloom_clear(&self.filter_out)
