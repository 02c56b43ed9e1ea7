"""The way of each packet: from the lower side to the endpoint that it is for, and back down.

Theory of operation
-------------------

A packet comes in whole and is read where it lies; it is not kept. Its length field must fit, its target must be one of
our prefixes, and its source must be none of them, for what we send to ourselves never leaves the stack. Extension
headers are walked only where the first header is none of TCP, UDP and ICMPv6. A fragment goes to the reassembler; the
datagram that it completes is demultiplexed once more, and may be no fragment then. The upper header decides:

    TCP     by both ends, as in `ygg_c/tcp/demux.pyx`: connection, then light connection, then listener
    UDP     the socket connected to that source, else the one bound to the target, else the one bound to any address
    ICMPv6  echo requests are answered here, replies go to the ping that asked, an error to the endpoint that it quotes

An error is believed only of what a node may know: one about a TCP segment by the segment's numbers, any other if it is
from the node that the quoted packet was for. Errors and echo replies of our own are taken from budgets that all remote
nodes share fairly, and an error is not sent where the link has no room to spare: nothing waits for one.

What endpoints emit goes down to the lower side at once, but for packets to ourselves. Those wait in a queue and come in
during the flush at the end of the turn: a handler is thus never entered while one of its own packets is under way, and
two endpoints of one stack that talk to each other take turns. What they exchange in one turn is bounded; the rest has
another turn. The queue grants credit as a link does, and so the sender of much waits for its reader.

A turn: packets come in (packet_in), then the batch ends (batch_end), or a timer is due (poll). Only the flush has
endpoints send and acknowledge what the whole batch has brought. Applications are told after that (wake).
"""

from cpython.ref cimport PyObject
from libc.errno cimport EMSGSIZE
from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy, memset

from ygg_c.base.clock cimport NEVER
from ygg_c.base.address cimport address_node
from ygg_c.base.packet cimport packet_free, queue_clear, queue_init, queue_pop, queue_push
from ygg_c.base.live cimport LIVE_STACK, born, died
from ygg_c.base.checksum cimport sum_bytes, sum_fold, sum_pseudo
from ygg_c.base.turn cimport turn_close, turn_open
from ygg_c.socket.endpoint cimport (
    COUNT_BAD_CHECKSUM, COUNT_BAD_OPTION, COUNT_BYTES_IN, COUNT_BYTES_OUT, COUNT_CLOSED, COUNT_ECHO_LIMITED,
    COUNT_FRAGMENTS, COUNT_FRAGMENTS_DROPPED, COUNT_FRAGMENTS_SENT, COUNT_ICMP_IGNORED, COUNT_ICMP_IN,
    COUNT_ICMP_LIMITED, COUNT_LOOP_DROPPED, COUNT_MALFORMED, COUNT_MARTIAN, COUNT_NO_LINK, COUNT_NO_MEMORY,
    COUNT_NOT_OURS, COUNT_PACKETS_IN, COUNT_PACKETS_OUT, COUNT_REASSEMBLY_EVICTED, COUNT_REASSEMBLY_TIMEOUTS,
    COUNT_UDP_IN, COUNT_UDP_NO_PORT, COUNT_UNKNOWN_PROTOCOL, Host,
)
from ygg_c.base.forks cimport generation
from ygg_c.ip.fragment cimport fragment, wire_size
from ygg_c.ip.icmp cimport (
    CODE_NO_PORT, CODE_REASSEMBLY, ERROR_BURST, ERROR_RATE, ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, ICMP_HEADER,
    ICMP_PROBLEM, ICMP_TIME_EXCEEDED, ICMP_TOO_BIG, ICMP_UNREACHABLE, QUOTE_MOST, icmp_echo, icmp_errno, icmp_error,
)
from ygg_c.ip.header cimport (
    IP_HEADER, MIN_MTU, NEXT_ICMPV6, NEXT_NONE, NEXT_TCP, NEXT_UDP, SOURCE, TARGET, WALK_FRAGMENT,
    WALK_PROBLEM, WALK_UPPER, Walk, get16, get32, is_multicast, is_unspecified, upper_header, walk,
)
from ygg_c.ip.layer cimport Way, free_way
from ygg_c.ip.reassembly cimport FRAGMENT_DROPPED, FRAGMENT_PROBLEM, FRAGMENT_WHOLE, Fragment
from ygg_c.base.siphash cimport ygg_siphash
from ygg_c.tcp.connection cimport TcpConnection
from ygg_c.tcp.icmp cimport error_in, too_big
from ygg_c.tcp.state cimport ESTABLISHED, LAST_ACK
from ygg_c.tcp.wire cimport Segment, parse_segment
from ygg_c.stack.udp cimport UDP_HEADER, EchoSocket

