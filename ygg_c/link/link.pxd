# A link: one ordered byte stream to a neighbour after the handshake. Frames in, frames out, keepalive and dead-peer
# timers.
#
#   in    rx_space -> read into it -> rx_commit       whole frames are handled in place
#         unless others must have their turn first, or the far side asks for more work than it may: the link is held
#         then, its transport is not read, and it goes on with what it has in a later round of its host
#   out   control FIFO, then the fair queue -> gather -> write -> sent
#
# protocol 0.5, framing, keepalive, queues and write scheduling.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.keyset cimport KeySet
from ygg_c.base.packet cimport Packet, PacketQueue
from ygg_c.base.ratelimit cimport Bucket
from ygg_c.base.sodium cimport Random
from ygg_c.base.turn cimport Turn
from ygg_c.ip.layer cimport Way
from ygg_c.link.deferred cimport Parked
from ygg_c.link.drain cimport Drain
from ygg_c.link.fairqueue cimport FairQueue
from ygg_c.link.liveness cimport Liveness
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.link.readbuffer cimport ReadBuffer, ReadPool

# A piece of output; the kernel's struct iovec, where there is one, is laid out alike (io/kernel.pxd).
cdef extern from *:
    """
    typedef struct { const uint8_t *data; size_t size; } ygg_part;
    """
    ctypedef struct Part "ygg_part":
        const uint8_t *data
        size_t size

cdef extern from *:
    """
    #define YGG_LAG_UNKNOWN 4294967295ULL
    """
    const uint64_t LAG_UNKNOWN "YGG_LAG_UNKNOWN"    # what a link costs before its first round trip, ns

cdef enum:
    CONTROL_LIMIT = 1048576         # bytes of control frames waiting; a neighbour that lets more wait is dead

# What frames cost to handle, in units of about a microsecond: one each, what handlers add, and one for so many bytes.
cdef enum:
    WORK_BYTES_LOG = 9
    WORK_SIGN = 30
    WORK_VERIFY = 55
    SLICE = 4000                    # of one link for one readable event; more than the events of bulk transfers need
    SLICE_LEAST = 250
    # of all links in one round of the event loop, or between two turns that the host asks for
    ROUND = 8000
    ROUND_HELD = 4000               # of links that were held, at the beginning of a round
    # for a code of frame_in(): the frame is left where it is, and hold() has been called
    HELD = -1

# Carries a link's output to its transport. flush() takes what it can (gather/sent or take) and, when the transport
# is full, sets link.blocked; on becoming writable again it clears that and calls link.want_flush().
cdef class Sink:
    cdef void flush(self, Link link) noexcept
    cdef bint has_output(self) noexcept         # of what it has taken
    cdef void pause(self, Link link, bint paused) noexcept      # have the transport read no more, or again
    # The far side's transport goes on, if not its node. `again`: it was asked in this silence before.
    cdef bint hears(self, bint again) noexcept

cdef class PySink(Sink):
    cdef object _callback
    cdef object _hears

