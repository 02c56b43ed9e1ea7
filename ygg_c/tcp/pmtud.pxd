# What the sender does about the path MTU (RFC 8201, RFC 4821): it is told, looks it up, or searches for it with a
# segment of its own. What is too large for a path that has become narrower is sent again in parts, and congestion
# control hears nothing of it.
#
# The functions are the sender's: each is given it, and its connection.

from libc.stdint cimport uint64_t

from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.sender cimport Sender

# The path takes no packet larger than `mtu`.
cdef void pmtud_told(Sender sender, size_t mtu, TcpEndpoint connection, uint64_t now) noexcept
# `path_until` has come: see what the stack knows.
cdef void pmtud_look_up(Sender sender, TcpEndpoint connection, uint64_t now) noexcept
# The data of the next new segment, of which `full` bytes are ready: more where it is to try the path.
cdef uint64_t pmtud_segment(Sender sender, uint64_t full, TcpEndpoint connection) noexcept
# Segments have vanished again and again.
cdef void pmtud_vanished(Sender sender, TcpEndpoint connection, uint64_t now) noexcept
# A segment that tries the path is out: see whether it has arrived.
cdef void pmtud_answered(Sender sender, TcpEndpoint connection, uint64_t now) noexcept
# The same, whether it is lost: bytes of what is lost that are so because the path does not take them.
cdef uint64_t pmtud_lost(Sender sender, TcpEndpoint connection, uint64_t now) noexcept
