"""The stack as its user sees it: addresses, and what is bound to them."""

import errno

from libc.stdlib cimport realloc
from libc.string cimport memcpy, memset

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.clock cimport NEVER, Clock
from ygg_c.base.forks cimport check_fork
from ygg_c.ip.header cimport MIN_MTU, get16, is_multicast, is_unspecified, put16
from ygg_c.ip.memory cimport INBOUND, OUTBOUND
from ygg_c.ip.pathmtu cimport PathMtus
from ygg_c.socket.endpoint cimport COUNTERS, os_error
from ygg_c.socket.ends cimport bound_key, pair_key
from ygg_c.socket.remotenode cimport RemoteNode, RemoteNodes
from ygg_c.stack.echo cimport EchoSocket
from ygg_c.stack.icmp cimport Icmp
from ygg_c.stack.renewal cimport Renewals
from ygg_c.stack.udptable cimport UdpTable
from ygg_c.tcp.halfopen cimport HalfOpens
from ygg_c.tcp.light cimport LightTable
from ygg_c.tcp.lightnodes cimport LightNode, LightNodes
from ygg_c.tcp.listener cimport TcpListener
from ygg_c.tcp.options cimport TcpOptions
from ygg_c.tcp.timewait cimport TimeWaits

from ygg_c.socket.endpoint import COUNT_NAMES

cdef enum:
    FIRST_EPHEMERAL = 32768
    EPHEMERAL = 32768           # ports from there on (RFC 6056 takes a wide range)


