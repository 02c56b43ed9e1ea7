"""IPv6 packets between a gateway and the descriptor of a TUN device, without Python.

Theory of operation
-------------------
The kernel cannot be told to pause one flow, but what is not read waits in the device, where the kernel's own
connections notice it as delay and not as loss. So the device is read while there is credit: when a packet leaves its
link with room for less than one more, reading stops, and goes on when credit_in() tells that a link has drained.

Packets for every destination and link come by one descriptor, and the next one may be for a link that is idle.
Therefore:

    - The wait ends PATIENCE after the link refused credit. One that takes longer to drain is a bottleneck, or stuck,
      and is not waited for again until it has drained.
    - There is no wait while packets go by several links: SHARED is for how long the use of another one is remembered.

What is read without credit goes to its link all the same. The link's queue shares out by destination; as long as more
waits there than credit allows it drops by age (CoDel), as it does with what is forwarded for others, and at its limit
from the longest. That is what a router does where a fast wire meets a slow one. A queue of our own, by destination, for
packets that must wait would only repeat it, and dropping what has just arrived would take packets from those that send
few.

No wake-up is lost: the wait begins only when the link has just refused credit, so the link is bound to call credit_in()
when it drains or closes; being detached ends it, and so does the deadline that run_due() returns. All of these only
mark that reading may go on. It is done in wake(), with the engine at rest, and the turn that it asks for flushes what
was read.
"""

import os

from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

from ygg_c.base.clock cimport MS, NEVER, SECOND
from ygg_c.base.packet cimport HEADROOM, Packet, packet_free, packet_new
from ygg_c.ip.header cimport IP_HEADER, TARGET
from ygg_c.io.kernel cimport ygg_read, ygg_write
from ygg_c.ip.layer cimport Upper, Way

# ns: a link that works drains a packet in that time, a busy neighbour gets its turn
cdef uint64_t PATIENCE = 100 * MS
cdef uint64_t SHARED = SECOND


cdef class TunPump(Upper):
    """Carries IPv6 packets between a gateway and a TUN device."""

    def __cinit__(self):
        self.fd = -1
        self._watched = True

    def __init__(self, int fd, size_t mtu, on_lost, on_waiting, Clock clock not None):
        self._clock = clock
        self.fd = fd
        self._mtu = mtu
        self.on_lost = on_lost
        self.on_waiting = on_waiting

    # From the device

    def readable(self):
        """Send what the device holds, in bounded measure."""
        if self._waiting:
            self._watch(False)      # a wait that is over within the turn need not cost this
        else:
            self._read(self._clock.now_ns())

    cdef void _read(self, uint64_t now) noexcept:
        cdef int _turn
        cdef size_t total = 0
        cdef Py_ssize_t size
        for _turn in range(BATCH_PACKETS):
            size = self._read_packet(now)
            total += size
            if size == 0 or self._waiting or total >= BATCH_BYTES:
                break
        if not self._waiting:
            self._watch(True)
        if self.lower is not None:
            self.lower.want_turn()

    cdef Py_ssize_t _read_packet(self, uint64_t now) noexcept:
        cdef Py_ssize_t size
        cdef Packet *packet = packet_new(self._mtu) if self.fd >= 0 else NULL
        if packet == NULL:
            return 0        # without memory it stays in the device
        size = ygg_read(self.fd, packet.data, self._mtu)
        if size > 0:
            packet.size = size
            self.packets_in += 1
            self._send(packet, now)
            return size
        packet_free(packet)
        if size < 0 and errno != EAGAIN and errno != EINTR:
            self.on_lost(OSError(errno, os.strerror(errno)))
        return 0

    cdef void _send(self, Packet *packet, uint64_t now) noexcept:
        cdef uint8_t target[16]
        cdef bint whole = packet.size >= IP_HEADER
        if self.lower is None:
            self.dropped_detached += 1
            packet_free(packet)
            return
        if whole:
            memcpy(target, packet.data + TARGET, 16)
        self.lower.packet_out(packet, now)
        if whole and self._must_wait(target, now):
            self._waiting = True
            self.waits += 1

    cdef bint _must_wait(self, const uint8_t *target, uint64_t now) noexcept:
        cdef Way way
        self.lower.find_way(target, self._mtu + HEADROOM, &way)
        if way.link != self._link:
            # The first is none that another one is shared with, nor is one whose number is not known yet.
            if self._link and way.link:
                self._shared_at = now
            self._link = way.link
        if way.credit >= self._mtu + HEADROOM or way.full_since == NEVER:
            return False
        self._until = way.full_since + PATIENCE
        return now < self._until and (self._shared_at == 0 or now - self._shared_at >= SHARED)

    cdef void credit_in(self, uint64_t link, uint64_t now) noexcept:
        self._resume()

    cdef uint64_t run_due(self, uint64_t now) noexcept:
        self._now = now
        if not self._waiting:
            return NEVER
        if now < self._until:
            return self._until
        self._resume()
        return NEVER

    cdef void lower_changed(self) noexcept:
        self._resume()

    cdef void _resume(self) noexcept:
        if self._waiting:
            self._waiting = False
            self._resumed = True
            if self.lower is not None:
                self.lower.want_turn()
            else:
                self._watch(True)

    cdef void wake(self) noexcept:
        if self._resumed:
            self._resumed = False
            self._read(self._now)

    cdef void _watch(self, bint watched) noexcept:
        if self._watched == watched or self.fd < 0:
            return
        self._watched = watched
        try:
            self.on_waiting(not watched)
        except Exception as error:
            self.on_lost(OSError(f"event loop: {error}"))

    def close(self):
        """Use the descriptor no more. Idempotent."""
        self.fd = -1
        self.on_lost = self.on_waiting = None

    def counters(self):
        """Return how many packets passed, and how many were dropped, by reason."""
        return {
            "packets_in": self.packets_in,
            "packets_out": self.packets_out,
            "waits": self.waits,
            "dropped_full": self.dropped_full,
            "dropped_detached": self.dropped_detached,
        }

    # To the device

    cdef void packet_in(self, uint8_t *data, size_t size, uint64_t now) noexcept:
        # A full device is a full link: the packet is lost, and TCP behind it notices.
        if self.fd >= 0 and ygg_write(self.fd, data, size) == <Py_ssize_t>size:
            self.packets_out += 1
        else:
            self.dropped_full += 1
