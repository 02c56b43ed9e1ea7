"""The router's messages on the wire: codec of integers, paths, frames and message bodies."""

from libc.string cimport memcpy

_ERRORS = (
    "", "ErrDecode", "ErrBadMessage", "ErrEmptyMessage", "ErrOversizedMessage", "ErrUnrecognizedMessage",
)


cdef str error_name(int code):
    return <str>_ERRORS[code]


cdef size_t path_ports(const uint8_t *at, const uint8_t *end, uint64_t *ports, size_t most) noexcept nogil:
    cdef size_t count = 0
    cdef uint64_t port
    while count < most:
        at = uv_get(at, end, &port)
        if at == NULL or port == 0:
            break
        ports[count] = port
        count += 1
    return count


cdef uint8_t *path_put(uint8_t *out, const uint64_t *ports, size_t count) noexcept nogil:
    cdef size_t index
    for index in range(count):
        out = uv_put(out, ports[index])
    out[0] = 0
    return out + 1


cdef size_t ports_size(const uint64_t *ports, size_t count) noexcept nogil:
    cdef size_t index, size = 1
    for index in range(count):
        size += uv_size(ports[index])
    return size


# Take `count` bytes; NULL when there are fewer, or when `at` is NULL already.
cdef inline const uint8_t *_take(const uint8_t *at, const uint8_t *end, size_t count,
                                 const uint8_t **out) noexcept nogil:
    if at == NULL or <size_t>(end - at) < count:
        return NULL
    out[0] = at
    return at + count


cdef inline const uint8_t *_take_uv(const uint8_t *at, const uint8_t *end, uint64_t *out) noexcept nogil:
    return NULL if at == NULL else uv_get(at, end, out)


cdef inline const uint8_t *_take_path(const uint8_t *at, const uint8_t *end, const uint8_t **out,
                                      size_t *size) noexcept nogil:
    if at == NULL:
        return NULL
    out[0] = at
    at = path_skip(at, end)
    if at != NULL:
        size[0] = at - out[0]
    return at


cdef inline int _whole(const uint8_t *at, const uint8_t *end) noexcept nogil:
    return OK if at == end else ERR_DECODE      # NULL is no end either


cdef int decode_sig_req(const uint8_t *body, size_t size, SigReq *out) noexcept nogil:
    cdef const uint8_t *end = body + size
    cdef const uint8_t *at = _take_uv(body, end, &out.seq)
    at = _take_uv(at, end, &out.nonce)
    return _whole(at, end)


cdef int decode_sig_res(const uint8_t *body, size_t size, SigRes *out) noexcept nogil:
    cdef const uint8_t *end = body + size
    cdef const uint8_t *at = _take_uv(body, end, &out.seq)
    at = _take_uv(at, end, &out.nonce)
    at = _take_uv(at, end, &out.port)
    at = _take(at, end, 64, &out.psig)
    return _whole(at, end)


cdef int decode_announce(const uint8_t *body, size_t size, Announce *out) noexcept nogil:
    cdef const uint8_t *end = body + size
    cdef const uint8_t *at = _take(body, end, 32, &out.node)
    at = _take(at, end, 32, &out.parent)
    at = _take_uv(at, end, &out.seq)
    at = _take_uv(at, end, &out.nonce)
    at = _take_uv(at, end, &out.port)
    at = _take(at, end, 64, &out.psig)
    at = _take(at, end, 64, &out.sig)
    return _whole(at, end)


cdef int decode_lookup(const uint8_t *body, size_t size, Lookup *out) noexcept nogil:
    cdef const uint8_t *end = body + size
    cdef const uint8_t *at = _take(body, end, 32, &out.source)
    at = _take(at, end, 32, &out.dest)
    at = _take_path(at, end, &out.origin, &out.origin_size)
    return _whole(at, end)


cdef const uint8_t *_routed(const uint8_t *body, const uint8_t *end, Routed *out) noexcept nogil:
    cdef const uint8_t *at = _take_path(body, end, &out.path, &out.path_size)
    at = _take_uv(at, end, &out.watermark)
    at = _take(at, end, 32, &out.source)
    return _take(at, end, 32, &out.dest)


