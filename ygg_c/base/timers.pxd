# One deadline per object, in a binary heap. Moving a deadline later costs nothing: it is looked at again when the old
# one is reached. Times are ns; the heap holds no references, so an object leaves it before it dies.

from cpython.ref cimport PyObject
from libc.stdint cimport uint64_t

cdef class Timed:
    cdef uint64_t due               # when `fire` wants to be called; NEVER: not
    cdef Py_ssize_t _place          # index in the heap, -1 when outside
    cdef uint64_t _keyed            # the deadline the heap knows
    cdef void fire(self, uint64_t now) noexcept

cdef struct Entry:
    uint64_t deadline
    PyObject *timed

cdef class TimerHeap:
    cdef Entry *_entries
    cdef Py_ssize_t _count
    cdef Py_ssize_t _room
    cdef void note(self, Timed timed) noexcept      # after `due` changed
    cdef void forget(self, Timed timed) noexcept
    cdef uint64_t run(self, uint64_t now) noexcept  # fire what is due; return the next deadline or NEVER
    cdef void _up(self, Py_ssize_t index) noexcept
    cdef void _down(self, Py_ssize_t index) noexcept
    cdef void _set(self, Py_ssize_t index, Entry entry) noexcept
