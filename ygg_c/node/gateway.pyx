"""IPv6 packets to and from keys; see gateway.pxd.

A node's address is made from its key, so every packet is checked against the key it came from or goes to, and no
other authentication exists at this layer. What an address does not tell is the whole key: packets for an unknown
destination wait (base/pending.pxd) while the router looks for the node that answers to it. They go on, in order, to the
session, where they may wait once more, and from there to the router, which has the path by then.

A link's queue finds out that packets wait too long when they are sealed. Of a flow that understands ECN the next packet
is marked in place of them, here, where the IPv6 header can still be changed. The mark so comes as much later as the
queue is long; but it comes, without a loss.
"""

from cpython.ref cimport PyObject
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcmp, memcpy, memset

from ygg_c.base.address cimport ADDRESS_PREFIX, SUBNET_PREFIX, key_address, key_subnet, partial_key
from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.base.forks cimport check_fork
from ygg_c.base.live cimport LIVE_GATEWAY, born, died
from ygg_c.base.lru cimport aging_add, aging_remove, aging_touch
from ygg_c.base.packet cimport packet_free
from ygg_c.base.pending cimport (
    PENDING_TIME, pending_clear, pending_expire, pending_is_crowded, pending_pop, pending_push,
)
from ygg_c.base.siphash cimport ygg_siphash
from ygg_c.ip.header cimport CE, ECT_0, IP_HEADER, MIN_MTU, NOT_ECT, SOURCE, TARGET, get_ecn, put_ecn
from ygg_c.ip.icmp cimport ERROR_BURST, ERROR_RATE, ICMP_TOO_BIG, icmp_error
from ygg_c.ip.layer cimport Layer, Lower, Upper, Way, free_way, stack_on
from ygg_c.link.link cimport LinkHost
from ygg_c.routing.pathfinder cimport Path

cdef uint64_t MARK_LIFE = SECOND                # of a mark for which there is no packet
cdef uint64_t LIFETIME = 120 * SECOND           # of routes since their last use

cdef enum:
    MAX_MTU = 65535
    ROUTE_LIMIT = 65536
    WAITING_LIMIT = 1024            # destinations
    WAITING_BYTES = 8388608         # of memory
    QUOTE = 512                     # bytes of a packet in a Packet Too Big about it (protocol 0.5, section 9.4)


cdef class Waiting:
    """Packets for an unknown destination."""

    def __dealloc__(self):
        cdef PendingAccount none
        none.used = self.pending.memory
        pending_clear(&none, &self.pending)