# What a link needs of the router above it.
cdef class LinkHost:
    cdef uint8_t key[32]
    cdef uint8_t secret[64]             # seed || public key
    cdef uint64_t made_in               # generation of ygg_c.base.forks: the process it belongs to
    cdef readonly uint64_t now          # ns, of the caller's clock
    cdef readonly uint64_t wall         # unix seconds
    cdef Random random
    cdef uint64_t due                   # no timer runs before this time
    cdef Turn turns                     # dirty are links with output
    cdef list failed                    # links to be closed at the end of this turn
    cdef int64_t work                   # what may still be done in this round; see WORK_…
    # number of the event loop's round, as far as links have shown that another has begun
    cdef uint64_t round
    cdef list held                      # links that are held, in the order in which they go on
    cdef uint64_t links_held
    cdef size_t held_bytes              # that links have brought and that wait with them
    # signatures that may be verified, for all links together; origins are Link.order
    cdef Budget verifications
    cdef ReadPool read_pool
    # One whole frame; `body` may be changed in place. 0, HELD, or a code of ygg_c.link.wire that closes the link.
    cdef int frame_in(self, Link link, int kind, uint8_t *body, size_t size) noexcept
    cdef void link_down(self, Link link) noexcept       # it has just closed
    cdef void link_rated(self, Link link) noexcept      # its rate is far from what it was
    # Its far side has just shown that it holds its key. `alone`: no other link to it is sure to live.
    cdef void link_proven(self, Link link, bint alone) noexcept
    cdef void no_way(self) noexcept                     # something of ours waits for a path, and none is found
    cdef void path_found(self, const uint8_t *key) noexcept     # there is a path to this key where none was, or another
    # A path to this key leads there as far as is known, or does no more: what those who watch are told.
    cdef void path_seen(self, const uint8_t *key, bint there) noexcept
    # A record of this node's own key came that is newer than its own: of its former run, or of another program.
    cdef void own_record_in(self) noexcept
    # A lookup of this node's own key has had an answer, signed with it, from another place in the tree.
    cdef void own_answer_in(self) noexcept
    cdef void credit_in(self, uint64_t link) noexcept   # the link of this number, which had refused credit, has drained
    cdef void marked(self, const uint8_t *frame, size_t size) noexcept  # this packet of our own has waited for too long
    cdef void want_turn(self) noexcept                  # there is output to flush: have a turn come soon
    # The tree or the filters have something to do at this time.
    cdef void want_maintenance(self, uint64_t when) noexcept
    cdef void shed(self) noexcept                       # links hold too much: have the one that holds most closed

