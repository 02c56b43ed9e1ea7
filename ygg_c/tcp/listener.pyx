"""Listeners: connections on their way to be accepted."""

from ygg_c.census cimport LIVE_LISTENER, born, died
from ygg_c.endpoint cimport COUNT_SYN_QUEUE_FULL, EVENT_READABLE
from ygg_c.remotenode cimport RemoteNode
from ygg_c.tcp.state cimport EVICTED


cdef class TcpListener(Acceptor):
    """Accepts connections on one port."""

    def __cinit__(self):
        self.listening = True
        self._queue = []
        self._half = {}
        born(LIVE_LISTENER)

    def __dealloc__(self):
        died(LIVE_LISTENER)

    cdef bint full(self) noexcept:
        return len(self._queue) >= self.backlog

    cdef void begin(self, TcpConnection connection, size_t most) noexcept:
        # The oldest half-open connection gives way: it has had the most time to complete. A node may have as many as are free;
        # if it begins more, it is one of its own.
        cdef RemoteNode node = connection.node
        cdef size_t used = len(self._half)
        cdef TcpConnection oldest = None
        if node.half_open >= most - min(most, used) and not node.ours:
            oldest = self._oldest_of(node)
        if oldest is None and used >= most:
            oldest = <TcpConnection>next(iter(self._half))
        if oldest is not None:
            self.host.count[COUNT_SYN_QUEUE_FULL] += 1
            oldest.step(EVICTED)
        node.incoming += 1
        node.half_open += 1
        connection.has_place = True
        self._half[connection] = None

    cdef TcpConnection _oldest_of(self, RemoteNode node):
        cdef TcpConnection connection
        for connection in self._half:
            if connection.node is node:
                return connection
        return None

    cdef bint promote(self, TcpEndpoint connection) noexcept:
        if self.full():
            return False
        self._opened(connection)
        self._queue.append(connection)
        self.happen(EVENT_READABLE)
        return True

    cdef void forget(self, TcpEndpoint connection) noexcept:
        self._opened(connection)
        if connection in self._queue:
            self._queue.remove(connection)

    cdef void _opened(self, TcpEndpoint connection) noexcept:
        if connection in self._half:
            del self._half[connection]
            connection.node.half_open -= 1

    @property
    def local(self):
        return (self.local_address[:16], self.local_port)

    def accept(self):
        """Return the oldest connection whose handshake completed, or None."""
        cdef TcpConnection connection
        if not self._queue:
            return None
        connection = <TcpConnection>self._queue.pop(0)
        connection.parent = None
        return connection

    def close(self):
        """Stop listening; connections not accepted are reset."""
        cdef TcpConnection connection
        for connection in list(self._queue) + list(self._half):
            connection.abort()
        self.leave()
        self._on_event = None
        self.owner = None
