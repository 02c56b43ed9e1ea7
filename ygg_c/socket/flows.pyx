"""Who is next to use a link; see flows.pxd."""


cdef class Flow(Timed):
    """What may have to wait for a link."""

    cdef bint flush(self, uint64_t now) noexcept:
        return False


cdef class FlowQueue:
    """Those that wait for one link."""

    def __cinit__(self, uint64_t link, size_t quantum):
        self.link = link
        self.quantum = quantum

    cdef void add(self, Flow flow) noexcept:
        flow.waits_in = self
        flow.deficit = self.quantum
        self._append(flow, True)

    cdef void remove(self, Flow flow) noexcept:
        self._take_out(flow)
        flow.waits_in = None

    cdef Flow next(self):
        cdef Flow flow
        while True:
            flow = self._new if self._new is not None else self._old
            if flow is None:
                return None
            if not flow.wants:
                self.remove(flow)
            elif flow.deficit > 0:
                return flow
            else:
                flow.deficit += self.quantum
                self._take_out(flow)
                self._append(flow, False)

    cdef bint has_others(self, Flow flow) noexcept:
        return flow._after is not None or (flow.is_new and self._old is not None)

    cdef void satisfied(self, Flow flow) noexcept:
        # It stays for one round of the old ones: who comes back at once is not new again (RFC 8290, 4.2).
        self._take_out(flow)
        if flow.is_new and self._old is not None:
            self._append(flow, False)
        else:
            flow.waits_in = None

    cdef void _append(self, Flow flow, bint new) noexcept:
        cdef Flow last = self._last_new if new else self._last_old
        flow.is_new = new
        flow._before = last
        if last is not None:
            last._after = flow
        elif new:
            self._new = flow
        else:
            self._old = flow
        if new:
            self._last_new = flow
        else:
            self._last_old = flow

    cdef void _take_out(self, Flow flow) noexcept:
        cdef Flow before = flow._before
        cdef Flow after = flow._after
        if before is not None:
            before._after = after
        elif flow.is_new:
            self._new = after
        else:
            self._old = after
        if after is not None:
            after._before = before
        elif flow.is_new:
            self._last_new = before
        else:
            self._last_old = before
        flow._before = flow._after = None
