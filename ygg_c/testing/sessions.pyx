"""The sessions of one identity with Python at both ends: no router below, no IPv6 above."""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

from ygg_c.base.clock cimport NEVER
from ygg_c.base.forks cimport check_fork
from ygg_c.base.packet cimport Packet, packet_copy, packet_free
from ygg_c.base.sodium cimport Random
from ygg_c.routing.layer cimport TrafficLower
from ygg_c.session.layer cimport SessionUpper
from ygg_c.session.session cimport Session
from ygg_c.session.table cimport SessionTable


cdef class ScriptedRandom(Random):
    """Randomness that was written down: each request takes the next item."""

    cdef list _script

    def __init__(self, script):
        self._script = list(reversed(script))

    cdef void fill(self, uint8_t *data, size_t size) noexcept:
        cdef bytes item = self._script.pop() if self._script else bytes(size)
        memcpy(data, <const char *>item, min(size, <size_t>len(item)))


cdef class _Below(TrafficLower):
    # Messages that have left, as (key, message).

    cdef list messages

    cdef void send_message(self, const uint8_t *key, Packet *message) noexcept:
        self.messages.append((key[:32], message.data[:message.size]))
        packet_free(message)


cdef class _Above(SessionUpper):
    # What sessions tell.

    cdef SessionTable table
    cdef list payloads
    cdef list renewed
    cdef object used                    # keys that there are connections to

    cdef void payload_in(self, Session session, uint8_t *payload, size_t size) noexcept:
        if size != 1 or payload[0] != 0:
            self.payloads.append((session.key[:32], payload[:size]))

    cdef void name_remotes(self) noexcept:
        for key in self.used:
            self.table.in_use(<const uint8_t *><const char *><bytes>key)

    cdef void session_renewed(self, const uint8_t *key) noexcept:
        self.renewed.append(key[:32])


cdef class SessionTap(SessionTable):
    """Sessions whose messages are taken and given as bytes."""

    cdef _Below _below
    cdef _Above _above

    def __init__(self, bytes secret not None, bytes group_password=b"", Random random=None):
        SessionTable.__init__(self, secret, group_password, random)
        self.lower = self._below = _Below()
        self.upper = self._above = _Above()
        self._below.messages = []
        self._above.table = self
        self._above.payloads = []
        self._above.renewed = []
        self._above.used = ()

    @property
    def used(self):
        """Keys that there are connections to."""
        return self._above.used

    @used.setter
    def used(self, keys):
        self._above.used = keys

    def tick(self, uint64_t now, uint64_t wall):
        """Set the clock and forget what has expired; return the next deadline in ns, or None."""
        cdef uint64_t deadline
        check_fork(self.made_in)
        self.now = now
        self.wall = wall
        deadline = self.poll()
        return None if deadline == NEVER else deadline

    def write(self, bytes key not None, bytes payload not None):
        """Send a payload to a 32-byte key."""
        cdef Packet *packet
        check_fork(self.made_in)
        if len(key) != 32:
            raise ValueError("key must be 32 bytes")
        packet = packet_copy(<const uint8_t *><const char *>payload, len(payload))
        if packet == NULL:
            raise MemoryError
        self.send(<const uint8_t *><const char *>key, packet)

    def feed(self, bytes key not None, bytes message not None, uint64_t origin=0):
        """Take a session message from a 32-byte key, by the neighbour of this number."""
        cdef bytearray scratch = bytearray(message)
        check_fork(self.made_in)
        if len(key) != 32:
            raise ValueError("key must be 32 bytes")
        self.traffic_in(origin, <const uint8_t *><const char *>key, <uint8_t *><char *>scratch, len(scratch))

    def path_found(self, bytes key not None):
        """Tell that a 32-byte key has a new path."""
        if len(key) != 32:
            raise ValueError("key must be 32 bytes")
        self.path_in(<const uint8_t *><const char *>key, False)

    def back(self, bytes key not None):
        """Tell that the node of a 32-byte key is here again."""
        if len(key) != 32:
            raise ValueError("key must be 32 bytes")
        self.returned(<const uint8_t *><const char *>key)

    def messages(self):
        """Return the (destination key, message) pairs sent since the last call."""
        result, self._below.messages = self._below.messages, []
        return result

    def payloads(self):
        """Return the (source key, payload) pairs that arrived since the last call, but for dummies."""
        result, self._above.payloads = self._above.payloads, []
        return result

    def restarts(self):
        """Return the keys of remotes that have made new sessions in place of old ones since the last call."""
        result, self._above.renewed = self._above.renewed, []
        return result

    def ratchet(self, bytes key not None):
        """Return (our keyseq, their keyseq, last nonce sent) of the session with a key, or None."""
        cdef Session session = self.sessions[key] if key in self.sessions else None
        return None if session is None else (session.local_seq, session.remote_seq, session.nonce_sent)

    def close(self):
        """Forget everything."""
        self.clear()
