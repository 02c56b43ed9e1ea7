"""Moving bytes between a link and an asyncio transport, by its methods: TLS, a tunnel, memory, one's own transport.

What such a transport holds is bounded by its write buffer limits, which follow the link's share (on_limit), and it is
written in small pieces. Where there is a socket below it, what that holds is asked as for a plain one.
"""

from ygg_c.io.pump cimport SocketPump, enter_now
from ygg_c.link.link cimport Link
from ygg_c.node.node cimport Node

cdef enum:
    CHUNK = 65536       # bytes of one write to an asyncio transport
    HELD_MOST = 131072  # that such a transport may hold, in Python's memory


cdef str _reason(error):
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror.lower() if strerror else str(error) or type(error).__name__


cdef class TransportPump(SocketPump):
    """Drives an asyncio transport."""

    def __init__(self, Node node not None, transport, on_limit=None, int fd=-1, on_blocked=None):
        if fd >= 0:
            self._open(fd)
        self.node = node
        self.transport = transport
        self.on_limit = on_limit
        self.on_blocked = on_blocked

    def close(self):
        """Let go of link, transport and descriptor. Idempotent."""
        SocketPump.close(self)
        self.transport = self.on_limit = None

    def writable(self):
        """Write what waits, in a turn, unless it is the transport that is full: it will tell."""
        if self._full:
            self._want_writer(False)
        else:
            SocketPump.writable(self)

    def connection_made(self, transport):
        """Do nothing: the transport is known."""

    def get_buffer(self, sizehint):
        if self.link is None or self.link.closed:
            return memoryview(bytearray(4096))      # a late read of a closed link: thrown away
        return self.link.get_buffer()

    def buffer_updated(self, nbytes):
        cdef Node node = self.node
        if self.link is not None:
            enter_now(node)
            self.link.buffer_updated(nbytes)
            node.leave()

    def data_received(self, data):
        cdef Node node = self.node
        if self.link is not None:
            enter_now(node)
            self.link.receive(data)
            node.leave()

    def eof_received(self):
        """Close the link."""
        self._end("EOF")
        return False

    def connection_lost(self, exc):
        """Close the link."""
        self._end("remote side closed the connection" if exc is None else _reason(exc))

    def pause_writing(self):
        self._full = True
        if self.link is not None:
            self.link.blocked = True

    def resume_writing(self):
        cdef Node node = self.node
        self._full = False
        if self.link is not None:
            self.link.blocked = False
            self.link.want_flush()
            enter_now(node)
            node.leave()

    def _end(self, str reason):
        cdef Node node = self.node
        if self.link is not None and not self.link.closed:
            enter_now(node)
            self.link.fail(reason)
            node.leave()

    # What comes nevertheless, from a transport that cannot pause, the link keeps.
    cdef void pause(self, Link link, bint paused) noexcept:
        try:
            if self.transport is None:
                return
            if paused:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()
        except NotImplementedError:
            pass
        except Exception as error:
            link.fail(_reason(error))

    cdef void flush(self, Link link) noexcept:
        try:
            self._limit_unsent(min(link.drain.unsent, <size_t>HELD_MOST))
            while not link.blocked and self.transport is not None and link.has_output() and self._has_room(link):
                data = link.take(CHUNK)
                self._given += len(data)
                self.transport.write(data)
        except Exception as error:
            link.fail(_reason(error))

    cdef int _limit_unsent(self, size_t limit) except -1:
        if SocketPump._limit_unsent(self, limit) and self.on_limit is not None:
            self.on_limit(limit)
        return 0
