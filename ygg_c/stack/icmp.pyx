"""ICMPv6 of a stack; see icmp.pxd."""

from cpython.ref cimport PyObject
from libc.errno cimport EMSGSIZE

from ygg_c.base.address cimport address_node
from ygg_c.base.checksum cimport sum_bytes, sum_fold, sum_pseudo
from ygg_c.base.packet cimport Packet
from ygg_c.ip.fragment cimport wire_size
from ygg_c.ip.header cimport (
    IP_HEADER, MIN_MTU, NEXT_ICMPV6, NEXT_TCP, NEXT_UDP, SOURCE, TARGET, Chain, get16, get32, upper_header,
)
from ygg_c.ip.icmp cimport (
    ERROR_BURST, ERROR_RATE, ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, ICMP_HEADER, ICMP_TOO_BIG, QUOTE_MOST, icmp_echo,
    icmp_errno, icmp_error,
)
from ygg_c.socket.endpoint cimport (
    COUNT_BAD_CHECKSUM, COUNT_ECHO_LIMITED, COUNT_ICMP_IGNORED, COUNT_ICMP_IN, COUNT_ICMP_LIMITED, COUNT_MALFORMED,
    COUNT_NO_MEMORY,
)
from ygg_c.socket.ends cimport quoted_key
from ygg_c.stack.echo cimport EchoSocket
from ygg_c.stack.udp cimport UdpSocket
from ygg_c.tcp.icmp cimport error_in, too_big
from ygg_c.tcp.tcb cimport Tcb
from ygg_c.tcp.wire cimport Segment, parse_segment

cdef enum:
    ECHO_RATE = 5000            # echo replies a second, ECHO_BURST at once; a large one counts for several
    ECHO_BURST = 1000
    ECHO_SIZE = 4096


