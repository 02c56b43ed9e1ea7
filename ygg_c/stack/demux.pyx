"""The way of each packet: from the lower side to the endpoint that it is for, and back down.

Theory of operation
-------------------

A packet comes in whole and is read where it lies; it is not kept. Its length field must fit, its target must be one of
our prefixes, and its source must be none of them, for what we send to ourselves never leaves the stack. Extension
headers are walked only where the first header is none of TCP, UDP and ICMPv6. A fragment goes to the reassembler; the
datagram that it completes is demultiplexed once more, and may be no fragment then. The upper header decides:

    TCP     by both ends, as in `ygg_c/tcp/demux.pyx`: connection, then light connection, then listener
    UDP     the socket connected to that source, else the one bound to the target, else the one bound to any address
    ICMPv6  `icmp.pyx` answers echo requests; replies go to the ping that asked, an error to the endpoint that it quotes

An error is believed only of what a node may know: one about a TCP segment by the segment's numbers, any other if it is
from the node that the quoted packet was for. Errors and echo replies of our own are taken from budgets that all remote
nodes share fairly, and an error is not sent where the link has no room to spare: nothing waits for one.

What endpoints emit goes down to the lower side at once, but for packets to ourselves. Those wait in a queue and come in
during the flush at the end of the turn: a handler is thus never entered while one of its own packets is under way, and
two endpoints of one stack that talk to each other take turns. What they exchange in one turn is bounded; the rest has
another turn. The queue grants credit as a link does, and so the sender of much waits for its reader.

A turn: packets come in (packet_in), then the batch ends (batch_end), or a timer is due (run_due). Only the flush has
endpoints send and acknowledge what the whole batch has brought. Applications are told after that (wake).
"""

from cpython.ref cimport PyObject
from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy

from ygg_c.base.address cimport address_node
from ygg_c.base.checksum cimport sum_bytes, sum_fold, sum_pseudo
from ygg_c.base.clock cimport NEVER
from ygg_c.base.forks cimport generation
from ygg_c.base.live cimport LIVE_STACK, born, died
from ygg_c.base.packet cimport PacketQueue, packet_free, queue_init, queue_pop
from ygg_c.base.siphash cimport ygg_siphash
from ygg_c.base.turn cimport turn_close, turn_open
from ygg_c.ip.fragment cimport fragment
from ygg_c.ip.header cimport (
    IP_HEADER, NEXT_ICMPV6, NEXT_NONE, NEXT_TCP, NEXT_UDP, SOURCE, TARGET, WALK_FRAGMENT, WALK_PROBLEM, WALK_UPPER,
    Walk, get16, is_multicast, is_unspecified, walk,
)
from ygg_c.ip.icmp cimport CODE_NO_PORT, CODE_REASSEMBLY, ICMP_PROBLEM, ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE
from ygg_c.ip.layer cimport Way, free_way
from ygg_c.ip.reassembly cimport FRAGMENT_DROPPED, FRAGMENT_PROBLEM, FRAGMENT_WHOLE, Fragment
from ygg_c.socket.endpoint cimport (
    COUNT_BAD_CHECKSUM, COUNT_BAD_OPTION, COUNT_BYTES_IN, COUNT_BYTES_OUT, COUNT_CLOSED, COUNT_FRAGMENTS,
    COUNT_FRAGMENTS_DROPPED, COUNT_FRAGMENTS_SENT, COUNT_LOOP_DROPPED, COUNT_MALFORMED, COUNT_MARTIAN, COUNT_NO_LINK,
    COUNT_NO_MEMORY, COUNT_NOT_OURS, COUNT_PACKETS_IN, COUNT_PACKETS_OUT, COUNT_REASSEMBLY_EVICTED,
    COUNT_REASSEMBLY_TIMEOUTS, COUNT_UDP_IN, COUNT_UDP_NO_PORT, COUNT_UNKNOWN_PROTOCOL, Host,
)
from ygg_c.stack.udp cimport UDP_HEADER, UdpSocket
from ygg_c.tcp.state cimport ESTABLISHED, LAST_ACK
from ygg_c.tcp.tcb cimport Tcb

cdef enum:
    LOOP_PACKETS = 4096         # of those to ourselves handled in one turn

# In the place of a link's number.
cdef uint64_t OURSELVES = NEVER
cdef uint64_t NOWHERE = NEVER - 1               # nothing is attached


cdef bint _matches(const Prefix *prefix, const uint8_t *address) noexcept:
    cdef int whole = prefix.length >> 3
    cdef int rest = prefix.length & 7
    if memcmp(prefix.address, address, whole):
        return False
    return rest == 0 or (prefix.address[whole] ^ address[whole]) >> (8 - rest) == 0


