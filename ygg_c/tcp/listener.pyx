"""Listeners: connections on their way to be accepted."""

from ygg_c.base.live cimport LIVE_LISTENER, born, died
from ygg_c.socket.endpoint cimport EVENT_READABLE
from ygg_c.socket.ends cimport bound_key
from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.connection cimport TcpConnection
from ygg_c.tcp.tcb cimport Tcb

cdef enum:
    SLACK = 32              # places of the queue that may be left empty


cdef class TcpListener(Acceptor):
    """Accepts connections on one port."""

    def __cinit__(self):
        self.listening = True
        self._queue = []
        self.half_open.listener = <void *>self
        born(LIVE_LISTENER)

    def __dealloc__(self):
        died(LIVE_LISTENER)

    cdef bint full(self) noexcept:
        return self._waiting >= self.backlog

    cdef bint promote(self, TcpEndpoint connection) noexcept:
        if self.full():
            return False
        self._queue.append(connection)
        self._waiting += 1
        (<Tcb>connection).in_queue = True
        self.happen(EVENT_READABLE)
        return True

    cdef void forget(self, TcpEndpoint connection) noexcept:
        # It stays where it is until it is met, or until too many do.
        if (<Tcb>connection).in_queue:
            (<Tcb>connection).in_queue = False
            self._waiting -= 1
            if len(self._queue) > 2 * self._waiting + SLACK:
                self._compact()

    cdef void unbind(self) noexcept:
        cdef uint8_t key[18]
        bound_key(key, self.local_address, self.local_port)
        self.bound_in.discard(key)

    cdef void _compact(self) noexcept:
        cdef Py_ssize_t index
        self._queue = [
            self._queue[index] for index in range(self._first, len(self._queue))
            if (<Tcb>self._queue[index]).in_queue
        ]
        self._first = 0

    @property
    def local(self):
        return (self.local_address[:16], self.local_port)

    def accept(self):
        """Return the oldest connection whose handshake completed, or None."""
        cdef Tcb connection
        while self._waiting:
            connection = <Tcb>self._queue[self._first]
            self._queue[self._first] = None
            self._first += 1
            if connection.in_queue:
                connection.in_queue = False
                connection.parent = None
                self._waiting -= 1
                if self._first > self._waiting + SLACK:
                    del self._queue[:self._first]
                    self._first = 0
                return connection
        self._queue.clear()
        self._first = 0
        return None

    def close(self):
        """Stop listening; connections not accepted are reset."""
        cdef TcpConnection connection
        if self.host is None:
            return
        for connection in self._queue[self._first:]:
            connection.abort()
        self._queue.clear()
        self._first = 0
        self.half_opens.reset(&self.half_open)
        self.leave()
        self._on_event = None
        self.owner = None
