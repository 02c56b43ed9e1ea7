"""The lower side of a stack as Python has it: packets as bytes, in lists."""

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.clock cimport NEVER
from ygg_c.base.packet cimport Packet, PacketQueue, packet_free, queue_clear, queue_init, queue_pop, queue_push
from ygg_c.ip.layer cimport BURST_MOST, CREDIT_WINDOW, Layer, Lower, Upper, Way, free_way, stack_on


cdef class PacketTap(Lower):
    """Joins an Upper to Python: what it sends is taken as a list, what it shall receive is given as a list."""

    cdef PacketQueue _out
    cdef public size_t limit            # packets held; more are dropped and counted
    cdef public size_t dropped
    cdef public size_t credit_bytes     # what may be held before the upper side has to wait
    cdef public size_t burst            # bytes worth sending in one packet
    cdef bint _refused
    cdef uint64_t _now
    cdef public uint64_t link           # number of the link it stands for
    cdef public uint64_t full_since     # ns; NEVER: the link has room
    cdef public object on_turn          # called when the upper side asks for a turn; None: none is told
    cdef public object on_suspect       # called with an address from which nothing comes back; None: none is told
    cdef public object on_works         # the same, of one that answers

    def __cinit__(self):
        queue_init(&self._out)

    def __init__(self, Upper upper, size_t limit=4096):
        self.limit = limit
        self.credit_bytes = CREDIT_WINDOW
        self.burst = BURST_MOST
        self.link = 1
        self.full_since = NEVER
        stack_on(self, upper)
        upper.lower_changed()

    def __dealloc__(self):
        queue_clear(&self._out)

    cdef void packet_out(self, Packet *packet, uint64_t now) noexcept:
        self._now = now
        if self._out.count >= self.limit:
            self.dropped += 1
            packet_free(packet)
        else:
            queue_push(&self._out, packet)

    cdef void find_way(self, const uint8_t *address, size_t wanted, Way *way) noexcept:
        free_way(way)
        way.credit = way.spare = self.credit_bytes - min(self.credit_bytes, self._out.bytes)
        way.burst = self.burst
        way.link = self.link
        way.full_since = self.full_since
        if way.credit < wanted:
            self._refused = True

    cdef void want_turn(self) noexcept:
        if self.on_turn is not None:
            try:
                self.on_turn()
            except Exception:
                self.on_turn = None

    cdef void path_suspect(self, const uint8_t *address) noexcept:
        if self.on_suspect is not None:
            try:
                self.on_suspect(address[:16])
            except Exception:
                self.on_suspect = None

    cdef void path_works(self, const uint8_t *address) noexcept:
        if self.on_works is not None:
            try:
                self.on_works(address[:16])
            except Exception:
                self.on_works = None

    def take(self):
        """Return the packets sent since the last call, oldest first."""
        cdef Packet *packet
        result = []
        while True:
            packet = queue_pop(&self._out)
            if packet == NULL:
                break
            result.append(packet.data[:packet.size])
            packet_free(packet)
        self._drained(self._now)
        return result

    def give(self, packets, uint64_t now):
        """Deliver packets to the upper side as one batch at time `now` (ns)."""
        cdef bytearray scratch
        if self.upper is None:
            return
        for packet in packets:
            scratch = bytearray(packet)
            self.upper.packet_in(<uint8_t *><char *>scratch, len(scratch), now)
        self.upper.batch_end(now)
        self.upper.wake()

    def carry(self, PacketTap other not None, uint64_t now):
        """Deliver what was sent to the other tap's upper side, as one batch; return how many packets."""
        cdef Packet *packet
        cdef size_t count = self._out.count
        cdef size_t left = count        # not what is sent meanwhile
        while left:
            left -= 1
            packet = queue_pop(&self._out)
            if other.upper is not None:
                other.upper.packet_in(packet.data, packet.size, now)
            packet_free(packet)
        if count and other.upper is not None:
            other.upper.batch_end(now)
            other.upper.wake()
        self._drained(now)
        return count

    cdef void _drained(self, uint64_t now) noexcept:
        if self._refused and self.upper is not None and self.credit_bytes:
            self._refused = False
            self.upper.credit_in(self.link, now)

    def poll(self, uint64_t now):
        """Run what is due at `now` (ns); return the next deadline in ns, or None."""
        cdef uint64_t deadline
        if self.upper is None:
            return None
        deadline = self.upper.run_due(now)
        self.upper.wake()
        return None if deadline == NEVER else deadline

    def give_credit(self, size_t count, uint64_t now):
        """Set the credit in bytes and tell the upper side."""
        self.credit_bytes = count
        if self.upper is not None:
            self._refused = False
            self.upper.credit_in(self.link, now)

    def detach(self):
        """Part from the upper side."""
        cdef Layer upper = self.upper
        if upper is not None:
            self.upper = upper.lower = None
            upper.lower_changed()
