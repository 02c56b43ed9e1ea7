# Moving bytes between links and sockets: with the clock, the engine's only system calls.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ygg_c.link.link cimport Link, Part, Sink
from ygg_c.node.node cimport Node

cdef enum:
    READS = 4           # turns for one readable event: bounds what one busy link makes the others wait
    PARTS = 256         # pieces of one sendmsg: a whole flight of packets of 1 KiB
    KERNEL_PACKET = 65536   # bytes at most of what the kernel sends at once (GSO)
    HEARD = 1000        # ms: an acknowledgement was received lately
    ANSWERS = 1500      # ms: a node says something within a second, at whatever comes
    WIRE_QUEUE = 5000       # µs that packets wait on the way when more than the wire can carry is there

# Begin a turn now.
cdef void enter_now(Node node) noexcept

cdef class Pump(Sink):
    cdef Node node
    cdef readonly Link link

# One that may have a stream socket of the kernel's below it, by a descriptor of its own: it knows what that holds
# unsent.
cdef class SocketPump(Pump):
    cdef int fd                         # -1: there is none
    cdef object on_blocked
    cdef bint _writer                   # on_blocked(True) was the last call
    cdef size_t _unsent                 # bytes that may be held unsent below the link, as was last told
    # bytes that the kernel holds unsent at most: those it told of, and all it took since
    cdef size_t _given
    cdef bint _woken                    # this turn began because the kernel told of room
    # bytes that the far side's kernel had acknowledged, and segments that had come, when hears() was asked last
    cdef uint64_t _acked
    cdef uint32_t _segments_in
    cdef uint64_t _asked_at             # bytes it will have acknowledged when it has all that the kernel held at first
    cdef uint64_t _reached_at           # when it had, ns; NEVER: not yet
    cdef int _open(self, int fd) except -1                      # keep a duplicate of it
    cdef bint _has_room(self, Link link) noexcept
    cdef bint _goes_on(self, size_t size) noexcept
    cdef void _block(self, Link link) noexcept
    cdef void _want_writer(self, bint wanted) noexcept
    cdef int _limit_unsent(self, size_t limit) except -1        # have what is below hold no more than this unsent

# A plain stream socket, by its file descriptor.
cdef class StreamPump(SocketPump):
    cdef object on_paused
    cdef bint _read(self) noexcept      # False: nothing more now
    # 0: nothing now; -1: the link is failing
    cdef Py_ssize_t _recv(self, Link link, uint8_t *space, size_t room) noexcept
    # bytes taken; -1: the link is failing
    cdef Py_ssize_t _send(self, Link link, Part *parts, int used) noexcept