cdef class Gateway(PayloadSink):
    """The IPv6 side of a node."""

    def __cinit__(self):
        self._layers = []
        born(LIVE_GATEWAY)

    def __dealloc__(self):
        died(LIVE_GATEWAY)

    def __init__(self, Node node not None, mtu=MAX_MTU):
        if node.attachment is not None:
            raise ValueError("the node has a gateway already")
        self.node = node
        self.mtu = mtu
        key_address((<LinkHost>node).key, self.address)
        key_subnet((<LinkHost>node).key, self.subnet)
        self._by_key = ByteMap(32, node.random.u64())
        self._by_address = ByteMap(16, node.random.u64())
        self._by_subnet = ByteMap(8, node.random.u64())
        self._waiting = ByteMap(16, node.random.u64())
        self._account.limit = WAITING_BYTES
        self._errors = Budget(ERROR_RATE, ERROR_BURST, node.random.u64())
        node.random.fill(<uint8_t *>self._secret, sizeof(self._secret))
        node.attachment = self

    # What is attached

    def attach(self, Upper upper not None):
        """Give packets to `upper`."""
        if self.attached is not None:
            raise ValueError("something is attached to the gateway already")
        if upper.lower is not None:
            raise ValueError("it is attached elsewhere already")
        if self.node is None:
            raise ValueError("the gateway is closed")
        check_fork(self.node.made_in)
        self.attached = upper
        self._relink()
        upper.lower_changed()
        self.node.want_turn()

    def detach(self):
        """Part from what is attached and return it."""
        cdef Upper upper = self.attached
        if upper is not None:
            self.attached = None
            self._part_from(upper)
        return upper

    def replace(self, Upper upper not None):
        """Attach `upper` in place of what is attached."""
        cdef Upper old = self.attached
        if upper is old:
            return old
        if upper.lower is not None:
            raise ValueError("it is attached elsewhere already")
        if self.node is not None:
            check_fork(self.node.made_in)
        self.detach()
        self.attach(upper)
        return old

    def close(self):
        """Detach, take all layers out and part from the node."""
        self.detach()
        while self._layers:
            self._part_from(self._layers.pop())
        if self.node is not None and self.node.attachment is self:
            self.node.attachment = None
        self.node = None
        while self._routes.count:
            self._forget(<Route>self._routes.oldest.owner)
        while self._waits.count:
            self._drop_waiting(<Waiting>self._waits.oldest.owner)

    # Layers in between

    @property
    def layers(self):
        """The layers between node and what is attached, the lowest one first."""
        return tuple(self._layers)

    def insert(self, Layer layer not None, position=None):
        """Put a layer in."""
        if isinstance(layer, (Lower, Upper)):
            raise TypeError(f"{type(layer).__name__} is an end, and no layer that others stand on both sides of")
        if layer.lower is not None:
            raise ValueError("the layer is in a place already")
        if self.node is None:
            raise ValueError("the gateway is closed")
        check_fork(self.node.made_in)
        self._layers.insert(len(self._layers) if position is None else position, layer)
        self._relink()
        layer.lower_changed()
        self._tell_ways_changed()

    def remove(self, Layer layer not None):
        """Take a layer out."""
        if layer not in self._layers:
            raise ValueError("the layer is not in this gateway")
        check_fork(self.node.made_in)
        self._layers.remove(layer)
        self._part_from(layer)
        self._tell_ways_changed()

    cdef void _relink(self) noexcept:
        cdef Layer below = self
        cdef Layer layer
        for layer in self._layers:
            stack_on(below, layer)
            below = layer
        stack_on(below, self.attached)

    cdef void _part_from(self, Layer layer) noexcept:
        # One that has left the gateway's fields already.
        layer.upper = layer.lower = None
        self._relink()
        layer.lower_changed()

    cdef void _tell_ways_changed(self) noexcept:
        # What a layer refused, or shall refuse from now on, is asked for anew: in a turn, for this may be called in the
        # middle of one.
        self._ways_changed = True
        self.node.want_turn()

    cdef void node_closed(self) noexcept:
        cdef Upper upper = self.detach()
        self.close()
        if upper is not None:
            upper.lower_ended()

    @property
    def mtu(self):
        """Largest packet delivered upwards, in bytes."""
        return self._mtu

    @mtu.setter
    def mtu(self, value):
        self._mtu = min(max(value, MIN_MTU), MAX_MTU)

    def counters(self):
        """Return the packets dropped, by reason."""
        return {
            "dropped_incoming": self.dropped_incoming,
            "dropped_outgoing": self.dropped_outgoing,
            "dropped_waiting": self.dropped_waiting,
            "too_big": self.too_big,
            "icmp_limited": self.icmp_limited,
            "marked": self.marked,
        }

    # What is known of others

    def key_of(self, bytes address not None):
        """Return the key behind an address, or None."""
        cdef Route route
        if len(address) != 16:
            raise ValueError(f"an address has 16 bytes, not {len(address)}")
        if self.node is not None and self._is_ours(address):
            return (<LinkHost>self.node).key[:32]
        route = self._route_to(address)
        if route is None:
            return None
        if route.shown is None:
            route.shown = route.key[:32]
        return route.shown

    def learn(self, bytes key not None):
        """Know a key, so that its address need not be looked up."""
        if len(key) != 32:
            raise ValueError(f"a key has 32 bytes, not {len(key)}")
        if self.node is not None and memcmp(<const uint8_t *>key, (<LinkHost>self.node).key, 32) != 0:
            self.node.catch_up(self.node.now)
            self._learn(key)

    def reach(self, bytes address not None):
        """Return how far the way to an address is known."""
        cdef Route route
        cdef Path path
        if len(address) != 16:
            raise ValueError(f"an address has 16 bytes, not {len(address)}")
        if self.node is None:
            return "detached"
        if self._is_ours(address):
            return "own"
        if not self.node.tree.neighbours:
            return "no_peer"
        route = self._route_to(address)
        if route is None:
            return "no_key"
        if self.node.tree.link_to(route.key) is None:
            path = self.node.pathfinder.path(route.key)
            if path is None or path.broken:
                return "no_path"
        return "session" if self.node.sessions_table.has_session(route.key) else "no_session"

    # Outgoing

    cdef void packet_out(self, Packet *packet, uint64_t now) noexcept:
        cdef uint8_t *data = packet.data
        cdef const uint8_t *target = data + TARGET
        cdef Route route
        if (self.node is None or packet.size < IP_HEADER or packet.size > MAX_MTU or data[0] >> 4 != 6
                or not self._is_ours(data + SOURCE) or self._is_ours(target)
                or target[0] not in (ADDRESS_PREFIX, SUBNET_PREFIX)):
            self.dropped_outgoing += 1
            packet_free(packet)
            return
        self.node.catch_up(now)
        packet.ecn = ECT_0 if get_ecn(data) else NOT_ECT
        route = self._route_to(target)
        if route is None:
            self._wait(target, packet)
        else:
            if route.mark_until and packet.ecn:
                self._mark(route, packet)
            aging_touch(&self._routes, &route.aging, self.node.now)
            self.node.send_ipv6(route.key, packet)

    cdef void _mark(self, Route route, Packet *packet) noexcept:
        if self.node.now < route.mark_until:
            put_ecn(packet.data, CE)
            self.marked += 1
        route.mark_until = 0

    cdef void queue_builds_up(self, const uint8_t *key) noexcept:
        cdef PyObject *found = self._by_key.get(key)
        if found != NULL:
            (<Route>found).mark_until = self.node.now + MARK_LIFE

    cdef void find_way(self, const uint8_t *address, size_t wanted, Way *way) noexcept:
        cdef Route route = self._route_to(address)
        if route is None or self.node is None:
            free_way(way)
        else:
            self.node.pathfinder.find_way(route.key, wanted, way)

    cdef void want_turn(self) noexcept:
        if self.node is not None:
            self.node.want_turn()

    cdef void path_suspect(self, const uint8_t *address) noexcept:
        cdef Route route = self._route_to(address)
        if route is not None and self.node is not None:
            self.node.pathfinder.suspect(route.key)

    cdef void path_works(self, const uint8_t *address) noexcept:
        cdef Route route = self._route_to(address)
        if route is not None and self.node is not None:
            self.node.pathfinder.confirm(route.key)

    cdef void in_use(self, const uint8_t *address) noexcept:
        cdef Route route = self._route_to(address)
        if route is not None and self.node is not None:
            aging_touch(&self._routes, &route.aging, self.node.now)
            self.node.sessions_table.in_use(route.key)

    # Keep the packet for a destination whose key is unknown, and have it looked for.
    cdef void _wait(self, const uint8_t *target, Packet *packet) noexcept:
        cdef uint8_t destination[16]
        cdef uint8_t partial[32]
        cdef Waiting waiting
        cdef PyObject *found
        memcpy(destination, target, 16)
        if destination[0] == SUBNET_PREFIX:
            memset(destination + 8, 0, 8)
        found = self._waiting.get(destination)
        if found != NULL:
            waiting = <Waiting>found
            self.dropped_waiting += pending_expire(&self._account, &waiting.pending, self.node.now)
            aging_touch(&self._waits, &waiting.aging, self.node.now)
        else:
            waiting = Waiting.__new__(Waiting)
            memcpy(waiting.destination, destination, 16)
            self._waiting.put(destination, waiting)
            aging_add(&self._waits, &waiting.aging, <void *>waiting, self.node.now)
        while (self._waits.count > WAITING_LIMIT or pending_is_crowded(&self._account, &waiting.pending, packet)
                and self._waits.count > 1):
            self._drop_waiting(<Waiting>self._waits.oldest.owner)
        self.dropped_waiting += not pending_push(&self._account, &waiting.pending, packet, self.node.now)
        partial_key(destination, partial)
        self.node.seek(partial)

    # Send what waits for this destination (an address, or a subnet and eight zero bytes).
    cdef void _flush(self, Route route, const uint8_t *destination) noexcept:
        cdef PyObject *found = self._waiting.get(destination)
        cdef Waiting waiting
        cdef Packet *packet
        if found == NULL:
            return
        waiting = <Waiting>found
        self.dropped_waiting += pending_expire(&self._account, &waiting.pending, self.node.now)
        packet = pending_pop(&self._account, &waiting.pending)
        while packet != NULL:
            self.node.send_ipv6(route.key, packet)
            packet = pending_pop(&self._account, &waiting.pending)
        self._drop_waiting(waiting)

    cdef void _drop_waiting(self, Waiting waiting) noexcept:
        self.dropped_waiting += pending_clear(&self._account, &waiting.pending)
        aging_remove(&self._waits, &waiting.aging)
        self._waiting.discard(waiting.destination)

    # Incoming

    cdef void payload_in(self, const uint8_t *key, uint8_t *data, size_t size) noexcept:
        cdef Route route
        if size < IP_HEADER or data[0] >> 4 != 6 or not self._is_ours(data + TARGET):
            self.dropped_incoming += 1
            return
        route = self._learn(key)
        if not _belongs(data + SOURCE, route.address, route.subnet):
            self.dropped_incoming += 1
        elif size > self._mtu:
            self.too_big += 1
            self._packet_too_big(key, data, size)
        elif self.attached is None:
            self.dropped_incoming += 1
        else:
            self.upper.packet_in(data, size, self.node.now)

    cdef void _packet_too_big(self, const uint8_t *key, const uint8_t *data, size_t size) noexcept:
        # As the stack reports errors: at a limited rate, and nothing waits for it.
        cdef uint64_t origin = ygg_siphash(key, 32, self._secret)
        cdef Packet *packet
        cdef Way way
        self.node.pathfinder.find_way(key, 0, &way)
        if way.spare < MIN_MTU or not self._errors.take(origin, NULL, False, 1.0, self.node.now):
            self.icmp_limited += 1
            return
        packet = icmp_error(data, size, data + TARGET, ICMP_TOO_BIG, 0, <uint32_t>self._mtu, QUOTE)
        if packet != NULL:
            packet.data[7] = 255        # the hop limit
            self.packet_out(packet, self.node.now)

    cdef void path_in(self, const uint8_t *key) noexcept:
        cdef Route route = self._learn(key)
        self.path_found(route.address, route.subnet)

    cdef void links_changed(self) noexcept:
        self.path_found(NULL, NULL)

    cdef void session_renewed(self, const uint8_t *key) noexcept:
        cdef uint8_t address[16]
        cdef uint8_t subnet[8]
        key_address(key, address)
        key_subnet(key, subnet)
        self.peer_renewed(address, subnet)

    # Routes

    cdef bint _is_ours(self, const uint8_t *address) noexcept:
        return _belongs(address, self.address, self.subnet)

    cdef Route _route_to(self, const uint8_t *destination):
        cdef PyObject *found
        if destination[0] == SUBNET_PREFIX:
            found = self._by_subnet.get(destination)
        else:
            found = self._by_address.get(destination)
        return <Route>found if found != NULL else None

    # The route of a key, made when there is none: what waited for it is sent then.
    cdef Route _learn(self, const uint8_t *key):
        cdef PyObject *found = self._by_key.get(key)
        cdef uint8_t prefix[16]
        cdef Route route
        if found != NULL:
            route = <Route>found
            aging_touch(&self._routes, &route.aging, self.node.now)
            return route
        if self._routes.count >= ROUTE_LIMIT:
            self._forget(<Route>self._routes.oldest.owner)
        route = Route.__new__(Route)
        memcpy(route.key, key, 32)
        key_address(key, route.address)
        key_subnet(key, route.subnet)
        self._by_key.put(route.key, route)
        self._by_address.put(route.address, route)
        self._by_subnet.put(route.subnet, route)
        aging_add(&self._routes, &route.aging, <void *>route, self.node.now)
        memset(prefix, 0, 16)
        memcpy(prefix, route.subnet, 8)
        self._flush(route, route.address)
        self._flush(route, prefix)
        return route

    cdef void _forget(self, Route route) noexcept:
        cdef PyObject *me = <PyObject *>route
        aging_remove(&self._routes, &route.aging)
        # Another key may have taken over an address or a subnet that both yield.
        if self._by_address.get(route.address) == me:
            self._by_address.discard(route.address)
        if self._by_subnet.get(route.subnet) == me:
            self._by_subnet.discard(route.subnet)
        self._by_key.discard(route.key)

    cdef uint64_t expire(self, uint64_t now) noexcept:
        cdef uint64_t deadline = NEVER
        if self._ways_changed:
            self._ways_changed = False
            self.credit_in(0, now)
        while self._routes.count and now - self._routes.oldest.used >= LIFETIME:
            self._forget(<Route>self._routes.oldest.owner)
        while self._waits.count and now - self._waits.oldest.used >= PENDING_TIME:
            self._drop_waiting(<Waiting>self._waits.oldest.owner)
        if self._routes.count:
            deadline = self._routes.oldest.used + LIFETIME
        if self._waits.count:
            deadline = min(deadline, self._waits.oldest.used + PENDING_TIME)
        return deadline


cdef inline bint _belongs(const uint8_t *address, const uint8_t *node, const uint8_t *subnet) noexcept nogil:
    return memcmp(address, node, 16) == 0 or memcmp(address, subnet, 8) == 0
