"""The send queue: bytes by reference, small writes together."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from ygg_c.checksum cimport sum_copy
from ygg_c.remotenode cimport BUFFER_COST


cdef class SendQueue:
    """Bytes waiting for their acknowledgement."""

    def __dealloc__(self):
        self.clear()

    cdef void clear(self) noexcept:
        while self._count:
            self._count -= 1
            Py_DECREF(<object>self._pieces[(self._first + self._count) & self._mask].owner)
        free(self._pieces)
        self._pieces = NULL
        self._mask = 0
        self._tail_room = 0
        self._near = 0
        self.held = 0
        self.base = self._origin = self._near_at = self.end

    cdef int _push(self, PyObject *owner, const uint8_t *data, size_t size) except -1:
        cdef size_t room = self._mask + 1 if self._pieces != NULL else 0
        cdef Piece *grown
        cdef size_t index
        if self._count == room:
            grown = <Piece *>calloc(room * 2 or 8, sizeof(Piece))
            if grown == NULL:
                raise MemoryError
            for index in range(self._count):
                grown[index] = self._pieces[(self._first + index) & self._mask]
            free(self._pieces)
            self._pieces = grown
            self._first = 0
            self._mask = (room * 2 or 8) - 1
        index = (self._first + self._count) & self._mask
        Py_INCREF(<object>owner)
        self._pieces[index].owner = owner
        self._pieces[index].data = data
        self._pieces[index].size = size
        self.held += PyBytes_GET_SIZE(<object>owner) + BUFFER_COST
        self._count += 1
        self.end += size
        return 0

    cdef int append(self, object data, const uint8_t *bytes, size_t size, bint keep) except -1:
        # `keep`: `data` is a bytes object around `bytes` and may be held.
        cdef size_t part
        cdef Piece *last
        cdef object own
        if keep and size >= COALESCE:
            self._push(<PyObject *>data, bytes, size)
            self._tail_room = 0
            return 0
        while size:
            if self._tail_room:
                last = &self._pieces[(self._first + self._count - 1) & self._mask]
                part = min(size, self._tail_room)
                memcpy(<uint8_t *>last.data + last.size, bytes, part)
                last.size += part
                self._tail_room -= part
                self.end += part
                bytes += part
                size -= part
                continue
            # An idle connection's small write gets a chunk of its own size, a stream of them one to share.
            part = max(size, <size_t>OWN_CHUNK) if self._count else max(size, <size_t>512)
            own = PyBytes_FromStringAndSize(NULL, part)
            self._push(<PyObject *>own, <uint8_t *>PyBytes_AS_STRING(own), 0)
            self._tail_room = part
        return 0

    cdef Py_ssize_t write(self, object data, size_t limit) except -1:
        cdef Py_buffer view
        cdef size_t size
        if type(data) is bytes:
            size = min(<size_t>PyBytes_GET_SIZE(data), limit)
            self.append(data, <uint8_t *>PyBytes_AS_STRING(data), size, True)
            return size
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            size = min(<size_t>view.len, limit)
            self.append(None, <uint8_t *>view.buf, size, False)
        finally:
            PyBuffer_Release(&view)
        return size

    cdef void release(self, uint64_t below) noexcept:
        cdef Piece *first
        self.base = max(self.base, below)
        while self._count:
            first = &self._pieces[self._first & self._mask]
            if self._origin + first.size > below:
                break
            self._origin += first.size
            self.held -= PyBytes_GET_SIZE(<object>first.owner) + BUFFER_COST
            Py_DECREF(<object>first.owner)
            self._first = (self._first + 1) & self._mask
            self._count -= 1
            if self._near:
                self._near -= 1
            else:
                self._near_at = self._origin
        if self._count == 0:
            self._tail_room = 0

    cdef uint64_t copy(self, uint8_t *target, uint64_t position, size_t size, uint64_t total) noexcept:
        cdef Piece *piece
        cdef size_t skip, part
        cdef size_t done = 0
        if position < self._near_at:
            self._near = 0
            self._near_at = self._origin
        while done < size:
            piece = &self._pieces[(self._first + self._near) & self._mask]
            skip = position - self._near_at
            if skip >= piece.size:
                self._near += 1
                self._near_at += piece.size
                continue
            part = min(size - done, piece.size - skip)
            total = sum_copy(target + done, piece.data + skip, part, done & 1, total)
            done += part
            position += part
        return total
