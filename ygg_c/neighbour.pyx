"""What is remembered per neighbour; see neighbour.pxd."""


cdef class Neighbour:
    """A node key with at least one link."""

    def __cinit__(self):
        self.links = []
        self.sent = ByteMap(32)
