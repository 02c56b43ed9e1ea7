# The transmission control block of a connection (RFC 9293, 3.3.1): its two halves and what they share, its memory, its
# timers and its end. What the application calls is in connection.pyx, which stands above.
#
# Nothing is sent when a segment arrives or the application writes: the connection is marked, and `flush` has the sender
# send what it may, then decides whether an ACK has to go by itself.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.base.lru cimport Aging
from ygg_c.socket.endpoint cimport Host
from ygg_c.socket.remotenode cimport RemoteNode
from ygg_c.tcp.base cimport Acceptor, TcpEndpoint
from ygg_c.tcp.keepalive cimport KeepAlive
from ygg_c.tcp.options cimport TcpOptions
from ygg_c.tcp.receiver cimport Receiver
from ygg_c.tcp.sender cimport Sender
from ygg_c.tcp.state cimport Event
from ygg_c.tcp.wire cimport Segment

cdef class Tcb(TcpEndpoint):
    cdef Sender sender
    cdef Receiver receiver
    cdef Acceptor parent            # until it has been accepted
    cdef Aging place                # among those that its node has opened, or once it is an orphan among these
    cdef size_t held[2]             # bytes of memory that its node was told of
    cdef void *_unread_of           # where what can be read of it still counts, once it has ended; NULL: nowhere
    cdef uint64_t life_at           # keepalive, FIN-WAIT-2
    cdef uint64_t linger_time        # ns that it may take once closed; then, when that ends; NEVER: no end
    cdef KeepAlive keep
    cdef size_t segments_in
    cdef size_t segments_out
    cdef uint64_t bytes_out
    cdef uint8_t is_busy            # it may hold what it gives back when it rests
    cdef uint8_t has_place          # it counts as one that its node has opened
    cdef uint8_t is_unread          # it is listed as one that its node has opened and that can still be read
    cdef uint8_t is_ahead           # it is listed as one that holds data out of order
    cdef uint8_t in_queue           # of its listener
    cdef uint8_t _closes            # the application has closed it since the last turn

    cdef void start(self, Host host, const uint8_t *key, uint32_t iss, uint64_t secret, TcpOptions options,
                    uint64_t now)
    cdef void _adopt(self, TcpOptions options) noexcept
    cdef void open(self) noexcept
    # A half-open connection becomes this one: `syn` was answered at `sent_at` (0: not known), with a window of
    # `offered` bytes and this `scale`, and `again` more times, and the next segment is the ACK of that.
    cdef void answered(self, const Segment *syn, uint16_t offered, int scale, uint64_t sent_at, int again) noexcept
    cdef void learn_syn(self, const Segment *segment) noexcept
    cdef void take_early(self, const Segment *segment) noexcept     # data and FIN that came with the peer's SYN
    cdef void established(self) noexcept                    # the handshake is done
    cdef void heard(self, uint64_t now) noexcept            # the peer is there
    # The peer may have restarted and know nothing of this connection: ask it. A host that has forgotten answers with a
    # reset, another with an ACK that changes nothing. True when something was sent.
    cdef bint check(self, uint64_t now) noexcept
    # There is a way to the peer again: what waits for a timer that silence has made long leaves. True when something
    # does.
    cdef bint hasten(self, uint64_t now) noexcept
    cdef void end(self, Event event, int code) noexcept     # fail with this errno
    cdef size_t memory(self) noexcept                       # bytes that it holds
    # free what its queues and its sender keep for what comes next
    cdef void give_back(self) noexcept
    cdef void renege(self) noexcept                         # drop what came out of order
    cdef void evict(self) noexcept      # end it for the memory that it holds, read or not; also one that has ended
    cdef void forget_unread(self) noexcept                  # drop what can be read of one that has ended
    cdef void count_unread(self) noexcept                   # of one that has ended: some of it was read
    cdef void _keep_unread(self, RemoteNode node, bint opened) noexcept
    cdef void _release_unread(self) noexcept
    # Of an orphan: whether its peer has taken less than is due since it was closed.
    cdef bint is_slow(self, uint64_t now) noexcept
    cdef void take_place(self) noexcept                     # it is one that its node has opened
    cdef void give_place(self) noexcept
    cdef void _look_busy(self) noexcept
    cdef uint64_t _rest_at(self) noexcept
    cdef void _note_ahead(self) noexcept
    cdef uint64_t _due(self) noexcept
    cdef void abandon(self) noexcept
    cdef void send_reset(self) noexcept
    cdef void _arm(self) noexcept
    cdef uint64_t give_up_at(self) noexcept
    cdef void _time_wait(self) noexcept
    cdef void _closed(self, uint64_t now) noexcept
    cdef void keep_alive(self, uint64_t now) noexcept
    cdef void _check_again(self, uint64_t now) noexcept
