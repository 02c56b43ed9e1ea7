"""The receive queue: each byte is written once, where the application will read it; see receivequeue.pxd."""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_Clear
from cpython.ref cimport Py_DECREF
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from ygg_c.base.ranges cimport ranges_add, ranges_clear, ranges_growth, ranges_trim
from ygg_c.socket.remotenode cimport BUFFER_COST

cdef extern from *:
    """
    /* The beginning of a bytes object that no other has seen, in its place; takes that object. The stable ABI lacks
       _PyBytes_Resize: where such an object is one block, its header and then its content with a zero at the end, the
       same is done here, on the versions where this was tried, and else the beginning is copied. `least` is the size of
       an empty one's block. */
    static PyObject *ygg_shortened(PyObject *whole, Py_ssize_t size, Py_ssize_t least) {
    #ifdef Py_LIMITED_API
        const char *content = PyBytes_AsString(whole);
        const Py_ssize_t header = content - (const char *)whole;
        const int tried = Py_Version < 0x030f0000 && header + 1 == least;
        PyObject *result = tried ? (PyObject *)PyObject_Realloc(whole, least + size) : NULL;
        if (result == NULL) {
            result = PyBytes_FromStringAndSize(content, size);
            Py_DECREF(whole);
            return result;
        }
        Py_SET_SIZE((PyVarObject *)result, size);
        ((char *)result)[header + size] = 0;
        return result;
    #else
        (void)least;
        _PyBytes_Resize(&whole, size);
        return whole;
    #endif
    }
    """
    object ygg_shortened(PyObject *whole, Py_ssize_t size, Py_ssize_t least)
    PyObject *new_bytes "PyBytes_FromStringAndSize"(const char *data, Py_ssize_t size)


cdef Py_ssize_t _EMPTY = bytes.__basicsize__


cdef enum:
    PIECE = 4032


cdef inline void _move(uint8_t *target, const uint8_t *source, size_t size) noexcept:
    # In pieces that are too small for memcpy to take string instructions: where both sides happen to have nearly the
    # same place in their pages, these take three times as long.
    cdef size_t part
    while size:
        part = min(size, <size_t>PIECE)
        memcpy(target, source, part)
        target += part
        source += part
        size -= part


cdef void received_clear(ReceiveQueue *queue) noexcept:
    while queue.count:
        _drop_first(queue)
    free(queue.chunks)
    queue.chunks = NULL
    queue.mask = 0
    queue.first = 0
    queue.read = queue.next           # what was there cannot be read any more
    ranges_clear(&queue.ranges)


cdef void received_renege(ReceiveQueue *queue) noexcept:
    cdef Chunk *last
    ranges_clear(&queue.ranges)
    while queue.count:
        last = &queue.chunks[(queue.first + queue.count - 1) & queue.mask]
        if last.base < queue.next:
            break
        Py_DECREF(<object>last.bytes)
        queue.held -= last.size + BUFFER_COST
        queue.count -= 1
    received_rest(queue)


cdef void received_rest(ReceiveQueue *queue) noexcept:
    if queue.read == queue.next and queue.ranges.count == 0:
        received_clear(queue)


cdef void _drop_first(ReceiveQueue *queue) noexcept:
    Py_DECREF(<object>queue.chunks[queue.first].bytes)
    _pass_first(queue)


cdef void _pass_first(ReceiveQueue *queue) noexcept:
    queue.held -= queue.chunks[queue.first].size + BUFFER_COST
    queue.first = (queue.first + 1) & queue.mask
    queue.count -= 1


cdef uint64_t received_covered(const ReceiveQueue *queue) noexcept:
    cdef Chunk *last
    if queue.count == 0:
        return queue.read
    last = &queue.chunks[(queue.first + queue.count - 1) & queue.mask]
    return last.base + last.size


cdef size_t received_growth(const ReceiveQueue *queue, uint64_t position, uint64_t end) noexcept:
    cdef uint64_t covered = received_covered(queue)
    cdef size_t hole = ranges_growth(&queue.ranges) if position > queue.next else 0
    cdef size_t size
    if end <= covered:
        return hole
    size = _chunk_size(queue, end - covered)
    return hole + (end - covered + size - 1) // size * size


cdef void received_spare(ReceiveQueue *queue) noexcept:
    queue.grain = CHUNK_SMALL


cdef inline size_t _chunk_size(const ReceiveQueue *queue, uint64_t missing) noexcept:
    return CHUNK_LEAST if queue.count == 0 and missing <= CHUNK_LEAST else queue.grain


