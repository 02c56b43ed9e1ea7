"""The UDP sockets of a stack; see udptable.pxd."""

from cpython.ref cimport PyObject
from libc.string cimport memcpy, memset

from ygg_c.ip.header cimport is_unspecified
from ygg_c.socket.ends cimport bound_key


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
        socket.write_key(key)
        socket.bound_in = self._connected if socket.connected else self._bound
        if socket.bound_in.get(key) != NULL:
            return False
        if not socket.connected:
            bound_key(wildcard, NULL, socket.local_port)
            if self._bound.get(wildcard) != NULL:
                return False
            if is_unspecified(socket.local_address) and socket.local_port in self.ports:
                return False
        socket.bound_in.put(key, socket)
        socket.ports = self.ports
        self.ports[socket.local_port] = self.ports.get(socket.local_port, 0) + 1
        return True

    cdef list sockets(self):
        return [*self._bound.values(), *self._connected.values()]