cdef class Demux(TcpDemux):
    """What a stack does with packets."""

    def __cinit__(self):
        born(LIVE_STACK)
        self._loopback = Loopback()
        self._reassembler = Reassembler(self.memory)

    def __dealloc__(self):
        free(self._prefixes)
        died(LIVE_STACK)

    # Packets in.

    cdef bint ours(self, const uint8_t *address) noexcept:
        cdef int index
        for index in range(self._prefix_count):
            if _matches(&self._prefixes[index], address):
                return True
        return False

    cdef void packet_in(self, uint8_t *data, size_t size, uint64_t now) noexcept:
        cdef size_t length
        self.now = now
        turn_open(self.turns)
        self.count[COUNT_PACKETS_IN] += 1
        self.count[COUNT_BYTES_IN] += size
        if self.capture is not None:
            self.capture.add(data, size, False, now)
        if self.closed:
            self.count[COUNT_CLOSED] += 1
            return
        length = <size_t>get16(data + 4) + IP_HEADER if size >= IP_HEADER else 0
        if length > size or length == 0 or data[0] >> 4 != 6:
            self.count[COUNT_MALFORMED] += 1
        elif not self.ours(data + TARGET):
            self.count[COUNT_NOT_OURS] += 1
        elif is_multicast(data + SOURCE) or is_unspecified(data + SOURCE) or self.ours(data + SOURCE):
            self.count[COUNT_MARTIAN] += 1
        else:
            self._demux(data, length, False)

    cdef void _demux(self, uint8_t *data, size_t size, bint whole) noexcept:
        # `whole`: put together from fragments.
        cdef Chain chain
        cdef Walk result
        chain.next = data[6]
        chain.offset = IP_HEADER
        if chain.next != NEXT_TCP and chain.next != NEXT_UDP and chain.next != NEXT_ICMPV6:
            result = walk(data, size, &chain, True)
            if result == WALK_PROBLEM:
                self.count[COUNT_BAD_OPTION] += 1
                self._icmp.report(self, data, size, ICMP_PROBLEM, chain.code, <uint32_t>chain.pointer)
                return
            if result == WALK_FRAGMENT and not whole:
                self._fragment_in(data, size, &chain)
                return
            if result != WALK_UPPER:
                self.count[COUNT_MALFORMED] += 1
                return
        if chain.next == NEXT_TCP:
            self._tcp_in(data, chain.offset, size)
        elif chain.next == NEXT_UDP:
            self._udp_in(data, chain.offset, size)
        elif chain.next == NEXT_ICMPV6:
            self._icmp.message_in(self, data, chain.offset, size)
        else:
            self.count[COUNT_UNKNOWN_PROTOCOL] += 1
            if chain.next != NEXT_NONE:
                self._icmp.report(self, data, size, ICMP_PROBLEM, 1, <uint32_t>chain.next_field)

    cdef uint64_t origin(self, const uint8_t *address) noexcept:
        cdef uint64_t node = address_node(address)
        return ygg_siphash(<const uint8_t *>&node, 8, self._secret)

    cdef void _fragment_in(self, uint8_t *data, size_t size, Chain *chain) noexcept:
        cdef Fragment result
        cdef Packet *packet
        self.count[COUNT_FRAGMENTS] += 1
        result = self._reassembler.add(data, size, chain, self.origin(data + SOURCE), self.now)
        self.count[COUNT_REASSEMBLY_EVICTED] = self._reassembler.evicted
        self._reassembling = True
        if result == FRAGMENT_WHOLE:
            packet = self._reassembler.take()
            self._demux(packet.data, packet.size, True)
            packet_free(packet)
        elif result == FRAGMENT_PROBLEM:
            self._icmp.report(self, data, size, ICMP_PROBLEM, chain.code, <uint32_t>chain.pointer)
        elif result == FRAGMENT_DROPPED:
            self.count[COUNT_FRAGMENTS_DROPPED] += 1

    cdef void _udp_in(self, uint8_t *data, size_t offset, size_t size) noexcept:
        cdef uint8_t *udp = data + offset
        cdef size_t length = get16(udp + 4) if size - offset >= UDP_HEADER else 0
        cdef uint8_t key[36]
        cdef UdpSocket socket
        self.count[COUNT_UDP_IN] += 1
        if length < UDP_HEADER or length > size - offset or get16(udp + 6) == 0 or get16(udp + 2) == 0:
            self.count[COUNT_MALFORMED] += 1
            return
        if sum_fold(sum_bytes(udp, length, sum_pseudo(data + SOURCE, <uint32_t>length, NEXT_UDP))) != 0xffff:
            self.count[COUNT_BAD_CHECKSUM] += 1
            return
        memcpy(key, data + SOURCE, 32)
        memcpy(key + 32, udp, 4)
        socket = self._udp.find(key, data + TARGET, get16(udp + 2))
        if socket is not None:
            socket.deliver(data + SOURCE, get16(udp), udp + UDP_HEADER, length - UDP_HEADER)
            return
        self.count[COUNT_UDP_NO_PORT] += 1
        self._icmp.report(self, data, size, ICMP_UNREACHABLE, CODE_NO_PORT, 0)

    cdef size_t path_mtu(self, const uint8_t *address) noexcept:
        return self._paths.find(address, self.now)

    cdef void narrow_path(self, const uint8_t *address, size_t mtu) noexcept:
        self._paths.lower(address, mtu, self.now)

    cdef void widen_path(self, const uint8_t *address, size_t mtu) noexcept:
        self._paths.widen(address, mtu, self.now)

    # Packets out.

    cdef void emit(self, Packet *packet) noexcept:
        self.count[COUNT_PACKETS_OUT] += 1
        self.count[COUNT_BYTES_OUT] += packet.size
        if self.capture is not None:
            self.capture.add(packet.data, packet.size, True, self.now)
        if self.ours(packet.data + TARGET):
            self.count[COUNT_LOOP_DROPPED] += not self._loopback.add(packet)
        elif self.lower is None:
            self.count[COUNT_NO_LINK] += 1
            packet_free(packet)
        else:
            self.lower.packet_out(packet, self.now)
        self.want_turn()

    cdef void emit_within(self, Packet *packet, size_t mtu) noexcept:
        cdef PacketQueue pieces
        if packet.size <= mtu:
            self.emit(packet)
            return
        queue_init(&pieces)
        if not fragment(packet, mtu, <uint32_t>self.random.u64(), &pieces):
            self.count[COUNT_NO_MEMORY] += 1
        while pieces.count:
            self.count[COUNT_FRAGMENTS_SENT] += 1
            self.emit(queue_pop(&pieces))

    cdef void find_way(self, const uint8_t *address, size_t wanted, Way *way) noexcept:
        if self.ours(address):
            free_way(way)
            way.credit = way.spare = self._loopback.room()
            way.link = OURSELVES
        elif self.lower is None:
            Host.find_way(self, address, wanted, way)
            way.link = NOWHERE
        else:
            self.lower.find_way(address, wanted, way)

    cdef const uint8_t *default_address(self) noexcept:
        return self._prefixes[0].address

    # The turn. In each round of its node's (base/turn.pyx) the stack is flushed twice. batch_end() answers what has
    # come before any timer can run that this answer stops, here or in the links below. poll() runs the timers, and
    # flushes what they and those of the layers below have called for; where that is nothing, it costs nothing.

    cdef void _flush(self, uint64_t now) noexcept:
        cdef Packet *packet
        cdef int left = LOOP_PACKETS
        if self.made_in != generation:
            return
        self.now = now
        turn_open(self.turns)
        while True:
            self.flush_endpoints(now)
            if self._loopback.queue.count == 0 or left == 0:
                break
            while self._loopback.queue.count and left:
                packet = self._loopback.take()
                left -= 1
                self._demux(packet.data, packet.size, False)
                packet_free(packet)
            if self._loopback.queue.count == 0:
                self.serve(OURSELVES, now)
        turn_close(self.turns)
        if self._loopback.queue.count:
            self.want_turn()

    cdef void batch_end(self, uint64_t now) noexcept:
        self._flush(now)

    cdef void wake(self) noexcept:
        Host.wake(self)
        if self.capture is not None:
            self.capture.tell()

    cdef void peer_renewed(self, const uint8_t *address, const uint8_t *subnet) noexcept:
        self._renewals.add(self, address, subnet, True)
        self.want_turn()

    cdef void path_found(self, const uint8_t *address, const uint8_t *subnet) noexcept:
        if self._suspected_at == 0 or self.now - self._suspected_at > 2 * self.max_rto:
            return                      # nothing can wait for a timer that silence has made long
        if address == NULL:
            self._renewals.add_all(self)
        else:
            self._renewals.add(self, address, subnet, False)
        self.want_turn()

    cdef void credit_in(self, uint64_t link, uint64_t now) noexcept:
        self.now = now
        if link:
            self.serve(link, now)
        else:
            self.stop_waiting()
        self._flush(now)

    cdef void name_remotes(self) noexcept:
        cdef size_t place = 0
        cdef PyObject *found = self.by_ends.walk(&place)
        while found != NULL:
            # Those that are being opened have no peer there yet, those in TIME-WAIT nothing more to say.
            if ESTABLISHED <= (<Tcb>found).tcp_state <= LAST_ACK and self.lower is not None:
                self.lower.in_use((<Tcb>found).key)
            found = self.by_ends.walk(&place)

    cdef uint64_t run_due(self, uint64_t now) noexcept:
        cdef uint64_t deadline
        if self.made_in != generation:
            return NEVER
        self.now = now
        turn_open(self.turns)
        deadline = self.timers.run(now)
        if self._reassembling:
            self._expire_fragments()
        self._flush(now)
        deadline = self.timers.run(now)         # flushing has set some: the deadline is known only now
        if self._reassembling:
            deadline = min(deadline, self._reassembler.deadline())
        return deadline

    cdef void _expire_fragments(self) noexcept:
        cdef bint more = True
        cdef Packet *first
        while more:
            first = self._reassembler.expire(self.now, &more)
            self.count[COUNT_REASSEMBLY_TIMEOUTS] += more
            if first != NULL:
                self._icmp.report(self, first.data, first.size, ICMP_TIME_EXCEEDED, CODE_REASSEMBLY, 0)
                packet_free(first)
        self._reassembling = self._reassembler.deadline() != NEVER
