"""IPv6 packets for Python code, a batch at a time."""

from cpython.exc cimport PyErr_SetObject, PyErr_WriteUnraisable
from libc.stdint cimport uint8_t

from ygg_c.base.packet cimport Packet, packet_copy


cdef class PacketPort(Upper):
    """Collects the packets of a batch and gives them to a callable."""

    def __init__(self, on_packets=None, size_t limit=4194304):
        self.on_packets = on_packets
        self.limit = limit
        self._batch = []

    cdef void packet_in(self, uint8_t *data, size_t size, uint64_t now) noexcept:
        self._now = now
        if self.on_packets is None or self._bytes + size > self.limit:
            self.dropped += 1
            return
        self._bytes += size
        self._batch.append(data[:size])

    cdef void batch_end(self, uint64_t now) noexcept:
        self._now = now

    cdef void wake(self) noexcept:
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        self._bytes = 0
        try:
            if self.on_packets is not None:
                self.on_packets(batch)
        except BaseException as error:
            self._report(error)

    def _report(self, error):
        if self.on_error is not None:
            self.on_error(error)
        else:
            PyErr_SetObject(type(error), error)
            PyErr_WriteUnraisable(self.on_packets)      # to sys.unraisablehook

    @property
    def attached(self):
        """Whether a gateway is below."""
        return self.lower is not None

    def send(self, packets):
        """Send IPv6 packets."""
        cdef Packet *copy
        cdef const unsigned char[::1] view
        if self.lower is None:
            self.dropped += sum([1 for _ in packets])
            return
        for packet in packets:
            view = packet
            if view.shape[0] == 0:
                self.dropped += 1
                continue
            copy = packet_copy(<const uint8_t *>&view[0], view.shape[0])
            if copy == NULL:
                raise MemoryError
            self.lower.packet_out(copy, self._now)
        self.lower.want_turn()
