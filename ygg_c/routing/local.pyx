"""This node's own messages.

A message leaves by the path that the pathfinder has for its destination, or waits with the pathfinder until there is
one. While one that has come is handled, the answer to it may go the way that it came, and who has sent it is known once
the session layer has opened it.
"""

from libc.stdint cimport int64_t
from libc.string cimport memcmp, memcpy

from ygg_c.base.packet cimport (
    PacketQueue, packet_free, packet_headroom, packet_new, packet_push, queue_pop,
)
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.link.wire cimport FRAME_MAX, TRAFFIC, frame_header_size, frame_put, uv_put, uv_size


cdef class LocalTraffic(TrafficLower):
    """What one router sends for its node, and has received for it."""

    def __cinit__(self, LinkHost host not None, Tree tree not None, Pathfinder pathfinder not None):
        self.host = host
        self.upper = TrafficUpper()
        self.tree = tree
        self.pathfinder = pathfinder

    # Out

    cdef void send_message(self, const uint8_t *dest, Packet *payload) noexcept:
        cdef Path path
        if memcmp(dest, self.host.key, 32) == 0:
            self.sent_to_self += 1
            packet_free(payload)
            return
        path = self.pathfinder.path_to(dest)
        if path is None:
            path = self.pathfinder.path_back(dest)
            if path is not None:
                self.send_held(path)
        if not self.pathfinder.use(path, dest, payload):
            return
        if self.pathfinder.has_held(path):
            self.send_held(path)
        self._send_by(path, dest, payload)

    cdef bint send_held(self, Path path) noexcept:
        cdef PacketQueue held = self.pathfinder.release(path)
        cdef bint waited = held.count > 0
        while held.count:
            self.send_message(path.key, queue_pop(&held))
        return waited

    cdef void _send_by(self, Path path, const uint8_t *dest, Packet *payload) noexcept:
        cdef size_t size = path.header_size + uv_size(path.hop.distance) + payload.size
        cdef size_t header = frame_header_size(size) + size - payload.size
        cdef uint8_t *at
        if size >= FRAME_MAX:
            self.failed += 1
            packet_free(payload)
            return
        if packet_headroom(payload) < header:
            payload = _with_headroom(payload, header)
            if payload == NULL:
                self.failed += 1
                return
        at = frame_put(packet_push(payload, header), TRAFFIC, size)
        memcpy(at, path.header, path.header_size)
        uv_put(at + path.header_size, path.hop.distance)
        (<Link>path.hop.link).send_packet(payload, self.host.key, dest, True)

    # In

    cdef void traffic_in(self, Link link, const Routed *message) noexcept:
        cdef int64_t work
        self._came_by = <void *>link.neighbour
        self.pathfinder.message_in(message)
        work = self.upper.traffic_in(link.neighbour.port, message.source, message.payload, message.payload_size)
        self.host.work -= work
        self.pathfinder.message_done()
        self._came_by = NULL

    cdef void source_proven(self, const uint8_t *source) noexcept:
        if self._came_by == NULL:
            return
        self.pathfinder.source_proven(source)
        if memcmp((<Neighbour>self._came_by).key, source, 32) != 0:
            self._end_silent(source)

    cdef void path_works(self, const uint8_t *key) noexcept:
        self.pathfinder.confirm(key)

    cdef void introduce(self, const uint8_t *key) noexcept:
        cdef Path path = self.pathfinder.path(key)
        if path is not None:
            self.pathfinder.answers.introduce(path)

    # A neighbour that comes by another way has given up our link: it would be the first that it takes. One that owes an
    # answer for longer than that may take is dead at this end too.
    cdef void _end_silent(self, const uint8_t *source) noexcept:
        cdef Neighbour neighbour = self.tree.proven(source)
        cdef Link link
        if neighbour is None:
            return
        for link in neighbour.links:
            if link.is_silent():
                link.fail("ErrTimeout")


cdef Packet *_with_headroom(Packet *packet, size_t header) noexcept:
    cdef Packet *roomy = packet_new(packet.size + header)
    if roomy != NULL:
        roomy.data += header
        memcpy(roomy.data, packet.data, packet.size)
        roomy.size = packet.size
        roomy.ecn = packet.ecn
        roomy.paced = packet.paced
    packet_free(packet)
    return roomy
