"""The receive queue: each byte is written once, where the application will read it."""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_Clear
from cpython.ref cimport Py_DECREF
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from ygg_c.remotenode cimport BUFFER_COST
from ygg_c.ranges cimport ranges_add, ranges_clear, ranges_trim

cdef extern from "Python.h":
    int _PyBytes_Resize(PyObject **bytes, Py_ssize_t size)
    PyObject *new_bytes "PyBytes_FromStringAndSize"(const char *data, Py_ssize_t size)


cdef inline uint8_t *_content(Chunk *chunk) noexcept:
    return <uint8_t *>PyBytes_AS_STRING(<object>chunk.bytes)


cdef class ReceiveQueue:
    """Bytes waiting for the application."""

    def __cinit__(self):
        self._grain = CHUNK_SMALL

    def __dealloc__(self):
        self.clear()

    cdef void clear(self) noexcept:
        while self._count:
            self._drop_first()
        free(self._chunks)
        self._chunks = NULL
        self._mask = 0
        self._first = 0
        self.read = self.next           # what was there cannot be read any more
        ranges_clear(&self.ranges)

    cdef void _drop_first(self) noexcept:
        Py_DECREF(<object>self._chunks[self._first].bytes)
        self._pass_first()

    cdef void _pass_first(self) noexcept:
        self.held -= self._chunks[self._first].size + BUFFER_COST
        self._first = (self._first + 1) & self._mask
        self._count -= 1

    cdef uint64_t covered(self) noexcept:
        cdef Chunk *last
        if self._count == 0:
            return self.read
        last = &self._chunks[(self._first + self._count - 1) & self._mask]
        return last.base + last.size

    cdef size_t growth(self, uint64_t end) noexcept:
        cdef uint64_t covered = self.covered()
        return 0 if end <= covered else (end - covered + self._grain - 1) // self._grain * self._grain

    cdef void spare(self) noexcept:
        self._grain = CHUNK_SMALL

    cdef bint _cover(self, uint64_t end) noexcept:
        # Extend the chain until it reaches `end`.
        cdef size_t room, index
        cdef Chunk *grown
        cdef Chunk *chunk
        cdef uint64_t covered = self.covered()
        while covered < end:
            room = self._mask + 1 if self._chunks != NULL else 0
            if self._count == room:
                grown = <Chunk *>calloc(room * 2 or 4, sizeof(Chunk))
                if grown == NULL:
                    return False
                for index in range(self._count):
                    grown[index] = self._chunks[(self._first + index) & self._mask]
                free(self._chunks)
                self._chunks = grown
                self._first = 0
                self._mask = (room * 2 or 4) - 1
            chunk = &self._chunks[(self._first + self._count) & self._mask]
            chunk.bytes = new_bytes(NULL, self._grain)
            if chunk.bytes == NULL:
                PyErr_Clear()
                return False
            chunk.base = covered
            chunk.size = self._grain
            covered += self._grain
            self.held += self._grain + BUFFER_COST
            self._count += 1
        return True

    cdef bint insert(self, uint64_t position, const uint8_t *data, size_t size) noexcept:
        cdef uint64_t end = position + size
        cdef size_t index, part, offset
        cdef Chunk *chunk
        if not self._cover(end):
            return False
        if position > self.next:
            if ranges_add(&self.ranges, position, end) < 0:
                return False
        elif end > self.next:
            self.next = end
            while self.ranges.count and self.ranges.items[0].start <= self.next:
                self.next = max(self.next, self.ranges.items[0].end)
                ranges_trim(&self.ranges, self.ranges.items[0].end)
        index = 0
        while size:
            chunk = &self._chunks[(self._first + index) & self._mask]
            index += 1
            if position >= chunk.base + chunk.size:
                continue
            offset = position - chunk.base
            part = min(size, chunk.size - offset)
            memcpy(_content(chunk) + offset, data, part)
            position += part
            data += part
            size -= part
        return True

    cdef void _tidy(self) noexcept:
        # With everything read and nothing beyond, the one chunk left is filled again from its start.
        cdef Chunk *chunk
        if self._count == 1 and self.read == self.next and self.ranges.count == 0:
            chunk = &self._chunks[self._first]
            if chunk.size > CHUNK_SMALL:
                self._drop_first()
            else:
                chunk.base = self.read
        while self._count and self.read >= self._chunks[self._first].base + self._chunks[self._first].size:
            self._drop_first()

    cdef object take(self, size_t limit):
        cdef Chunk *chunk
        cdef size_t offset, size
        cdef PyObject *whole
        cdef object result
        if self.read == self.next or limit == 0:
            return b""
        chunk = &self._chunks[self._first]
        offset = self.read - chunk.base
        size = min(self.next - self.read, <uint64_t>(chunk.size - offset))
        if offset == 0 and size <= limit and size >= COPY_BELOW and (
            size == chunk.size or (self._count == 1 and self.ranges.count == 0)
        ):
            # Nothing else will be written to this chunk: it is the result.
            if size == chunk.size:
                self._grain = CHUNK_LARGE if self._grain >= CHUNK_LARGE // 4 else self._grain * 4
            whole = chunk.bytes
            self._pass_first()
            self.read += size
            if size != chunk.size and _PyBytes_Resize(&whole, size) < 0:
                raise MemoryError
            result = <object>whole
            Py_DECREF(result)
            return result
        size = min(size, limit)
        result = PyBytes_FromStringAndSize(<char *>_content(chunk) + offset, size)
        self.read += size
        self._tidy()
        return result

    cdef size_t copy(self, uint8_t *target, size_t size) noexcept:
        cdef size_t done = 0
        cdef size_t offset, part
        cdef Chunk *chunk
        while done < size and self.read < self.next:
            chunk = &self._chunks[self._first]
            offset = self.read - chunk.base
            part = min(size - done, min(self.next - self.read, <uint64_t>(chunk.size - offset)))
            memcpy(target + done, _content(chunk) + offset, part)
            self.read += part
            done += part
            if offset + part == chunk.size and self._grain < CHUNK_LARGE:
                self._grain *= 4
            self._tidy()
        return done

    cdef Py_ssize_t read_into(self, object buffer) except -1:
        cdef Py_buffer view
        PyObject_GetBuffer(buffer, &view, PyBUF_WRITABLE)
        try:
            return self.copy(<uint8_t *>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)