cdef int decode_broken(const uint8_t *body, size_t size, Routed *out) noexcept nogil:
    return _whole(_routed(body, body + size, out), body + size)


cdef int decode_notify(const uint8_t *body, size_t size, Routed *out) noexcept nogil:
    cdef const uint8_t *end = body + size
    cdef const uint8_t *at = _routed(body, end, out)
    out.info = at
    at = _take_uv(at, end, &out.seq)
    at = _take_path(at, end, &out.info_path, &out.info_path_size)
    if at != NULL:
        out.info_size = at - out.info
    at = _take(at, end, 64, &out.sig)
    return _whole(at, end)


cdef int decode_traffic(uint8_t *body, size_t size, Routed *out) noexcept nogil:
    cdef const uint8_t *end = body + size
    cdef const uint8_t *at = _take_path(body, end, &out.path, &out.path_size)
    at = _take_path(at, end, &out.origin, &out.origin_size)
    at = _take(at, end, 32, &out.source)
    at = _take(at, end, 32, &out.dest)
    at = _take_uv(at, end, &out.watermark)
    if at == NULL:
        return ERR_DECODE
    out.payload = <uint8_t *>at
    out.payload_size = end - at
    return OK


cdef size_t tree_bytes(uint8_t *out, const uint8_t *node, const uint8_t *parent, uint64_t seq, uint64_t nonce,
                       uint64_t port) noexcept nogil:
    cdef uint8_t *at = out + 64
    memcpy(out, node, 32)
    memcpy(out + 32, parent, 32)
    at = uv_put(at, seq)
    at = uv_put(at, nonce)
    at = uv_put(at, port)
    return at - out


cdef size_t encode_announce(uint8_t *out, const Announce *message) noexcept nogil:
    cdef size_t size = tree_bytes(out, message.node, message.parent, message.seq, message.nonce, message.port)
    memcpy(out + size, message.psig, 64)
    memcpy(out + size + 64, message.sig, 64)
    return size + 128


# The same codec for Python: tests, fuzzing, and tools that look at captured bytes.

def encode_uv(uint64_t value):
    """Return an integer as a varint."""
    cdef uint8_t out[UV_MAX]
    return out[:uv_put(out, value) - out]


def decode_uv(const uint8_t[::1] data, size_t offset=0):
    """Return the varint at `offset` and the offset after it."""
    cdef uint64_t value
    cdef const uint8_t *start = _start(data)
    cdef const uint8_t *at
    if offset > <size_t>data.shape[0]:
        raise ValueError("the offset is past the end")
    at = uv_get(start + offset, start + data.shape[0], &value)
    if at == NULL:
        raise ValueError("not a varint of 64 bits")
    return value, at - start


def encode_path(ports):
    """Return ports as a path."""
    if len(ports) > PATH_PORTS_MAX or not all(ports):
        raise ValueError("a path has at most 1024 ports, none of them zero")
    return b"".join([encode_uv(port) for port in ports]) + b"\0"


def decode_path(const uint8_t[::1] data):
    """Return the ports of a path that fills `data`."""
    cdef const uint8_t *start = _start(data)
    if path_skip(start, start + data.shape[0]) != start + data.shape[0] or data.shape[0] == 0:
        raise ValueError("not a path")
    return _path(start, data.shape[0])


def encode_frame(int kind, bytes body not None):
    """Return a message with its frame header."""
    if len(body) >= FRAME_MAX:
        raise ValueError("the body is too long for a frame")
    return encode_uv(len(body) + 1) + bytes((kind,)) + body


def encode_tree_bytes(bytes node not None, bytes parent not None, uint64_t seq, uint64_t nonce, uint64_t port):
    """Return what a parent and a node sign."""
    cdef uint8_t out[TREE_BYTES_MAX]
    if len(node) != 32 or len(parent) != 32:
        raise ValueError("keys have 32 bytes")
    return out[:tree_bytes(out, node, parent, seq, nonce, port)]


