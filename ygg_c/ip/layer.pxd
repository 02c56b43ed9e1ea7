# The seam between the IPv6 gateway and whatever uses its packets: layers, one on the other.
#
#   Upper   the top: a local TCP/IP stack, an OS TUN device, a Python object takes packets that arrived
#   Layer   what stands between, each with a side above and one below: a firewall, a limiter, a count
#   Lower   the bottom: the gateway (or a simulated wire) takes packets that leave
#
# All are of one type with the calls of both directions, and each call goes on to the next layer unless a subclass does
# something else with it; the two ends have no next one. A gateway puts layers in between and takes them out while
# packets pass (`Gateway.insert`).
#
# Times are nanoseconds of the caller's clock. Nothing here raises: what cannot be done is dropped and counted.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.packet cimport Packet

cdef enum:
    CREDIT_WINDOW = 262144      # bytes of own packets a link holds before the local stack is paused
    BURST_MOST = 65536          # bytes worth sending at once on the fastest link


# How the way to an address stands.
cdef struct Way:
    size_t credit               # bytes that may be sent now without waiting behind a full link
    size_t spare                # the same for what is never held back while little waits: somewhat more
    size_t burst                # bytes worth sending at once, and in one packet: the link's rate says
    uint64_t link               # number of the link that carries them; 0: not known yet
    uint64_t full_since         # when that link last refused credit, in ns; NEVER: it has room

# A way of which nothing is known: what is sent there may be kept, or dropped, but holds nothing back.
cdef void free_way(Way *way) noexcept

cdef class Layer:
    cdef readonly Layer upper   # None: the top, or nothing is attached
    cdef readonly Layer lower   # None: the bottom, or detached

    # Upwards.

    # An IPv6 packet for us. The bytes belong to the caller and live only for the call; they may be changed in place.
    cdef void packet_in(self, uint8_t *data, size_t size, uint64_t now) noexcept
    # All packets of one read were given: send ACKs and window updates now.
    cdef void batch_end(self, uint64_t now) noexcept
    # This link, which had refused credit, has drained, or is no more; 0: the ways that links are part of have changed.
    cdef void credit_in(self, uint64_t link, uint64_t now) noexcept
    # Run what is due; return the next deadline or NEVER. A layer with one of its own returns the earlier of both.
    cdef uint64_t run_due(self, uint64_t now) noexcept
    # Hand the events gathered so far to the application. Runs Python, which may take any layer out; exceptions stay
    # inside (logged by the receiver).
    cdef void wake(self) noexcept
    # The node with this address and /64 subnet has made a new session: it may have restarted and know nothing of
    # before.
    cdef void peer_renewed(self, const uint8_t *address, const uint8_t *subnet) noexcept
    # A way to the node with this address and subnet was found anew; NULL: there is a link that was not there before, or
    # one less, so that this may be true of any node. What waits there for a timer that silence has made long need not
    # wait.
    cdef void path_found(self, const uint8_t *address, const uint8_t *subnet) noexcept
    # Call `in_use` below for each address that a connection is open to.
    cdef void name_remotes(self) noexcept

    # To one of them, and not handed on.

    # An Upper was attached, and shall have a turn soon, or detached; another layer was put in or taken out. `lower`
    # tells which.
    cdef void lower_changed(self) noexcept
    # What was below has ended for good; `lower` is None already.
    cdef void lower_ended(self) noexcept

    # Downwards.

    # Send one IPv6 packet; takes ownership.
    cdef void packet_out(self, Packet *packet, uint64_t now) noexcept
    # How the way to this address stands, for one that wants to send `wanted` bytes. If `credit` is less, that is a
    # refusal: `credit_in` follows once the link has drained, by whatever little. Where nothing waits and the transport
    # has room, no packet is refused. A layer that refuses makes `credit` less and calls `credit_in` above it; what it
    # has refused when it is taken out, the gateway tells.
    cdef void find_way(self, const uint8_t *address, size_t wanted, Way *way) noexcept
    # The upper side has work outside a turn (packets given, a timer moved earlier): have its turn come soon.
    cdef void want_turn(self) noexcept
    # Nothing comes back from this address though it should: perhaps the way there has changed.
    cdef void path_suspect(self, const uint8_t *address) noexcept
    # What was sent to this address is acknowledged. Tell it now and then; every ten seconds will do.
    cdef void path_works(self, const uint8_t *address) noexcept
    # A connection is open to this address, perhaps idle: what was arranged with its node shall not lapse.
    cdef void in_use(self, const uint8_t *address) noexcept

# The top: nothing is ever above it.
cdef class Upper(Layer):
    pass

# The bottom: nothing is ever below it.
cdef class Lower(Layer):
    pass

# The last of those above it, or itself; None of None.
cdef Layer top_of(Layer layer)

# Put one on the other, or nothing.
cdef void stack_on(Layer lower, Layer upper) noexcept
