"""What the sender does about the path MTU; see pmtud.pxd."""

from libc.stdint cimport uint32_t

from ygg_c.base.clock cimport NEVER
from ygg_c.ip.header cimport IP_HEADER, MIN_MTU
from ygg_c.tcp.flight cimport Flight
from ygg_c.tcp.pathsearch cimport search_begin, search_failed, search_passed, search_told
from ygg_c.tcp.recovery cimport OPEN
from ygg_c.tcp.scoreboard cimport LOST, SACKED, board_record, board_split
from ygg_c.tcp.sender cimport PATH_CHECK
from ygg_c.tcp.state cimport ESTABLISHED
from ygg_c.tcp.wire cimport TCP_HEADER


cdef void pmtud_told(Sender sender, size_t mtu, TcpEndpoint connection, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    if mtu < sender.path:
        _take(sender, mtu, connection, now)
    elif flight != NULL and flight.search.out and mtu < flight.search.size:
        search_told(&flight.search, sender.path, mtu)
        _divide(sender, connection, now)
    else:
        return
    if connection.tcp_state >= ESTABLISHED:
        connection.host.mark(connection)


cdef void pmtud_look_up(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    # What the stack knows of it: others may have been told, or it was told too long ago.
    cdef Flight *flight = sender.flight
    cdef size_t known = connection.host.path_mtu(connection.key)
    cdef size_t most = min(known, sender.peer_mss + IP_HEADER + TCP_HEADER)
    sender.path_until = now + PATH_CHECK
    if known < sender.path or most <= sender.path:
        _take(sender, known, connection, now)
    elif flight.search.most == 0:
        search_begin(&flight.search, sender.path, most)


cdef void _take(Sender sender, size_t path, TcpEndpoint connection, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    cdef size_t before = sender.mss
    sender.path = path
    sender.path_until = NEVER if path >= connection.host.mtu else now + PATH_CHECK
    sender.resize(connection)
    if sender.mss < before and flight != NULL:
        flight.search.most = 0
        flight.search.out = False
        _divide(sender, connection, now)


cdef void _divide(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    # Have what is larger than a full segment sent again in parts. Without memory for that, the timer sends it as it is.
    cdef Flight *flight = sender.flight
    if flight.board.count and board_split(&flight.board, <uint32_t>sender.mss):
        sender.repair(now)
        connection.account()


cdef uint64_t pmtud_segment(Sender sender, uint64_t full, TcpEndpoint connection) noexcept:
    # The data of the next new segment, which may be a larger one to try the path with: others must follow it, so that
    # its loss is seen. It waits for room in the congestion window, which acknowledgements of small segments leave
    # little by little.
    cdef Flight *flight = sender.flight
    cdef uint64_t size = full + flight.search.size - sender.path
    cdef uint64_t all = size + 3 * full
    if flight.search.out or flight.recovery.phase != OPEN or not connection.sack or size > connection.burst or (
        full + connection.sack_size() < sender.mss or sender.nxt + all > sender.out.end
    ):
        return full
    return size if sender.nxt + all <= sender.una + sender.window and all <= sender.congestion.cwnd else full


cdef void pmtud_vanished(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    # What is sent again and again may be too large for the path, or the path is cut: the smallest segments will show.
    cdef Flight *flight = sender.flight
    if sender.path > MIN_MTU and board_record(&flight.board,
                                              flight.board.first).size + IP_HEADER + TCP_HEADER > MIN_MTU:
        _take(sender, MIN_MTU, connection, now)
        sender.path_until = now


cdef void pmtud_answered(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    cdef Flight *flight = sender.flight
    cdef uint32_t at = flight.search.number - flight.board.first
    cdef size_t size = flight.search.size
    if at < flight.board.count and not board_record(&flight.board, flight.search.number).flags & SACKED:
        return
    connection.host.widen_path(connection.key, size)
    if not search_passed(&flight.search):
        connection.host.narrow_path(connection.key, size)
    _take(sender, size, connection, now)


cdef uint64_t pmtud_lost(Sender sender, TcpEndpoint connection, uint64_t now) noexcept:
    # Bytes of what is lost that are so because the path does not take them, if those are.
    cdef Flight *flight = sender.flight
    cdef uint32_t at = flight.search.number - flight.board.first
    cdef uint64_t size
    if at >= flight.board.count or not board_record(&flight.board, flight.search.number).flags & LOST:
        return 0
    size = board_record(&flight.board, flight.search.number).size
    if not search_failed(&flight.search, sender.path):
        connection.host.narrow_path(connection.key, sender.path)
    _divide(sender, connection, now)
    return size