cdef class Link:
    cdef LinkHost host                  # None once closed
    cdef Neighbour neighbour
    cdef Sink sink
    cdef readonly str error             # "" while up, then why it closed: "EOF", "ErrDecode", "ErrTimeout", ...
    cdef readonly bint closed
    cdef public bint blocked            # the transport is full; no flush until it is cleared
    cdef bint _counted                  # among the live objects
    cdef bint dirty                     # it is in host.turns.dirty
    cdef bint _parsing

    # Counters; the host may add the handshake's bytes.
    cdef public uint64_t rx_bytes
    cdef public uint64_t tx_bytes
    cdef readonly uint64_t rx_rate      # bytes per second over the last tick
    cdef readonly uint64_t tx_rate
    cdef uint64_t _rx_mark
    cdef uint64_t _tx_mark
    cdef readonly uint64_t since        # when it came up, ns
    cdef readonly uint64_t latency      # last round trip of a signature request, ns; 0 before the first
    cdef readonly uint64_t order        # of connecting
    cdef readonly int priority          # lower is preferred

    # Owned by the tree.
    cdef uint64_t lag                   # smoothed round trip, ns
    cdef uint64_t asked_at              # when the last signature request left
    # what it asks; each link has questions of its own, lest an answer be recorded on another
    cdef uint64_t request_seq
    cdef uint64_t request_nonce
    cdef bint responded                 # to that request

    # Until its far side has answered one of our questions with its key, a link belongs to no key: the handshake can be
    # replayed.
    cdef readonly bint proven
    cdef uint64_t prove_by              # closed when it has not by then; NEVER once it has
    cdef uint64_t proof_seq             # the first question, whose answer is a proof even when it has been asked anew
    cdef uint64_t proof_nonce
    cdef KeySet told                    # the records it has been sent; None once proven: the neighbour's count then
    cdef Bucket requests                # how many it may still send; once proven the neighbour's count
    cdef Parked parked                  # what it has brought that has to wait
    cdef readonly bint waits            # for verifications; owned by the router

    # Input.
    cdef ReadBuffer _read
    cdef size_t _read_most              # bytes of the next read: little from who brings much work in few bytes
    cdef readonly bint held             # what has come waits, and nothing is read
    cdef size_t _held_bytes             # its part of host.held_bytes
    cdef bint _paused                   # so the sink has been told
    cdef uint64_t held_until
    cdef int64_t slice_end             # host.work at which others have their turn
    cdef uint64_t _round                # host.round of its last event
    # before what a readable event brings; False: read nothing
    cdef bint begin_input(self, int64_t slice) noexcept
    cdef bint begin_event(self) noexcept        # the same, where a round of the event loop has no two of them
    cdef bint has_time(self) noexcept           # the event that has begun may bring as much again
    cdef void hold(self, uint64_t until) noexcept               # handle nothing more before `until`, ns
    cdef bint go_on(self, int64_t slice) noexcept               # the time has come; whether anything was handled
    cdef bint _lent                     # get_buffer() has shown _read.bytes to Python
    cdef uint8_t *rx_space(self, size_t *room) noexcept         # NULL: no memory
    cdef int rx_commit(self, size_t count) noexcept             # 0, or -1: the link is failing (see error)
    cdef int _input(self) noexcept
    cdef int _parse(self) noexcept
    cdef size_t _frames(self, int *code) noexcept       # bytes used
    cdef void _keep_rest(self, size_t start) noexcept
    cdef void _count_held(self, size_t count) noexcept
    cdef void _stop_reading(self, LinkHost host) noexcept
    cdef void _note_received(self, bint real) noexcept

    # Output.
    cdef PacketQueue control
    cdef PacketQueue _flight
    cdef size_t _flight_offset          # bytes of its first packet already written
    cdef FairQueue _queue
    cdef readonly uint64_t lost         # messages that waited when it closed, or were given to it later
    cdef Drain drain
    # bytes a second, when that was last far from what it had been; 0: never measured
    cdef uint64_t _rate_noted
    cdef bint credit_refused
    cdef uint64_t _refused_at           # ns
    # of own packets that waited then; as soon as fewer do, host.credit_in() is called
    cdef size_t _refused_bytes
    cdef void send_control(self, int kind, const uint8_t *body, size_t size) noexcept
    # A queued message, framing included; takes ownership. `own`: from this node, never dropped while credit is obeyed.
    cdef void send_packet(self, Packet *packet, const uint8_t *source, const uint8_t *dest, bint own) noexcept
    cdef size_t control_waiting(self) noexcept                  # bytes of control frames that have not left the queue
    cdef bint has_output(self) noexcept
    cdef bint has_more(self) noexcept                           # than what gather() gives
    cdef int gather(self, Part *parts, int most) noexcept      # how many parts were filled
    cdef void sent(self, size_t count) noexcept
    cdef void flushed(self) noexcept                            # output has been given to the sink
    cdef void find_room(self, size_t wanted, Way *way) noexcept  # see Lower.find_way
    cpdef void want_flush(self) noexcept
    cdef void _refill(self) noexcept
    cdef void _refuse(self, size_t used) noexcept
    cdef void _offer(self) noexcept
    cdef bint _takes_any(self, size_t limit) noexcept
    # it has room: if it takes a packet of any size, have who was refused ask again; whether anyone was
    cdef bint offer_all(self) noexcept

    # Timers.
    cdef Liveness _live
    # Nothing had come for a while when another link to the neighbour was proven, nor has since: others are used.
    cdef readonly bint doubted
    cdef bint doubt(self) noexcept      # whether it is by now
    cdef void _note_sent(self, bint real) noexcept
    cdef void _note_unanswered(self) noexcept
    cdef bint _has_waiting(self) noexcept
    cdef void _note_alive(self) noexcept
    cdef uint64_t _dead_at(self) noexcept
    cdef bint _is_dead(self, uint64_t now) noexcept
    # when it is dead unless something moves; NEVER: nothing waits
    cdef uint64_t _stuck_until(self) noexcept
    # Nothing has come for longer than the far side may take to answer, and an answer is due.
    cdef bint is_silent(self) noexcept
    cdef uint64_t run_timers(self, uint64_t now) noexcept
    cdef void measure(self, uint64_t passed) noexcept           # update the rates; `passed` ns since the last call
    cdef uint64_t cost_now(self) noexcept                       # ms, at least 1
    # The same and what a burst takes at its rate: what tells it from other links to the same neighbour.
    cdef uint64_t delay_now(self) noexcept
    cdef void _note_rate(self) noexcept

    cdef void fail(self, str error) noexcept                    # have it closed at the end of this turn
    cdef void shut(self, str error) noexcept                    # close it now
    cdef int _check_fork(self) except -1
