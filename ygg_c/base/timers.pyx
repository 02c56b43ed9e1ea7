"""Timers as integer deadlines in one heap, re-checked when they fire."""

from libc.stdlib cimport free, realloc

from ygg_c.base.clock cimport NEVER


cdef class Timed:
    """Something with a deadline."""

    def __cinit__(self):
        self.due = NEVER
        self._place = -1

    cdef void fire(self, uint64_t now) noexcept:
        pass


cdef class TimerHeap:
    """A binary heap of Timed objects, one entry each."""

    def __dealloc__(self):
        free(self._entries)

    cdef void note(self, Timed timed) noexcept:
        cdef Entry *grown
        cdef Entry entry
        if timed._place >= 0:
            if timed.due < timed._keyed:
                timed._keyed = timed.due
                self._entries[timed._place].deadline = timed.due
                self._up(timed._place)
            return
        if timed.due == NEVER:
            return
        if self._count == self._room:
            grown = <Entry *>realloc(self._entries, (self._room * 2 + 16) * sizeof(Entry))
            if grown == NULL:
                return
            self._entries = grown
            self._room = self._room * 2 + 16
        timed._keyed = timed.due
        entry.deadline = timed.due
        entry.timed = <PyObject *>timed
        self._set(self._count, entry)
        self._count += 1
        self._up(self._count - 1)

    cdef void forget(self, Timed timed) noexcept:
        cdef Py_ssize_t index = timed._place
        timed.due = NEVER
        if index < 0:
            return
        timed._place = -1
        self._count -= 1
        if index < self._count:
            self._set(index, self._entries[self._count])
            self._up(index)
            self._down(index)

    cdef uint64_t run(self, uint64_t now) noexcept:
        cdef Timed timed
        while self._count and self._entries[0].deadline <= now:
            timed = <Timed>self._entries[0].timed
            if timed.due <= now:
                timed.due = NEVER
                timed.fire(now)
            if timed._place < 0:
                continue
            if timed.due == NEVER:
                self.forget(timed)
                continue
            # What fires must move on: a deadline left in the past would be called for ever.
            timed._keyed = timed.due if timed.due > now else now + 1
            self._entries[timed._place].deadline = timed._keyed
            self._down(timed._place)
        return self._entries[0].deadline if self._count else NEVER

    cdef void _up(self, Py_ssize_t index) noexcept:
        cdef Entry entry = self._entries[index]
        cdef Py_ssize_t parent
        while index:
            parent = (index - 1) // 2
            if self._entries[parent].deadline <= entry.deadline:
                break
            self._set(index, self._entries[parent])
            index = parent
        self._set(index, entry)

    cdef void _down(self, Py_ssize_t index) noexcept:
        cdef Entry entry = self._entries[index]
        cdef Py_ssize_t child
        while True:
            child = 2 * index + 1
            if child >= self._count:
                break
            if child + 1 < self._count and self._entries[child + 1].deadline < self._entries[child].deadline:
                child += 1
            if entry.deadline <= self._entries[child].deadline:
                break
            self._set(index, self._entries[child])
            index = child
        self._set(index, entry)

    cdef void _set(self, Py_ssize_t index, Entry entry) noexcept:
        self._entries[index] = entry
        (<Timed>entry.timed)._place = index
