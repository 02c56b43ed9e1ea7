"""Moving bytes between a link and a socket that carries TLS, without Python: ciphertext is decrypted straight into the
link's read buffer, and what the link sends is encrypted into one buffer and sent from there.
"""

from libc.stdint cimport uint8_t
from libc.stdlib cimport malloc
from libc.string cimport memcpy

from ygg_c.io.pump cimport PARTS, Pump, StreamPump, enter_now
from ygg_c.io.tls cimport RECORD, TLS_CLOSED, TLS_FAILED, TLS_OK, TLS_WAIT, UNSENT_LIMIT, Outcome, Tls
from ygg_c.link.link cimport Link, Part
from ygg_c.node.node cimport Node

# Where ciphertext is read to; it is taken from here before anything else is read, by whichever pump.
cdef uint8_t *_ciphertext = <uint8_t *>malloc(CIPHERTEXT)
if _ciphertext == NULL:
    raise MemoryError()


cdef class TlsPump(StreamPump):
    """Drives a stream socket that carries TLS."""

    def __init__(self, Node node not None, int fd, on_blocked, Tls tls not None, on_paused=None):
        StreamPump.__init__(self, node, fd, on_blocked, on_paused)
        self.tls = tls

    def start(self, bytes key not None, int priority, bytes data not None):
        """Make the link and have its first turns, in which it takes `data`, then what `tls` has in hand. Return it."""
        cdef Node node = self.node
        link = Pump.start(self, key, priority, data)
        if not link.closed:
            enter_now(node)
            self._decrypt()
            node.leave()
        return link

    cdef bint _read(self) noexcept:
        cdef Py_ssize_t count = self._recv(self.link, _ciphertext, CIPHERTEXT)
        cdef bint more = False
        if count > 0:
            self.tls.lend(_ciphertext, count)
            more = self._decrypt()
            self.tls.lend(NULL, 0)
        return more and count == CIPHERTEXT

    cdef bint _decrypt(self) noexcept:
        cdef Link link = self.link
        cdef Outcome outcome = TLS_OK
        cdef const uint8_t *answer
        cdef size_t room, size
        cdef uint8_t *space
        while outcome == TLS_OK:
            space = link.rx_space(&room)
            if space == NULL:
                link.fail("out of memory")
                return False
            outcome = self.tls.read(space, room, &size)
            if link.rx_commit(size) < 0:
                return False
        if outcome == TLS_CLOSED:
            link.fail("EOF")
        elif outcome == TLS_FAILED:
            link.fail(f"TLS: {self.tls.reason}")
        size = self.tls.unsent(&answer)
        if size > UNSENT_LIMIT:
            link.fail("TLS: the other side asks and reads no answers")
        elif size:
            link.want_flush()
        return outcome == TLS_WAIT

    cdef bint has_output(self) noexcept:
        cdef const uint8_t *data
        return self.tls.unsent(&data) > 0

    cdef void flush(self, Link link) noexcept:
        cdef Part part
        cdef Py_ssize_t count
        self._limit_unsent(link.drain.unsent)
        while self.fd >= 0 and not link.blocked and self._has_room(link):
            part.size = self.tls.unsent(&part.data)
            if part.size == 0:
                if not self._encrypt(link):
                    return
                continue
            count = self._send(link, &part, 1)
            if count < 0:
                return
            self.tls.sent(count)

    # Small packets share a record: one costs as much as encrypting a thousand bytes.
    cdef bint _encrypt(self, Link link) noexcept:
        cdef Part parts[PARTS]
        cdef uint8_t record[RECORD]
        cdef int index = 0, used = link.gather(parts, PARTS)
        cdef size_t total = 0, staged = 0, left, count
        cdef const uint8_t *at
        cdef Outcome outcome = TLS_OK
        while index < used and total < SEALED and outcome == TLS_OK:
            at, left = parts[index].data, parts[index].size
            total += left
            index += 1
            while left and outcome == TLS_OK:
                if staged == 0 and left >= RECORD:
                    count = left - left % RECORD
                    outcome = self.tls.write(at, count)
                else:
                    count = min(left, RECORD - staged)
                    memcpy(record + staged, at, count)
                    staged += count
                    if staged == RECORD:
                        outcome = self.tls.write(record, RECORD)
                        staged = 0
                at += count
                left -= count
        if outcome == TLS_OK:
            outcome = self.tls.write(record, staged)
        if outcome != TLS_OK:
            link.fail(f"TLS: {self.tls.reason or 'nothing can be written'}")
            return False
        link.sent(total)
        return total > 0