cdef bint _cover(ReceiveQueue *queue, uint64_t end) noexcept:
    # Extend the chain until it reaches `end`.
    cdef size_t room, index, size
    cdef Chunk *grown
    cdef Chunk *chunk
    cdef uint64_t covered = received_covered(queue)
    while covered < end:
        room = queue.mask + 1 if queue.chunks != NULL else 0
        if queue.count == room:
            grown = <Chunk *>malloc((room * 2 or 4) * sizeof(Chunk))
            if grown == NULL:
                return False
            for index in range(queue.count):
                grown[index] = queue.chunks[(queue.first + index) & queue.mask]
            free(queue.chunks)
            queue.chunks = grown
            queue.first = 0
            queue.mask = (room * 2 or 4) - 1
        chunk = &queue.chunks[(queue.first + queue.count) & queue.mask]
        size = _chunk_size(queue, end - covered)
        chunk.bytes = new_bytes(NULL, size)
        if chunk.bytes == NULL:
            PyErr_Clear()
            return False
        chunk.content = <uint8_t *>PyBytes_AsString(<object>chunk.bytes)
        chunk.base = covered
        chunk.size = size
        covered += size
        queue.held += size + BUFFER_COST
        queue.count += 1
    return True


cdef bint received_insert(ReceiveQueue *queue, uint64_t position, const uint8_t *data, size_t size) noexcept:
    cdef uint64_t end = position + size
    cdef size_t index, part, offset
    cdef Chunk *chunk
    if not _cover(queue, end):
        return False
    if position > queue.next:
        if ranges_add(&queue.ranges, position, end, MAX_RANGES) < 0:
            return False
    elif end > queue.next:
        queue.next = end
        while queue.ranges.count and queue.ranges.items[0].start <= queue.next:
            queue.next = max(queue.next, queue.ranges.items[0].end)
            ranges_trim(&queue.ranges, queue.ranges.items[0].end)
    index = 0
    while size:
        chunk = &queue.chunks[(queue.first + index) & queue.mask]
        index += 1
        if position >= chunk.base + chunk.size:
            continue
        offset = position - chunk.base
        part = min(size, chunk.size - offset)
        _move(chunk.content + offset, data, part)
        position += part
        data += part
        size -= part
    return True


cdef void _tidy(ReceiveQueue *queue) noexcept:
    # With everything read and nothing beyond, the one chunk left is filled again from its start.
    cdef Chunk *chunk
    if queue.count == 1 and queue.read == queue.next and queue.ranges.count == 0:
        chunk = &queue.chunks[queue.first]
        if chunk.size > CHUNK_SMALL:
            _drop_first(queue)
        else:
            chunk.base = queue.read
    while queue.count and queue.read >= queue.chunks[queue.first].base + queue.chunks[queue.first].size:
        _drop_first(queue)


cdef object received_take(ReceiveQueue *queue, size_t limit):
    cdef Chunk *chunk
    cdef size_t offset, size
    cdef PyObject *whole
    cdef object result
    if queue.read == queue.next or limit == 0:
        return b""
    chunk = &queue.chunks[queue.first]
    offset = queue.read - chunk.base
    size = min(queue.next - queue.read, <uint64_t>(chunk.size - offset))
    if offset == 0 and size <= limit and size >= COPY_BELOW and (
        size == chunk.size or (queue.count == 1 and queue.ranges.count == 0)
    ):
        # Nothing else will be written to this chunk: it is the result.
        if size == chunk.size:
            queue.grain = CHUNK_LARGE if queue.grain >= CHUNK_LARGE // 4 else queue.grain * 4
        whole = chunk.bytes
        _pass_first(queue)
        queue.read += size
        _tidy(queue)
        if size != chunk.size:
            return ygg_shortened(whole, size, _EMPTY)
        result = <object>whole
        Py_DECREF(result)
        return result
    size = min(size, limit)
    result = PyBytes_FromStringAndSize(<char *>chunk.content + offset, size)
    queue.read += size
    _tidy(queue)
    return result


cdef size_t _copy(ReceiveQueue *queue, uint8_t *target, size_t size) noexcept:
    cdef size_t done = 0
    cdef size_t offset, part
    cdef Chunk *chunk
    while done < size and queue.read < queue.next:
        chunk = &queue.chunks[queue.first]
        offset = queue.read - chunk.base
        part = min(size - done, min(queue.next - queue.read, <uint64_t>(chunk.size - offset)))
        _move(target + done, chunk.content + offset, part)
        queue.read += part
        done += part
        if offset + part == chunk.size and queue.grain < CHUNK_LARGE:
            queue.grain *= 4
        _tidy(queue)
    return done


cdef Py_ssize_t received_fill(ReceiveQueue *queue, object buffer) except -1:
    cdef Py_buffer view
    PyObject_GetBuffer(buffer, &view, PyBUF_WRITABLE)
    try:
        return _copy(queue, <uint8_t *>view.buf, view.len)
    finally:
        PyBuffer_Release(&view)
