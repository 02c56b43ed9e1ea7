"""Forwarding: traffic, answers and complaints of other nodes go on towards their destination, or end here.

Traffic that goes nowhere is told to its source (path broken), which then looks for its destination anew. Anyone can
have us send such messages, so there are few for each source and destination, and a budget of all.
"""

from libc.string cimport memcmp, memcpy

from ygg_c.base.clock cimport MS, NEVER
from ygg_c.base.packet cimport HEADROOM, Packet, packet_free, packet_new, packet_push
from ygg_c.base.ratelimit cimport recent_pass
from ygg_c.link.wire cimport (
    FRAME_MAX, PATH_BROKEN, PATH_NOTIFY, TRAFFIC, frame_header_size, frame_put, uv_put, uv_size,
)
from ygg_c.routing.nexthop cimport Hop
from ygg_c.routing.answers cimport send_routed

# ns between messages that a path of one source and destination is broken
cdef uint64_t BROKEN_INTERVAL = 100 * MS


cdef class Forwarding:
    """What one router passes on."""

    def __cinit__(self, LinkHost host not None, Tree tree not None, NextHops hops not None,
                  Pathfinder pathfinder not None):
        self.host = host
        self.tree = tree
        self.hops = hops
        self.pathfinder = pathfinder
        self._salt = host.random.u64()
        self._tellings = Budget(500, 200, self._salt)

    cdef bint traffic_in(self, Link link, const uint8_t *body, const Routed *message) noexcept:
        cdef Hop hop
        cdef Link direct
        cdef bint progress
        self.hops.find(message.path, message.path_size, &hop)
        progress = hop.link != NULL and hop.distance < message.watermark
        direct = self.tree.link_to(message.dest) if message.watermark else None
        if direct is not None:
            self._forward(direct, body, message, 0)         # see NextHops.towards()
            if not progress or (<Link>hop.link).neighbour is not direct.neighbour:
                self._tell_broken(link, message)            # the path leads elsewhere
        elif progress:
            self._forward(<Link>hop.link, body, message, hop.distance)
        elif memcmp(message.dest, self.host.key, 32) == 0:
            return False
        else:
            self.unroutable += 1
            self._tell_broken(link, message)
        return True

    # The one copy of transit: from the read buffer into a packet that waits in the next link's queue.
    cdef void _forward(self, Link link, const uint8_t *body, const Routed *message, uint64_t watermark) noexcept:
        cdef size_t head = message.dest + 32 - body         # everything before the watermark goes on as it came
        cdef size_t size = head + uv_size(watermark) + message.payload_size
        cdef size_t header = frame_header_size(size) + size - message.payload_size
        cdef Packet *packet = packet_new(message.payload_size + (header if header > HEADROOM else 0))
        cdef uint8_t *at
        if packet == NULL or size >= FRAME_MAX:
            packet_free(packet)
            self.failed += 1
            return
        if header > HEADROOM:
            packet.data += header
        memcpy(packet.data, message.payload, message.payload_size)
        packet.size = message.payload_size
        at = frame_put(packet_push(packet, header), TRAFFIC, size)
        memcpy(at, body, head)
        uv_put(at + head, watermark)
        self.forwarded += 1
        link.send_packet(packet, message.source, message.dest, False)

    cdef void _tell_broken(self, Link link, const Routed *traffic) noexcept:
        cdef uint8_t flow[64]
        cdef Routed broken
        cdef int index
        memcpy(flow, traffic.dest, 32)
        for index in range(32):
            flow[index] ^= traffic.source[(index + 1) & 31]
        if not recent_pass(&self._broken_lately, flow, self._salt, self.host.now, BROKEN_INTERVAL):
            return
        if not self._tellings.take(link.neighbour.port, traffic.source, False, 1.0, self.host.now):
            self.brokens_limited += 1
            return
        memcpy(flow, traffic.source, 32)
        memcpy(flow + 32, traffic.dest, 32)
        broken.path = traffic.origin
        broken.path_size = traffic.origin_size
        broken.watermark = NEVER
        broken.source = flow
        broken.dest = flow + 32
        self.broken_in(link.neighbour.port, &broken)

    cdef bint notify_in(self, const uint8_t *body, size_t size, const Routed *message) noexcept:
        cdef Hop hop
        if memcmp(message.source, message.dest, 32) == 0:
            # Two programs with one key, one of which looks for the other: only the path tells which of them it is for.
            self.hops.find(message.path, message.path_size, &hop)
        else:
            self.hops.towards(message.dest, message.path, message.path_size, &hop)
        if hop.link != NULL and hop.distance < message.watermark:
            send_routed(<Link>hop.link, PATH_NOTIFY, message.path, message.path_size, hop.distance,
                        message.source, body + size - message.source, False)
            return True
        if memcmp(message.dest, self.host.key, 32) == 0:
            return False
        self.unroutable += 1
        return True

    cdef void broken_in(self, uint64_t origin, const Routed *message) noexcept:
        cdef Hop hop
        self.hops.towards(message.source, message.path, message.path_size, &hop)
        if hop.link != NULL and hop.distance < message.watermark:
            send_routed(<Link>hop.link, PATH_BROKEN, message.path, message.path_size, hop.distance, message.source, 64,
                        False)
        elif memcmp(message.source, self.host.key, 32) == 0:
            self.pathfinder.broken_in(origin, message)
        else:
            self.unroutable += 1
