"""Asks connections whose peer may have restarted, and hastens those to whom there is a way again; see renewal.pxd."""

from cpython.ref cimport PyObject

from ygg_c.base.clock cimport MS
from ygg_c.socket.endpoint cimport COUNT_NO_MEMORY, COUNT_RENEWALS_REFUSED, COUNT_TCP_PROBES
from ygg_c.tcp.rtt cimport rtt_is_long
from ygg_c.tcp.tcb cimport Tcb

cdef enum:
    MAX_PEERS = 256         # for one search
    SEARCHED = 2048         # connections looked at in one step
    ASKED = 16              # probes sent in one step

cdef uint64_t STEP = 5 * MS             # from one step to the next
cdef uint64_t PAUSE = 100 * MS          # from one search to the next


cdef class Renewed:
    """A peer that made a new session, or to whom there is a way again."""

    def __cinit__(self):
        self.connections = []


cdef class Peers:
    """Such peers, by their address and by their subnet."""

    def __cinit__(self, Random random not None):
        self.addresses = ByteMap(16, random.u64())
        self.subnets = ByteMap(8, random.u64())

    cdef Renewed of(self, const uint8_t *address):
        cdef PyObject *found = self.addresses.get(address)
        if found == NULL:
            found = self.subnets.get(address)
        return self.others if found == NULL else <Renewed>found

    cdef bint is_any(self) noexcept:
        return len(self.addresses) > 0 or self.others is not None


cdef class Renewals(Timed):
    """Asks the connections of such peers, in bounded steps."""

    def __cinit__(self, ByteMap connections not None, Random random not None):
        self._random = random
        self._connections = connections
        self._coming = Peers(self._random)
        self._sought = Peers(self._random)
        self._unsearched = []
        self._asking = []

    cdef void add(self, Host host, const uint8_t *address, const uint8_t *subnet, bint restarted) noexcept:
        cdef PyObject *found = self._coming.addresses.get(address)
        cdef Renewed peer
        if len(self._connections) == 0:
            return
        if found != NULL:
            (<Renewed>found).restarted |= restarted
            return
        if len(self._coming.addresses) >= MAX_PEERS:
            host.count[COUNT_RENEWALS_REFUSED] += 1
            return
        try:
            peer = Renewed()
            peer.restarted = restarted
            self._coming.addresses.put(address, peer)
            self._coming.subnets.put(subnet, peer)
        except MemoryError:
            host.count[COUNT_NO_MEMORY] += 1
            return
        self._note(host)

    cdef void add_all(self, Host host) noexcept:
        if len(self._connections) and self._coming.others is None:
            self._coming.others = Renewed()
            self._note(host)

    cdef void _note(self, Host host) noexcept:
        self.host = host
        self.due = min(self.due, max(host.now, self._pause_until))
        host.timers.note(self)

    cdef void clear(self) noexcept:
        if self.host is not None:
            self.host.timers.forget(self)
        self.host = None
        self._coming = Peers(self._random)
        self._unsearched.clear()
        self._asking.clear()

    cdef void fire(self, uint64_t now) noexcept:
        if not self._unsearched and self._coming.is_any() and now >= self._pause_until:
            self._sought, self._coming = self._coming, Peers(self._random)
            self._unsearched = self._connections.values()
            self._pause_until = now + PAUSE
        self._search()
        self._ask(now)
        if self._unsearched or self._asking:
            self.due = now + STEP
        elif self._coming.is_any():
            self.due = self._pause_until
        else:
            self.host = None

    cdef void _search(self) noexcept:
        cdef int left = SEARCHED
        cdef Tcb connection
        cdef Renewed peer
        while self._unsearched and left:
            left -= 1
            connection = <Tcb>self._unsearched.pop()
            peer = self._sought.of(connection.key)
            if peer is None or not (peer.restarted or rtt_is_long(&connection.sender.rtt)):
                continue
            if not peer.connections:
                self._asking.append(peer)
            peer.connections.append(connection)

    cdef void _ask(self, uint64_t now) noexcept:
        cdef int left = SEARCHED
        cdef int asked = 0
        cdef Tcb connection
        cdef Renewed peer
        while self._asking and left and asked < ASKED:
            left -= 1
            peer = <Renewed>self._asking.pop(0)
            connection = <Tcb>peer.connections.pop()
            if connection.host is None:
                pass
            elif not peer.restarted:
                asked += connection.hasten(now)
            elif connection.check(now):
                self.host.count[COUNT_TCP_PROBES] += 1
                asked += 1
            if peer.connections:
                self._asking.append(peer)