def decode(int kind, const uint8_t[::1] body):
    """Return the fields of a message body as a dict; ValueError with the reason when it does not decode."""
    cdef const uint8_t *start = _start(body)
    cdef size_t size = body.shape[0]
    cdef SigReq req
    cdef SigRes res
    cdef Announce announce
    cdef Lookup lookup
    cdef Routed routed
    if kind == SIG_REQ:
        _check(decode_sig_req(start, size, &req))
        return {"seq": req.seq, "nonce": req.nonce}
    if kind == SIG_RES:
        _check(decode_sig_res(start, size, &res))
        return {"seq": res.seq, "nonce": res.nonce, "port": res.port, "psig": res.psig[:64]}
    if kind == ANNOUNCE:
        _check(decode_announce(start, size, &announce))
        return {"node": announce.node[:32], "parent": announce.parent[:32], "seq": announce.seq,
                "nonce": announce.nonce,
                "port": announce.port, "psig": announce.psig[:64], "sig": announce.sig[:64]}
    if kind == PATH_LOOKUP:
        _check(decode_lookup(start, size, &lookup))
        return {"source": lookup.source[:32], "dest": lookup.dest[:32],
                "from": _path(lookup.origin, lookup.origin_size)}
    if kind == PATH_NOTIFY:
        _check(decode_notify(start, size, &routed))
        return {**_fields(&routed), "seq": routed.seq, "info_path": _path(routed.info_path, routed.info_path_size),
                "sig": routed.sig[:64]}
    if kind == PATH_BROKEN:
        _check(decode_broken(start, size, &routed))
        return _fields(&routed)
    if kind == TRAFFIC:
        _check(decode_traffic(<uint8_t *>start, size, &routed))
        return {**_fields(&routed), "from": _path(routed.origin, routed.origin_size),
                "payload": routed.payload[:routed.payload_size]}
    raise ValueError("ErrUnrecognizedMessage")


def encode(int kind, **fields):
    """Return the body of a message from the fields that decode() gives."""
    if kind == SIG_REQ:
        return encode_uv(fields["seq"]) + encode_uv(fields["nonce"])
    if kind == SIG_RES:
        return encode_uv(fields["seq"]) + encode_uv(fields["nonce"]) + encode_uv(fields["port"]) + fields["psig"]
    if kind == ANNOUNCE:
        return encode_tree_bytes(*[fields[name] for name in ("node", "parent", "seq", "nonce",
                                                             "port")]) + fields["psig"] + fields["sig"]
    if kind == PATH_LOOKUP:
        return fields["source"] + fields["dest"] + encode_path(fields["from"])
    if kind == TRAFFIC:
        return (encode_path(fields["path"]) + encode_path(fields["from"]) + fields["source"] + fields["dest"]
                + encode_uv(fields["watermark"]) + fields["payload"])
    if kind not in (PATH_NOTIFY, PATH_BROKEN):
        raise ValueError("ErrUnrecognizedMessage")
    body = encode_path(fields["path"]) + encode_uv(fields["watermark"]) + fields["source"] + fields["dest"]
    if kind == PATH_NOTIFY:
        body += encode_uv(fields["seq"]) + encode_path(fields["info_path"]) + fields["sig"]
    return body


cdef const uint8_t *_start(const uint8_t[::1] data) noexcept:
    return &data[0] if data.shape[0] else <const uint8_t *>b""


cdef list _path(const uint8_t *data, size_t size):
    cdef uint64_t port
    cdef const uint8_t *at = data
    result = []
    while at != NULL:
        at = uv_get(at, data + size, &port)
        if port == 0:
            break
        result.append(port)
    return result


cdef dict _fields(const Routed *routed):
    return {"path": _path(routed.path, routed.path_size), "watermark": routed.watermark,
            "source": routed.source[:32], "dest": routed.dest[:32]}


cdef int _check(int code) except -1:
    if code != OK:
        raise ValueError(error_name(code))
    return 0
