"""The send queue: bytes by reference, small writes together; see sendqueue.pxd."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize, PyBytes_Size
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from ygg_c.base.checksum cimport sum_copy
from ygg_c.socket.remotenode cimport BUFFER_COST


cdef void queue_clear(SendQueue *queue) noexcept:
    while queue.count:
        queue.count -= 1
        Py_DECREF(<object>queue.pieces[(queue.first + queue.count) & queue.mask].owner)
    free(queue.pieces)
    queue.pieces = NULL
    queue.mask = 0
    queue.tail_room = 0
    queue.near = 0
    queue.held = 0
    queue.base = queue.origin = queue.near_at = queue.end


cdef int _push(SendQueue *queue, PyObject *owner, const uint8_t *data, size_t size) except -1:
    cdef size_t room = queue.mask + 1 if queue.pieces != NULL else 0
    cdef Piece *grown
    cdef size_t index
    if queue.count == room:
        grown = <Piece *>malloc((room * 2 or 8) * sizeof(Piece))
        if grown == NULL:
            raise MemoryError
        for index in range(queue.count):
            grown[index] = queue.pieces[(queue.first + index) & queue.mask]
        free(queue.pieces)
        queue.pieces = grown
        queue.first = 0
        queue.mask = (room * 2 or 8) - 1
    index = (queue.first + queue.count) & queue.mask
    Py_INCREF(<object>owner)
    queue.pieces[index].owner = owner
    queue.pieces[index].data = data
    queue.pieces[index].size = size
    queue.held += PyBytes_Size(<object>owner) + BUFFER_COST
    queue.count += 1
    queue.end += size
    return 0


cdef int _append(SendQueue *queue, object data, const uint8_t *bytes, size_t size, bint keep) except -1:
    # `keep`: `data` is a bytes object around `bytes` and may be held.
    cdef size_t part
    cdef Piece *last
    cdef object own
    if keep and size >= COALESCE:
        _push(queue, <PyObject *>data, bytes, size)
        queue.tail_room = 0
        return 0
    while size:
        if queue.tail_room:
            last = &queue.pieces[(queue.first + queue.count - 1) & queue.mask]
            part = min(size, queue.tail_room)
            memcpy(<uint8_t *>last.data + last.size, bytes, part)
            last.size += part
            queue.tail_room -= part
            queue.end += part
            bytes += part
            size -= part
            continue
        # An idle connection's small write gets a chunk of its own size, a stream of them one to share.
        part = max(size, <size_t>OWN_CHUNK) if queue.count else max(size, <size_t>512)
        own = PyBytes_FromStringAndSize(NULL, part)
        _push(queue, <PyObject *>own, <uint8_t *>PyBytes_AsString(own), 0)
        queue.tail_room = part
    return 0


cdef Py_ssize_t queue_write(SendQueue *queue, object data, size_t limit) except -1:
    cdef Py_buffer view
    cdef size_t size
    if type(data) is bytes:
        size = min(<size_t>PyBytes_Size(data), limit)
        _append(queue, data, <uint8_t *>PyBytes_AsString(data), size, True)
        return size
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        size = min(<size_t>view.len, limit)
        _append(queue, None, <uint8_t *>view.buf, size, False)
    finally:
        PyBuffer_Release(&view)
    return size


cdef void queue_release(SendQueue *queue, uint64_t below) noexcept:
    cdef Piece *first
    queue.base = max(queue.base, below)
    while queue.count:
        first = &queue.pieces[queue.first & queue.mask]
        if queue.origin + first.size > below:
            break
        queue.origin += first.size
        queue.held -= PyBytes_Size(<object>first.owner) + BUFFER_COST
        Py_DECREF(<object>first.owner)
        queue.first = (queue.first + 1) & queue.mask
        queue.count -= 1
        if queue.near:
            queue.near -= 1
        else:
            queue.near_at = queue.origin
    if queue.count == 0:
        queue.tail_room = 0


cdef void queue_rest(SendQueue *queue) noexcept:
    if queue.count == 0:
        queue_clear(queue)


cdef uint64_t queue_copy(SendQueue *queue, uint8_t *target, uint64_t position, size_t size, uint64_t total) noexcept:
    cdef Piece *piece
    cdef size_t skip, part
    cdef size_t done = 0
    if position < queue.near_at:
        queue.near = 0
        queue.near_at = queue.origin
    while done < size:
        piece = &queue.pieces[(queue.first + queue.near) & queue.mask]
        skip = position - queue.near_at
        if skip >= piece.size:
            queue.near += 1
            queue.near_at += piece.size
            continue
        part = min(size - done, piece.size - skip)
        total = sum_copy(target + done, piece.data + skip, part, done & 1, total)
        done += part
        position += part
    return total
