"""The seam between the IPv6 gateway and what uses its packets; see layer.pxd."""

from ygg_c.base.clock cimport NEVER
from ygg_c.base.packet cimport packet_free


cdef void free_way(Way *way) noexcept:
    way.credit = way.spare = CREDIT_WINDOW
    way.burst = BURST_MOST
    way.link = 0
    way.full_since = NEVER


cdef Layer top_of(Layer layer):
    while layer is not None and layer.upper is not None:
        layer = layer.upper
    return layer


cdef void stack_on(Layer lower, Layer upper) noexcept:
    lower.upper = upper
    if upper is not None:
        upper.lower = lower


cdef class Layer:
    """Stands between two others and hands on all that passes. See layer.pxd for the calls."""

    # The next one is held in a variable during each call, which may take it out and let go of it.

    # Upwards.

    cdef void packet_in(self, uint8_t *data, size_t size, uint64_t now) noexcept:
        cdef Layer upper = self.upper
        if upper is not None:
            upper.packet_in(data, size, now)

    cdef void batch_end(self, uint64_t now) noexcept:
        cdef Layer upper = self.upper
        if upper is not None:
            upper.batch_end(now)

    cdef void credit_in(self, uint64_t link, uint64_t now) noexcept:
        cdef Layer upper = self.upper
        if upper is not None:
            upper.credit_in(link, now)

    cdef uint64_t run_due(self, uint64_t now) noexcept:
        cdef Layer upper = self.upper
        return NEVER if upper is None else upper.run_due(now)

    cdef void wake(self) noexcept:
        cdef Layer upper = self.upper
        if upper is not None:
            upper.wake()

    cdef void peer_renewed(self, const uint8_t *address, const uint8_t *subnet) noexcept:
        cdef Layer upper = self.upper
        if upper is not None:
            upper.peer_renewed(address, subnet)

    cdef void path_found(self, const uint8_t *address, const uint8_t *subnet) noexcept:
        cdef Layer upper = self.upper
        if upper is not None:
            upper.path_found(address, subnet)

    cdef void name_remotes(self) noexcept:
        cdef Layer upper = self.upper
        if upper is not None:
            upper.name_remotes()

    cdef void lower_changed(self) noexcept:
        pass

    cdef void lower_ended(self) noexcept:
        pass

    # Downwards.

    cdef void packet_out(self, Packet *packet, uint64_t now) noexcept:
        cdef Layer lower = self.lower
        if lower is None:
            packet_free(packet)
        else:
            lower.packet_out(packet, now)

    cdef void find_way(self, const uint8_t *address, size_t wanted, Way *way) noexcept:
        cdef Layer lower = self.lower
        if lower is None:
            free_way(way)
        else:
            lower.find_way(address, wanted, way)

    cdef void want_turn(self) noexcept:
        cdef Layer lower = self.lower
        if lower is not None:
            lower.want_turn()

    cdef void path_suspect(self, const uint8_t *address) noexcept:
        cdef Layer lower = self.lower
        if lower is not None:
            lower.path_suspect(address)

    cdef void path_works(self, const uint8_t *address) noexcept:
        cdef Layer lower = self.lower
        if lower is not None:
            lower.path_works(address)

    cdef void in_use(self, const uint8_t *address) noexcept:
        cdef Layer lower = self.lower
        if lower is not None:
            lower.in_use(address)


cdef class Upper(Layer):
    """The top of the layers: takes IPv6 packets from below. The base class drops them."""


cdef class Lower(Layer):
    """The bottom of the layers: takes IPv6 packets from above. The base class drops them."""
