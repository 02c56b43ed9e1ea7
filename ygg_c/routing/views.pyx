"""A router's state as Python objects; router.pyi says what each holds."""

from libc.stdint cimport uint8_t
from libc.string cimport memcmp

from ygg_c.link.link cimport Link
from ygg_c.link.wire cimport uv_get
from ygg_c.routing.paths cimport Path
from ygg_c.routing.records cimport DEPTH_MAX, Record


cdef list own_ports(Tree tree):
    cdef uint64_t *ports
    cdef size_t count = tree.own_coords(&ports)
    return [ports[index] for index in range(count)]


cdef bytes root_key(Tree tree):
    cdef Record record = tree.own
    cdef size_t count = 0
    while record is not None and memcmp(record.key, record.parent, 32) != 0 and count < DEPTH_MAX:
        if tree.record(record.parent) is None:
            break
        record = tree.record(record.parent)
        count += 1
    return record.key[:32] if record is not None else tree.host.key[:32]


cdef list link_states(list links, uint64_t now):
    cdef Link link
    return [
        {
            "key": link.key, "port": link.port, "priority": link.priority, "cost": link.cost,
            "rx_bytes": link.rx_bytes,
            "tx_bytes": link.tx_bytes, "rx_rate": link.rx_rate, "tx_rate": link.tx_rate, "latency": link.latency,
            "uptime": now - link.since, "order": link.order,
        }
        for link in links
    ]


cdef list record_states(Tree tree):
    cdef Record record
    return [{"key": record.key[:32], "parent": record.parent[:32], "sequence": record.seq} for record in tree.entries]


cdef list path_states(Pathfinder pathfinder):
    cdef Path path
    return [
        {"key": path.key[:32], "path": _ports(path.ports, path.size), "sequence": path.seq, "broken": path.broken}
        for path in pathfinder.paths.all
    ]


cdef list lookup_states(Pathfinder pathfinder):
    cdef bytes origin
    return [
        {"key": key, "path": _ports(origin, len(origin)), "target": target, "time": when}
        for key, (origin, target, when) in (pathfinder.lookups_seen or {}).items()
    ]


cdef list _ports(const uint8_t *path, size_t size):
    cdef const uint8_t *at = path
    cdef uint64_t port
    result = []
    while True:
        at = uv_get(at, path + size, &port)
        if at == NULL or port == 0:
            return result
        result.append(port)