cdef class Icmp:
    """What a stack does with ICMPv6."""

    def __init__(self, ByteMap sockets not None, UdpTable udp not None, PathMtus paths not None):
        self.sockets = sockets
        self._udp = udp
        self._paths = paths
        self._errors = Budget(ERROR_RATE, ERROR_BURST)
        self._echoes = Budget(ECHO_RATE, ECHO_BURST)

    cdef void report(
        self, TcpDemux stack, const uint8_t *data, size_t size, uint8_t kind, uint8_t code, uint32_t parameter
    ) noexcept:
        cdef Packet *error
        if not stack.has_spare(data + SOURCE, MIN_MTU) or not self._errors.take(
            stack.origin(data + SOURCE), NULL, False, 1.0, stack.now
        ):
            stack.count[COUNT_ICMP_LIMITED] += 1
            return
        error = icmp_error(data, size, data + TARGET, kind, code, parameter, QUOTE_MOST)
        if error != NULL:
            stack.emit(error)

    cdef void message_in(self, TcpDemux stack, uint8_t *data, size_t offset, size_t size) noexcept:
        cdef uint8_t *message = data + offset
        cdef size_t length = size - offset
        cdef PyObject *found
        stack.count[COUNT_ICMP_IN] += 1
        if length < ICMP_HEADER:
            stack.count[COUNT_MALFORMED] += 1
            return
        if sum_fold(sum_bytes(message, length, sum_pseudo(data + SOURCE, <uint32_t>length, NEXT_ICMPV6))) != 0xffff:
            stack.count[COUNT_BAD_CHECKSUM] += 1
            return
        if message[0] < 128:
            if not self._error_in(stack, data + SOURCE, message, length):
                stack.count[COUNT_ICMP_IGNORED] += 1
        elif message[0] == ICMP_ECHO_REQUEST and message[1] == 0:
            self._echo_in(stack, data, message, length)
        elif message[0] == ICMP_ECHO_REPLY and message[1] == 0:
            found = self.sockets.get(message + 4)
            if found == NULL:
                stack.count[COUNT_ICMP_IGNORED] += 1
            else:
                (<EchoSocket>found).deliver(
                    data + SOURCE, get16(message + 6), 0, message + ICMP_HEADER, length - ICMP_HEADER
                )
        else:
            stack.count[COUNT_ICMP_IGNORED] += 1

    cdef bint _may_echo(self, TcpDemux stack, const uint8_t *address, size_t size, size_t mtu) noexcept:
        # Nothing waits for a reply either.
        cdef double cost = 1.0 + <double>size / ECHO_SIZE
        return stack.has_spare(address, wire_size(size, mtu)) and self._echoes.take(
            stack.origin(address), NULL, False, cost, stack.now
        )

    cdef void _echo_in(self, TcpDemux stack, uint8_t *data, uint8_t *message, size_t length) noexcept:
        cdef size_t mtu = stack.path_mtu(data + SOURCE)
        cdef Packet *reply
        if not self._may_echo(stack, data + SOURCE, IP_HEADER + length, mtu):
            stack.count[COUNT_ECHO_LIMITED] += 1
            return
        reply = icmp_echo(
            data + TARGET, data + SOURCE, ICMP_ECHO_REPLY, get16(message + 4), get16(message + 6),
            message + ICMP_HEADER, length - ICMP_HEADER,
        )
        if reply == NULL:
            stack.count[COUNT_NO_MEMORY] += 1
        else:
            stack.emit_within(reply, mtu)

    cdef bint _error_in(self, TcpDemux stack, const uint8_t *source, const uint8_t *message, size_t size) noexcept:
        cdef const uint8_t *quoted = message + ICMP_HEADER
        cdef size_t length = size - ICMP_HEADER
        cdef Chain chain
        if length < IP_HEADER or quoted[0] >> 4 != 6 or not stack.ours(quoted + SOURCE):
            return False
        if not upper_header(quoted, length, &chain) or length - chain.offset < 8:
            return False
        if chain.next == NEXT_TCP:
            return self._tcp_error(stack, message, quoted, chain.offset, length)
        # No sequence number proves that a datagram was sent. But the node that it was for may say what became of it:
        # others have no say.
        if address_node(source) != address_node(quoted + TARGET):
            return False
        if chain.next == NEXT_UDP:
            return self._udp_error(stack, message, quoted, chain.offset)
        if chain.next == NEXT_ICMPV6:
            return self._echo_error(stack, source, message, quoted, chain.offset)
        return False

    cdef bint _tcp_error(
        self, TcpDemux stack, const uint8_t *message, const uint8_t *quoted, size_t offset, size_t length
    ) noexcept:
        cdef uint8_t key[36]
        cdef uint32_t mtu = get32(message + 4)
        cdef Segment segment
        cdef PyObject *found
        cdef Tcb connection
        quoted_key(key, quoted, offset)
        found = stack.by_ends.get(key)
        if not parse_segment(<uint8_t *>quoted + offset, length - offset, &segment):
            return False
        if found == NULL:
            return stack.half_open_error(key, &segment, message[0], message[1])
        connection = <Tcb>found
        if message[0] != ICMP_TOO_BIG:
            return error_in(connection, &segment, message[0], message[1], stack.now)
        if get16(quoted + 4) + IP_HEADER <= max(mtu, <uint32_t>MIN_MTU) or not too_big(
            connection, &segment, mtu, stack.now
        ):
            return False
        self._paths.lower(key, mtu, stack.now)
        return True

    cdef bint _udp_error(self, TcpDemux stack, const uint8_t *message, const uint8_t *quoted, size_t offset) noexcept:
        cdef uint8_t key[36]
        cdef UdpSocket socket
        cdef bint hard
        cdef int code = icmp_errno(message[0], message[1], &hard)
        quoted_key(key, quoted, offset)
        socket = self._udp.find(key, quoted + SOURCE, get16(quoted + offset))
        if socket is None:
            return False
        if message[0] == ICMP_TOO_BIG:
            self._paths.lower(quoted + TARGET, get32(message + 4), stack.now)
            socket.failed(EMSGSIZE)     # it is lost, even where the next one is sent in fragments; as the kernel does
        elif hard:
            socket.failed(code)
        return True

    cdef bint _echo_error(
        self, TcpDemux stack, const uint8_t *source, const uint8_t *message, const uint8_t *quoted, size_t offset
    ) noexcept:
        cdef PyObject *found
        cdef bint large = message[0] == ICMP_TOO_BIG
        cdef bint hard
        cdef int code = EMSGSIZE if large else icmp_errno(message[0], message[1], &hard)
        cdef bint reply = quoted[offset] == ICMP_ECHO_REPLY
        found = self.sockets.get(quoted + offset + 4) if quoted[offset] == ICMP_ECHO_REQUEST else NULL
        if found == NULL and not (reply and large):
            return False
        if large:
            self._paths.lower(quoted + TARGET, get32(message + 4), stack.now)
        if found != NULL and (not large or (<EchoSocket>found).dont_fragment):
            (<EchoSocket>found).deliver(source, get16(quoted + offset + 6), code, NULL, 0)
        return True
