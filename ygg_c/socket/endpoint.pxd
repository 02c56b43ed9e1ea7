# What every socket of the stack has in common, and what it asks of the stack.
#
# An endpoint touches the world in three ways only: `flush` sends what it may, once for each turn in which it was marked
# dirty; `fire` runs its timer; `events` gather and are told after the batch. So no handler of a packet ever re-enters
# another, and the application is never called from inside one.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.clock cimport SECOND, Clock
from ygg_c.base.packet cimport Packet
from ygg_c.base.sodium cimport Random
from ygg_c.base.timers cimport TimerHeap
from ygg_c.base.turn cimport Turn
from ygg_c.ip.layer cimport Upper, Way
from ygg_c.ip.memory cimport Memory
from ygg_c.socket.flows cimport Flow, FlowQueue
from ygg_c.socket.remotenode cimport RemoteNode

cdef enum:
    EVENT_READABLE = 1
    EVENT_WRITABLE = 2
    EVENT_CONNECTED = 4
    EVENT_EOF = 8
    EVENT_FAILED = 16
    EVENT_CLOSED = 32
    EVENT_DRAINED = 64

# Every way a packet can end, counted by the host.
cdef enum:
    COUNT_PACKETS_IN = 0
    COUNT_BYTES_IN
    COUNT_PACKETS_OUT
    COUNT_BYTES_OUT
    COUNT_NO_LINK
    COUNT_NO_MEMORY
    COUNT_MALFORMED
    COUNT_NOT_OURS
    COUNT_MARTIAN
    COUNT_BAD_CHECKSUM
    COUNT_BAD_OPTION
    COUNT_FRAGMENTS
    COUNT_FRAGMENTS_DROPPED
    COUNT_LOOP_DROPPED
    COUNT_ICMP_IN
    COUNT_ICMP_LIMITED
    COUNT_ICMP_IGNORED
    COUNT_UDP_IN
    COUNT_UDP_NO_PORT
    COUNT_UDP_FULL
    COUNT_ECHO_FULL
    COUNT_TCP_IN
    COUNT_TCP_NO_PORT
    COUNT_TCP_UNACCEPTABLE
    COUNT_TCP_OUT_OF_ORDER
    COUNT_TCP_BEYOND_WINDOW
    COUNT_TCP_RETRANSMITS
    COUNT_TCP_TIMEOUTS
    COUNT_TCP_RESETS_SENT
    COUNT_TCP_RESETS_IN
    COUNT_TCP_CHALLENGES
    COUNT_TCP_PAWS
    COUNT_SYN_QUEUE_FULL
    COUNT_ACCEPT_QUEUE_FULL
    COUNT_TIME_WAIT_EVICTED
    COUNT_CLOSED
    COUNT_UNKNOWN_PROTOCOL
    COUNT_FRAGMENTS_SENT
    COUNT_REASSEMBLY_EVICTED
    COUNT_REASSEMBLY_TIMEOUTS
    COUNT_ECHO_LIMITED
    COUNT_TCP_IGNORED
    COUNT_TCP_NO_ROOM
    COUNT_TCP_RESETS_LIMITED
    COUNT_TCP_ANSWERS_LIMITED
    COUNT_TCP_PROBES
    COUNT_RENEWALS_REFUSED
    COUNT_TCP_NO_BUFFER
    COUNT_TCP_NODE_FULL
    COUNT_TCP_STACK_FULL
    COUNT_TCP_NO_TRANSITION
    COUNT_TCP_IDLE_EVICTED
    COUNT_TCP_OPENING_TIMEOUTS
    COUNT_TCP_COOKIES_SENT
    COUNT_TCP_COOKIES_TAKEN
    COUNT_TCP_COOKIES_WRONG
    COUNT_TCP_CE_IN
    COUNT_TCP_ECE_IN
    COUNT_TCP_ECN_REDUCTIONS
    COUNT_TCP_RENEGED
    COUNT_TCP_MEMORY_EVICTED
    COUNT_TCP_ORPHANS_EVICTED
    COUNT_TCP_ORPHAN_TIMEOUTS
    COUNT_UDP_NO_BUFFER
    COUNTERS

cdef extern from *:
    """
    #define YGG_TELL_AFTER (10 * YGG_SECOND)
    """
    const uint64_t TELL_AFTER "YGG_TELL_AFTER"      # ns from one `works` to an endpoint's next

# An OSError with this errno and its text.
cdef object os_error(int code)