cdef class NetStack(Demux):
    """TCP, UDP and ICMPv6 for one or more IPv6 addresses."""

    def __init__(self, addresses, size_t mtu=65535, Random random=None, Clock clock=None):
        if not MIN_MTU <= mtu <= 65535:
            raise ValueError(f"MTU must be {MIN_MTU} to 65535, not {mtu}")
        self.mtu = mtu
        self.random = Random() if random is None else random
        self.clock = Clock() if clock is None else clock
        self.random.fill(<uint8_t *>self._secret, sizeof(self._secret))
        self.random.fill(<uint8_t *>self._cookie_secret, sizeof(self._cookie_secret))
        # Their order is that in which connections are reset when the stack closes.
        self.by_ends, connected = ByteMap(36, self.random.u64()), ByteMap(36, self.random.u64())
        self._listeners, bound = ByteMap(18, self.random.u64()), ByteMap(18, self.random.u64())
        echo, self._paths = ByteMap(2, self.random.u64()), PathMtus(mtu, self.random.u64())
        self._udp = UdpTable(bound, connected)
        self._icmp = Icmp(echo, self._udp, self._paths)
        self._light = LightTable(self.random.u64(), self.random.u64())
        self._renewals = Renewals(self.by_ends, self.random)
        self._nodes = RemoteNodes(self.random.u64(), self.memory)
        self._half_open = HalfOpens(self._light, LightNodes(self._light), self._nodes)
        self._time_waits = TimeWaits(self._light, LightNodes(self._light))
        for address in addresses:
            if isinstance(address, tuple):
                self.add_address(*address)
            else:
                self.add_address(address)
        if self._prefix_count == 0:
            raise ValueError("a stack needs an address")

    cdef void lower_changed(self) noexcept:
        if self.lower is not None:
            self.down = False
        Demux.lower_changed(self)

    cdef void lower_ended(self) noexcept:
        cdef Endpoint endpoint
        self.down = True
        for endpoint in self.endpoints():
            endpoint.fail(errno.ENETDOWN, False)

    def turn(self, uint64_t now, uint64_t wall=0):
        """Run what is due while no lower side does; return the next deadline in ns, or None."""
        cdef uint64_t deadline
        check_fork(self.made_in)
        if self.lower is not None:
            return None
        deadline = self.run_due(now)
        self.wake()
        return None if deadline == NEVER else deadline

    def set_clock(self, uint64_t now):
        """Tell the time, without a turn, while no lower side does."""
        if self.lower is None and now > self.now:
            self.now = now

    def peer_made_session(self, bytes address not None, bytes subnet not None):
        """Tell that the node of an address and its /64 may have restarted."""
        if len(address) != 16 or len(subnet) != 8:
            raise ValueError("an address has 16 bytes, a subnet 8")
        self.peer_renewed(address, subnet)

    def suspect_path(self, bytes address not None):
        """Tell that nothing comes back from `address`."""
        if len(address) != 16:
            raise ValueError("an address has 16 bytes")
        self.suspect(address)

    cdef int _pick_port(self, uint8_t *key) except -1:
        # Set the local port in a connection's key so that it is in no use: random, then whatever is free (RFC 6056,
        # 3.3.2).
        cdef uint32_t start = <uint32_t>self.random.u64() % EPHEMERAL
        cdef uint32_t step
        cdef uint8_t bound[18]
        for step in range(EPHEMERAL):
            put16(key + 34, FIRST_EPHEMERAL + (start + step) % EPHEMERAL)
            memcpy(bound, key + 16, 16)
            memcpy(bound + 16, key + 34, 2)
            if (self.by_ends.get(key) != NULL or self._light.find(key) != NULL
                    or self._listeners.get(bound) != NULL):
                continue
            memset(bound, 0, 16)
            if self._listeners.get(bound) == NULL:
                return 0
        raise os_error(errno.EADDRNOTAVAIL)

    def _check_local(self, address):
        check_fork(self.made_in)
        if self.closed:
            raise os_error(errno.EBADF)
        if self.down:
            raise os_error(errno.ENETDOWN)
        if address is not None and (len(address) != 16 or not self.ours(address)):
            raise os_error(errno.EADDRNOTAVAIL)

    def _check_remote(self, bytes address not None, int port):
        if len(address) != 16 or not 0 < port < 65536:
            raise ValueError("a destination is 16 bytes and a port of 1 to 65535")
        if is_multicast(address) or is_unspecified(address):
            raise os_error(errno.ENETUNREACH)

    @property
    def addresses(self):
        cdef int index
        return [(self._prefixes[index].address[:16],
                 self._prefixes[index].length) for index in range(self._prefix_count)]

    def mtu_to(self, bytes address not None):
        """Return the size of the largest packet that the path to `address` takes, as far as is known."""
        if len(address) != 16:
            raise ValueError("an address has 16 bytes")
        return self.path_mtu(address)

    def add_address(self, bytes address not None, int prefix=128):
        """Serve one more address or subnet."""
        cdef Prefix *grown
        if len(address) != 16 or not 0 <= prefix <= 128 or address[0] == 0xff or not any(address):
            raise ValueError("an address is 16 bytes, neither multicast nor unspecified, a prefix 0 to 128 bits")
        grown = <Prefix *>realloc(self._prefixes, (self._prefix_count + 1) * sizeof(Prefix))
        if grown == NULL:
            raise MemoryError
        self._prefixes = grown
        memcpy(grown[self._prefix_count].address, <const char *>address, 16)
        grown[self._prefix_count].length = prefix
        self._prefix_count += 1

    def connect(
        self, bytes address not None, int port, bytes local_address=None, int local_port=0, TcpOptions options=None
    ):
        """Start a connection."""
        cdef uint8_t key[36]
        cdef TcpConnection connection
        cdef const uint8_t *source = self.default_address()
        self._check_local(local_address)
        self._check_remote(address, port)
        if not 0 <= local_port < 65536:
            raise ValueError("a port is 0 to 65535")
        if len(self.by_ends) >= self.max_connections:
            raise os_error(errno.ENOBUFS)
        if local_address is not None:
            source = <const uint8_t *><const char *>local_address
        pair_key(key, <const uint8_t *><const char *>address, source, port, local_port)
        if local_port == 0:
            self._pick_port(key)
        elif self.by_ends.get(key) != NULL or self._light.find(key) != NULL:
            raise os_error(errno.EADDRINUSE)
        connection = self._new_connection(key, self._first_number(key), self.options if options is None else options)
        connection.open()
        return connection

    def listen(self, bytes address, int port, int backlog=128, TcpOptions options=None):
        """Accept connections; None binds every address, port 0 picks one."""
        cdef TcpListener listener
        cdef uint8_t key[36]
        self._check_local(address)
        if not 0 <= port < 65536 or backlog < 1:
            raise ValueError("a port is 0 to 65535, a backlog at least 1")
        taken = {(<TcpListener>other).local for other in self._listeners.values()}
        own = bytes(16) if address is None else address
        if port == 0:
            port = self._free_port({other for _, other in taken})
        elif (own, port) in taken or (bytes(16), port) in taken or (address is None and port in {n for _, n in taken}):
            raise os_error(errno.EADDRINUSE)
        listener = TcpListener()
        memcpy(listener.local_address, <const char *><bytes>own, 16)
        listener.local_port = port
        listener.backlog = backlog
        listener.options = (self.options if options is None else options).copy()
        listener.half_opens = self._half_open
        listener.host = self
        listener.bound_in = self._listeners
        bound_key(key, listener.local_address, port)
        self._listeners.put(key, listener)
        return listener

    def _free_port(self, taken):
        cdef uint32_t start = <uint32_t>self.random.u64() % EPHEMERAL
        cdef uint32_t step, port
        for step in range(EPHEMERAL):
            port = FIRST_EPHEMERAL + (start + step) % EPHEMERAL
            if port not in taken:
                return port
        raise os_error(errno.EADDRNOTAVAIL)

    def udp(self, bytes address, int port, remote=None):
        """Bind a UDP socket; None binds every address, port 0 picks one."""
        cdef UdpSocket socket
        cdef bytes own = bytes(16) if address is None else address
        self._check_local(address)
        if not 0 <= port < 65536:
            raise ValueError("a port is 0 to 65535")
        if port == 0:
            port = self._free_port(self._udp.ports)
        socket = UdpSocket()
        socket.local_port = port
        if remote is not None:
            self._check_remote(*remote)
            if address is None:
                own = self.default_address()[:16]
            socket.connected = True
            memcpy(socket.remote_address, <const char *><bytes>remote[0], 16)
            socket.remote_port = remote[1]
        memcpy(socket.local_address, <const char *>own, 16)
        if not self._udp.add(socket):
            raise os_error(errno.EADDRINUSE)
        socket.host = self
        return socket

    def echo(self, bytes address=None):
        """Return a socket for echo requests from our `address`."""
        cdef EchoSocket socket
        cdef uint8_t key[2]
        cdef uint32_t start = <uint32_t>self.random.u64() & 0xffff
        cdef uint32_t step
        self._check_local(address)
        for step in range(65536):
            put16(key, (start + step) & 0xffff)
            if self._icmp.sockets.get(key) == NULL:
                break
        else:
            raise os_error(errno.EADDRNOTAVAIL)
        socket = EchoSocket()
        if address is not None:
            memcpy(socket.local_address, <const char *>address, 16)
        socket.local_port = get16(key)
        socket.bound_in = self._icmp.sockets
        self._icmp.sockets.put(key, socket)
        socket.host = self
        return socket

    def endpoints(self):
        """Return everything open now."""
        return [
            endpoint
            for sockets in (
                self._listeners.values(), self.by_ends.values(), self._udp.sockets(), self._icmp.sockets.values(),
            )
            for endpoint in sockets
        ]

    @property
    def max_buffered(self):
        return self.memory.limit

    @max_buffered.setter
    def max_buffered(self, size_t value):
        self.memory.set_limit(value)

    @property
    def buffered(self):
        return self.memory.held[INBOUND], self.memory.held[OUTBOUND]

    @property
    def memory_in_use(self):
        return self.memory.total

    def usage(self, bytes address not None):
        """Return what the node of an address has of this stack."""
        cdef RemoteNode node
        cdef LightNode *opening
        cdef size_t half_open
        if len(address) != 16:
            raise ValueError("an address has 16 bytes")
        node = self._nodes.find(address)
        opening = self._half_open.nodes.find(address)
        half_open = 0 if opening == NULL else opening.count
        return {
            "incoming": half_open + (0 if node is None else node.incoming), "half_open": half_open,
            "received": 0 if node is None else node.held[INBOUND], "queued": 0 if node is None else node.held[OUTBOUND],
            "memory": 0 if node is None else node.total(),
        }

    def counters(self):
        """Return what was counted since the start."""
        cdef int index
        return {COUNT_NAMES[index]: self.count[index] for index in range(COUNTERS)}

    def close(self):
        """Reset every connection, close every socket and let go of all."""
        for listener in self._listeners.values():
            listener.close()
        for connection in self.by_ends.values():
            connection.abort()
        for socket in (*self._udp.sockets(), *self._icmp.sockets.values()):
            socket.close()
        self._clear_light()
        self._reassembler.clear()
        # No turn may ever come.
        self.turns.dirty.clear()
        self._ready.clear()
        self._renewals.clear()
        self._loopback.clear()
        self.closed = True
