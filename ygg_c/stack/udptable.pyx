"""The UDP sockets of a stack; see udptable.pxd."""

from cpython.ref cimport PyObject
from libc.string cimport memcpy, memset

from ygg_c.ip.header cimport is_unspecified
from ygg_c.stack.ends cimport bound_key, pair_key


cdef class UdpTable:
    """UDP sockets by their ends."""

    def __init__(self, ByteMap bound not None, ByteMap connected not None):
        self._bound = bound
        self._connected = connected
        self.ports = {}

    cdef UdpSocket find(self, const uint8_t *key, const uint8_t *target, uint16_t port):
        cdef uint8_t bound[18]
        cdef PyObject *found = self._connected.get(key)
        if found == NULL:
            memcpy(bound, target, 16)
            memcpy(bound + 16, key + 34, 2)
            found = self._bound.get(bound)
        if found == NULL:
            memset(bound, 0, 16)
            found = self._bound.get(bound)
        return None if found == NULL else <UdpSocket>found

    cdef bint add(self, UdpSocket socket) except -1:
        cdef uint8_t key[36]
        cdef uint8_t wildcard[18]
        if socket.connected:
            _pair(key, socket)
            if self._connected.get(key) != NULL:
                return False
            self._connected.put(key, socket)
        else:
            bound_key(key, socket.local_address, socket.local_port)
            bound_key(wildcard, NULL, socket.local_port)
            if self._bound.get(key) != NULL or self._bound.get(wildcard) != NULL:
                return False
            if is_unspecified(socket.local_address) and socket.local_port in self.ports:
                return False
            self._bound.put(key, socket)
        self.ports[socket.local_port] = self.ports.get(socket.local_port, 0) + 1
        return True

    cdef void discard(self, UdpSocket socket) noexcept:
        cdef uint8_t key[36]
        if socket.connected:
            _pair(key, socket)
            self._connected.discard(key)
        else:
            bound_key(key, socket.local_address, socket.local_port)
            self._bound.discard(key)
        self.ports[socket.local_port] -= 1
        if self.ports[socket.local_port] == 0:
            del self.ports[socket.local_port]

    cdef list sockets(self):
        return [*self._bound.values(), *self._connected.values()]


cdef void _pair(uint8_t *key, UdpSocket socket) noexcept:
    pair_key(key, socket.remote_address, socket.local_address, socket.remote_port, socket.local_port)