cdef enum:
    LOOP_BYTES = 4194304        # queued to ourselves
    LOOP_PACKETS = 4096         # of them handled in one turn
    ECHO_RATE = 5000            # echo replies a second, ECHO_BURST at once; a large one counts for several
    ECHO_BURST = 1000
    ECHO_SIZE = 4096

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
        queue_init(&self._loop)
        self._reassembler = Reassembler(self.memory)
        self._errors = Budget(ERROR_RATE, ERROR_BURST)
        self._echoes = Budget(ECHO_RATE, ECHO_BURST)

    def __dealloc__(self):
        queue_clear(&self._loop)
        free(self._prefixes)
        died(LIVE_STACK)

    # Packets in.

    cdef bint _ours(self, const uint8_t *address) noexcept:
        cdef int index
        for index in range(self._prefix_count):
            if _matches(&self._prefixes[index], address):
                return True
        return False

    cdef void packet_in(self, uint8_t *data, size_t size, uint64_t now) noexcept:
        cdef size_t length
        self._now = now
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
        elif not self._ours(data + TARGET):
            self.count[COUNT_NOT_OURS] += 1
        elif is_multicast(data + SOURCE) or is_unspecified(data + SOURCE) or self._ours(data + SOURCE):
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
                self._report(data, size, ICMP_PROBLEM, chain.code, <uint32_t>chain.pointer)
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
            self._icmp_in(data, chain.offset, size)
        else:
            self.count[COUNT_UNKNOWN_PROTOCOL] += 1
            if chain.next != NEXT_NONE:
                self._report(data, size, ICMP_PROBLEM, 1, <uint32_t>chain.next_field)

    cdef uint64_t origin(self, const uint8_t *address) noexcept:
        cdef uint64_t node = address_node(address)
        return ygg_siphash(<const uint8_t *>&node, 8, self._secret)

    cdef void _fragment_in(self, uint8_t *data, size_t size, Chain *chain) noexcept:
        cdef Fragment result
        cdef Packet *packet
        self.count[COUNT_FRAGMENTS] += 1
        result = self._reassembler.add(data, size, chain, self.origin(data + SOURCE), self._now)
        self.count[COUNT_REASSEMBLY_EVICTED] = self._reassembler.evicted
        self._reassembling = True
        if result == FRAGMENT_WHOLE:
            packet = self._reassembler.take()
            self._demux(packet.data, packet.size, True)
            packet_free(packet)
        elif result == FRAGMENT_PROBLEM:
            self._report(data, size, ICMP_PROBLEM, chain.code, <uint32_t>chain.pointer)
        elif result == FRAGMENT_DROPPED:
            self.count[COUNT_FRAGMENTS_DROPPED] += 1

    cdef void _report(self, const uint8_t *data, size_t size, uint8_t kind, uint8_t code, uint32_t parameter) noexcept:
        # Send an ICMPv6 error if the rate and the link allow one; nothing waits for it.
        cdef Packet *error
        if not self.has_spare(data + SOURCE, MIN_MTU) or not self._errors.take(
            self.origin(data + SOURCE), NULL, False, 1.0, self._now
        ):
            self.count[COUNT_ICMP_LIMITED] += 1
            return
        error = icmp_error(data, size, data + TARGET, kind, code, parameter, QUOTE_MOST)
        if error != NULL:
            self.emit(error)

    # UDP.

    cdef UdpSocket _udp_socket(self, const uint8_t *key, const uint8_t *target, uint16_t port):
        # The socket for a datagram whose ends are `key`, as a connection's: connected, bound, wildcard.
        cdef uint8_t bound[18]
        cdef PyObject *found = self._udp_connected.get(key)
        if found == NULL:
            memcpy(bound, target, 16)
            memcpy(bound + 16, key + 34, 2)
            found = self._udp.get(bound)
        if found == NULL:
            memset(bound, 0, 16)
            found = self._udp.get(bound)
        return None if found == NULL else <UdpSocket>found

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
        socket = self._udp_socket(key, data + TARGET, get16(udp + 2))
        if socket is not None:
            socket.deliver(data + SOURCE, get16(udp), udp + UDP_HEADER, length - UDP_HEADER)
            return
        self.count[COUNT_UDP_NO_PORT] += 1
        self._report(data, size, ICMP_UNREACHABLE, CODE_NO_PORT, 0)

    # ICMPv6.

    cdef void _icmp_in(self, uint8_t *data, size_t offset, size_t size) noexcept:
        cdef uint8_t *message = data + offset
        cdef size_t length = size - offset
        cdef PyObject *found
        self.count[COUNT_ICMP_IN] += 1
        if length < ICMP_HEADER:
            self.count[COUNT_MALFORMED] += 1
            return
        if sum_fold(sum_bytes(message, length, sum_pseudo(data + SOURCE, <uint32_t>length, NEXT_ICMPV6))) != 0xffff:
            self.count[COUNT_BAD_CHECKSUM] += 1
            return
        if message[0] < 128:
            self._icmp_error_in(data, offset, size)
        elif message[0] == ICMP_ECHO_REQUEST and message[1] == 0:
            self._echo_in(data, message, length)
        elif message[0] == ICMP_ECHO_REPLY and message[1] == 0:
            found = self._echo.get(message + 4)
            if found == NULL:
                self.count[COUNT_ICMP_IGNORED] += 1
            else:
                (<EchoSocket>found).deliver(
                    data + SOURCE, get16(message + 6), 0, message + ICMP_HEADER, length - ICMP_HEADER
                )
        else:
            self.count[COUNT_ICMP_IGNORED] += 1

    cdef bint _may_echo(self, const uint8_t *address, size_t size, size_t mtu) noexcept:
        # Nothing waits for a reply either.
        cdef double cost = 1.0 + <double>size / ECHO_SIZE
        return self.has_spare(address, wire_size(size, mtu)) and self._echoes.take(
            self.origin(address), NULL, False, cost, self._now
        )

    cdef void _echo_in(self, uint8_t *data, uint8_t *message, size_t length) noexcept:
        cdef size_t mtu = self.path_mtu(data + SOURCE)
        cdef Packet *reply
        if not self._may_echo(data + SOURCE, IP_HEADER + length, mtu):
            self.count[COUNT_ECHO_LIMITED] += 1
            return
        reply = icmp_echo(
            data + TARGET, data + SOURCE, ICMP_ECHO_REPLY, get16(message + 4), get16(message + 6),
            message + ICMP_HEADER, length - ICMP_HEADER,
        )
        if reply == NULL:
            self.count[COUNT_NO_MEMORY] += 1
        else:
            self.emit_within(reply, mtu)

    cdef void _icmp_error_in(self, uint8_t *data, size_t offset, size_t size) noexcept:
        if not self._error_taken(data + SOURCE, data + offset, size - offset):
            self.count[COUNT_ICMP_IGNORED] += 1

    cdef bint _error_taken(self, const uint8_t *source, const uint8_t *message, size_t size) noexcept:
        # Give an error to the socket whose packet it quotes; False where it quotes nothing of ours, or is not believed.
        cdef const uint8_t *quoted = message + ICMP_HEADER
        cdef size_t length = size - ICMP_HEADER
        cdef Chain chain
        if length < IP_HEADER or quoted[0] >> 4 != 6 or not self._ours(quoted + SOURCE):
            return False
        if not upper_header(quoted, length, &chain) or length - chain.offset < 8:
            return False
        if chain.next == NEXT_TCP:
            return self._tcp_error(message, quoted, chain.offset, length)
        # No sequence number proves that a datagram was sent. But the node that it was for may say what became of it:
        # others have no say.
        if address_node(source) != address_node(quoted + TARGET):
            return False
        if chain.next == NEXT_UDP:
            return self._udp_error(message, quoted, chain.offset)
        if chain.next == NEXT_ICMPV6:
            return self._echo_error(source, message, quoted, chain.offset)
        return False

    cdef bint _tcp_error(
        self, const uint8_t *message, const uint8_t *quoted, size_t offset, size_t length
    ) noexcept:
        cdef uint8_t key[36]
        cdef uint32_t mtu = get32(message + 4)
        cdef Segment segment
        cdef PyObject *found
        cdef TcpConnection connection
        _quoted_key(key, quoted, offset)
        found = self._connections.get(key)
        if not parse_segment(<uint8_t *>quoted + offset, length - offset, &segment):
            return False
        if found == NULL:
            return self._half_open_error(key, &segment, message[0], message[1])
        connection = <TcpConnection>found
        if message[0] != ICMP_TOO_BIG:
            return error_in(connection, &segment, message[0], message[1], self._now)
        if get16(quoted + 4) + IP_HEADER <= max(mtu, <uint32_t>MIN_MTU) or not too_big(
            connection, &segment, mtu, self._now
        ):
            return False
        self._paths.lower(key, mtu, self._now)
        return True

    cdef bint _udp_error(self, const uint8_t *message, const uint8_t *quoted, size_t offset) noexcept:
        cdef uint8_t key[36]
        cdef UdpSocket socket
        cdef bint hard
        cdef int code = icmp_errno(message[0], message[1], &hard)
        _quoted_key(key, quoted, offset)
        socket = self._udp_socket(key, quoted + SOURCE, get16(quoted + offset))
        if socket is None:
            return False
        if message[0] == ICMP_TOO_BIG:
            self._paths.lower(quoted + TARGET, get32(message + 4), self._now)
            socket.failed(EMSGSIZE)     # it is lost, even where the next one is sent in fragments; as the kernel does
        elif hard:
            socket.failed(code)
        return True

    cdef bint _echo_error(
        self, const uint8_t *source, const uint8_t *message, const uint8_t *quoted, size_t offset
    ) noexcept:
        cdef PyObject *found
        cdef bint large = message[0] == ICMP_TOO_BIG
        cdef bint hard
        cdef int code = EMSGSIZE if large else icmp_errno(message[0], message[1], &hard)
        cdef bint reply = quoted[offset] == ICMP_ECHO_REPLY
        found = self._echo.get(quoted + offset + 4) if quoted[offset] == ICMP_ECHO_REQUEST else NULL
        if found == NULL and not (reply and large):
            return False
        if large:
            self._paths.lower(quoted + TARGET, get32(message + 4), self._now)
        if found != NULL and (not large or (<EchoSocket>found).dont_fragment):
            (<EchoSocket>found).deliver(source, get16(quoted + offset + 6), code, NULL, 0)
        return True

    cdef size_t path_mtu(self, const uint8_t *address) noexcept:
        return self._paths.find(address, self._now)

    cdef void narrow_path(self, const uint8_t *address, size_t mtu) noexcept:
        self._paths.lower(address, mtu, self._now)

    cdef void widen_path(self, const uint8_t *address, size_t mtu) noexcept:
        self._paths.widen(address, mtu, self._now)

    # Packets out.

    cdef void emit(self, Packet *packet) noexcept:
        self.count[COUNT_PACKETS_OUT] += 1
        self.count[COUNT_BYTES_OUT] += packet.size
        if self.capture is not None:
            self.capture.add(packet.data, packet.size, True, self._now)
        if self._ours(packet.data + TARGET):
            if self._loop.bytes > LOOP_BYTES:
                self.count[COUNT_LOOP_DROPPED] += 1
                packet_free(packet)
            else:
                queue_push(&self._loop, packet)
        elif self.lower is None:
            self.count[COUNT_NO_LINK] += 1
            packet_free(packet)
        else:
            self.lower.packet_out(packet, self._now)
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
        if self._ours(address):
            free_way(way)
            way.credit = way.spare = LOOP_BYTES - min(self._loop.bytes, <size_t>LOOP_BYTES)
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
        self._now = now
        turn_open(self.turns)
        while True:
            self.flush_endpoints(now)
            if self._loop.count == 0 or left == 0:
                break
            while self._loop.count and left:
                packet = queue_pop(&self._loop)
                left -= 1
                self._demux(packet.data, packet.size, False)
                packet_free(packet)
            if self._loop.count == 0:
                self.serve(OURSELVES, now)
        turn_close(self.turns)
        if self._loop.count:
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
        if self._suspected_at == 0 or self._now - self._suspected_at > 2 * self.max_rto:
            return                      # nothing can wait for a timer that silence has made long
        if address == NULL:
            self._renewals.add_all(self)
        else:
            self._renewals.add(self, address, subnet, False)
        self.want_turn()

    cdef void credit_in(self, uint64_t link, uint64_t now) noexcept:
        self._now = now
        if link:
            self.serve(link, now)
        else:
            self.stop_waiting()
        self._flush(now)

    cdef void name_remotes(self) noexcept:
        cdef size_t place = 0
        cdef PyObject *found = self._connections.walk(&place)
        while found != NULL:
            # Those that are being opened have no peer there yet, those in TIME-WAIT nothing more to say.
            if ESTABLISHED <= (<TcpConnection>found)._state <= LAST_ACK and self.lower is not None:
                self.lower.in_use((<TcpConnection>found).key)
            found = self._connections.walk(&place)

    cdef uint64_t run_due(self, uint64_t now) noexcept:
        cdef uint64_t deadline
        if self.made_in != generation:
            return NEVER
        self._now = now
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
            first = self._reassembler.expire(self._now, &more)
            self.count[COUNT_REASSEMBLY_TIMEOUTS] += more
            if first != NULL:
                self._report(first.data, first.size, ICMP_TIME_EXCEEDED, CODE_REASSEMBLY, 0)
                packet_free(first)
        self._reassembling = self._reassembler.deadline() != NEVER


cdef void _quoted_key(uint8_t *key, const uint8_t *quoted, size_t offset) noexcept:
    # As one of the peer's packets would be looked up: its address and port first.
    memcpy(key, quoted + TARGET, 16)
    memcpy(key + 16, quoted + SOURCE, 16)
    memcpy(key + 32, quoted + offset + 2, 2)
    memcpy(key + 34, quoted + offset, 2)