cdef class Host(Upper):
    cdef uint64_t made_in               # generation of ygg_c.base.forks: the process it belongs to
    cdef readonly uint64_t now          # the latest time given to us, ns
    cdef readonly size_t mtu
    cdef readonly Random random
    cdef readonly Clock clock
    cdef TimerHeap timers
    cdef Memory memory
    cdef uint64_t count[COUNTERS]
    # What connections may do; stack/netstack.pyi says what each means. Times are ns, sizes bytes.
    cdef public uint64_t min_rto
    cdef public uint64_t max_rto
    cdef public uint64_t delayed_ack
    cdef public uint64_t time_wait
    cdef public uint64_t fin_wait
    cdef public int retries
    cdef public int syn_retries
    cdef public int syn_ack_retries
    cdef public int syn_queue
    cdef public int syn_cookies
    cdef public int ecn                 # EcnUse of ygg_c.tcp.ecn
    cdef public size_t receive_buffer
    cdef public size_t receive_buffer_max
    cdef public size_t send_buffer
    cdef public size_t send_buffer_max
    cdef public size_t max_time_wait
    cdef public size_t max_orphans
    cdef public uint64_t orphan_time
    cdef public int orphan_retries
    cdef public size_t max_connections
    cdef public size_t max_connections_per_node
    cdef public uint64_t keepalive_idle
    cdef public uint64_t keepalive_interval
    cdef public int keepalive_count
    cdef list _ready                    # to tell at its end
    cdef list _waiting                  # FlowQueues: who waits for which link
    cdef Endpoint _served               # the one whose turn it is, and bytes_out at its beginning
    cdef uint64_t _served_from
    cdef bint _link_full                # it has found the link full
    cdef public object on_work          # asks for turns where no lower side gives any; None: none is asked for
    cdef Turn turns                     # open while a batch is handled; dirty are endpoints
    cdef uint64_t _suspected_at         # when silence was last told, ns; 0: never
    # Services to endpoints.
    cdef void emit(self, Packet *packet) noexcept               # an IPv6 packet; takes ownership
    # The same, in fragments where it is larger than `mtu`.
    cdef void emit_within(self, Packet *packet, size_t mtu) noexcept
    # Bytes that an endpoint may send there now, which wants to send `size`; 0: it waits, and is flushed when its turn
    # comes.
    cdef size_t credit_for(self, Endpoint endpoint, const uint8_t *address, size_t size) noexcept
    # Bytes worth sending there at once, and in one packet.
    cdef size_t burst_to(self, const uint8_t *address) noexcept
    # It has waited for a full link, as others do, and now is when it may send.
    cdef bint has_turn(self, Endpoint endpoint) noexcept
    # Whether there is room for what is never held back while little waits: echoes, replies and errors.
    cdef bint has_spare(self, const uint8_t *address, size_t size) noexcept
    cdef void suspect(self, const uint8_t *address) noexcept    # nothing comes back from there
    cdef void works(self, const uint8_t *address) noexcept      # what was sent there is answered; now and then
    cdef size_t path_mtu(self, const uint8_t *address) noexcept
    cdef void narrow_path(self, const uint8_t *address, size_t mtu) noexcept    # larger packets vanish
    cdef void widen_path(self, const uint8_t *address, size_t mtu) noexcept     # one of that size has passed
    cdef const uint8_t *default_address(self) noexcept          # the source where none was chosen
    # When to probe the connections that strangers have opened, as things stand; `idle` 0: never.
    cdef void keep_strangers(self, uint64_t *idle, uint64_t *interval, int *count) noexcept
    # What the two ends of a connection (its key) share with no other: its flow label and the offset of its timestamps.
    cdef uint64_t secret_of(self, const uint8_t *key) noexcept
    # A connection leaves for TIME-WAIT: what a segment of it would say (numbers, window, the peer's timestamp and when
    # it came). False: no memory, it is closed.
    cdef bint enter_time_wait(
        self, Endpoint endpoint, uint32_t seq, uint32_t ack, uint16_t window, uint32_t stamp, uint64_t stamped_at
    ) noexcept
    # The node that an address belongs to, as a number that strangers cannot choose.
    cdef uint64_t origin(self, const uint8_t *address) noexcept
    # Memory is short, and a connection with this node needs more: others give back theirs.
    cdef void relieve(self, RemoteNode asking, size_t size, bint in_order) noexcept
    cdef void limit_orphans(self, RemoteNode last) noexcept     # the application gave up one more
    cdef void mark(self, Endpoint endpoint) noexcept
    # Of links, and of what stands for one: nothing is attached, or a packet is for ourselves.
    cdef void find_way(self, const uint8_t *address, size_t wanted, Way *way) noexcept
    cdef void serve(self, uint64_t link, uint64_t now) noexcept     # this link has room
    # no link that anyone waits for can tell of room any more
    cdef void stop_waiting(self) noexcept
    cdef FlowQueue _queue_of(self, uint64_t link)
    cdef size_t _left(self, Endpoint endpoint) noexcept
    cdef bint _is_first(self, Endpoint endpoint, const Way *way, size_t size) noexcept
    cdef void _serve(self, FlowQueue queue, Endpoint endpoint, uint64_t now) noexcept
    cdef void announce(self, Endpoint endpoint) noexcept
    cdef void want_turn(self) noexcept
    # Of its own.
    cdef void flush_endpoints(self, uint64_t now) noexcept

cdef class Endpoint(Flow):
    cdef Host host                      # None once it has left
    cdef ByteMap bound_in               # the table that it is found in
    cdef object _on_event
    cdef public object owner
    cdef uint32_t events                # gathered, not told yet
    cdef int failure                    # errno or 0
    cdef uint32_t burst                 # what it may best send to its remote in one packet, headers included
    cdef uint8_t _is_dirty               # it is in host.turns.dirty
    cdef uint8_t _is_ready
    cdef void happen(self, uint32_t events) noexcept
    # End with this errno; `reset`: and tell the peer.
    cdef void fail(self, int code, bint reset) noexcept
    # Leave the stack: no timer and no table holds it afterwards, and no list beyond the next turn.
    cdef void leave(self) noexcept
    cdef void unbind(self) noexcept     # leave the table
