# The router's messages on the wire (protocol 0.5, framing and message types). All decoders are total: any bytes in, a
# value or NULL / a code out, nothing kept.

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    DUMMY = 0
    KEEPALIVE = 1
    SIG_REQ = 2
    SIG_RES = 3
    ANNOUNCE = 4
    BLOOM_FILTER = 5
    PATH_LOOKUP = 6
    PATH_NOTIFY = 7
    PATH_BROKEN = 8
    TRAFFIC = 9

cdef enum:
    FRAME_MAX = 131070          # largest length value
    UV_MAX = 10
    PATH_PORTS_MAX = 1024       # longer paths are refused; real trees are far below 128 deep
    PATH_MAX = 10 * 1024 + 1    # bytes of the longest path

# Why a link is closed; error_name() gives the bare name the reference uses.
cdef enum:
    OK = 0
    ERR_DECODE
    ERR_BAD_MESSAGE
    ERR_EMPTY_MESSAGE
    ERR_OVERSIZED_MESSAGE
    ERR_UNRECOGNIZED_MESSAGE

cdef str error_name(int code)

cdef inline int uv_size(uint64_t value) noexcept nogil:
    cdef int size = 1
    while value >= 0x80:
        value >>= 7
        size += 1
    return size

cdef inline uint8_t *uv_put(uint8_t *out, uint64_t value) noexcept nogil:
    while value >= 0x80:
        out[0] = <uint8_t>(value | 0x80)
        out += 1
        value >>= 7
    out[0] = <uint8_t>value
    return out + 1

# The byte after the integer; NULL when the input ends first or it does not fit 64 bits. Longer forms than needed pass.
cdef inline const uint8_t *uv_get(const uint8_t *at, const uint8_t *end, uint64_t *value) noexcept nogil:
    cdef uint64_t result = 0
    cdef int shift = 0
    cdef uint8_t byte
    while at < end:
        byte = at[0]
        at += 1
        if shift == 63 and byte > 1:
            return NULL
        result |= <uint64_t>(byte & 0x7f) << shift
        if byte < 0x80:
            value[0] = result
            return at
        shift += 7
        if shift > 63:
            return NULL
    return NULL

# The byte after the path's closing zero; NULL when it does not decode or has more than PATH_PORTS_MAX ports.
cdef inline const uint8_t *path_skip(const uint8_t *at, const uint8_t *end) noexcept nogil:
    cdef uint64_t port
    cdef size_t count = 0
    while True:
        at = uv_get(at, end, &port)
        if at == NULL or port == 0:
            return at
        count += 1
        if count > PATH_PORTS_MAX:
            return NULL

# Decode a path that path_skip accepted into at most `most` ports; returns how many there are.
cdef size_t path_ports(const uint8_t *at, const uint8_t *end, uint64_t *ports, size_t most) noexcept nogil
# Encode `count` ports and the closing zero; returns the byte after it. Takes up to 10 * count + 1 bytes.
cdef uint8_t *path_put(uint8_t *out, const uint64_t *ports, size_t count) noexcept nogil
cdef size_t ports_size(const uint64_t *ports, size_t count) noexcept nogil

cdef inline uint8_t *frame_put(uint8_t *out, int kind, size_t body) noexcept nogil:
    out = uv_put(out, body + 1)
    out[0] = <uint8_t>kind
    return out + 1

cdef inline int frame_header_size(size_t body) noexcept nogil:
    return uv_size(body + 1) + 1

cdef struct SigReq:
    uint64_t seq
    uint64_t nonce

cdef struct SigRes:
    uint64_t seq
    uint64_t nonce
    uint64_t port
    const uint8_t *psig

cdef struct Announce:
    const uint8_t *node
    const uint8_t *parent
    uint64_t seq
    uint64_t nonce
    uint64_t port
    const uint8_t *psig
    const uint8_t *sig

cdef struct Lookup:
    const uint8_t *source
    const uint8_t *dest
    const uint8_t *origin           # the field called `from`: the source's coordinates
    size_t origin_size

# Traffic, PathNotify and PathBroken: everything that is forwarded greedily along `path`.
cdef struct Routed:
    const uint8_t *path
    size_t path_size
    uint64_t watermark
    const uint8_t *source
    const uint8_t *dest
    const uint8_t *origin           # Traffic only
    size_t origin_size
    uint8_t *payload                # Traffic only
    size_t payload_size
    uint64_t seq                    # the rest: PathNotify only
    const uint8_t *info             # the signed bytes: uv(seq) and info_path, as received
    size_t info_size
    const uint8_t *info_path
    size_t info_path_size
    const uint8_t *sig

cdef int decode_sig_req(const uint8_t *body, size_t size, SigReq *out) noexcept nogil
cdef int decode_sig_res(const uint8_t *body, size_t size, SigRes *out) noexcept nogil
cdef int decode_announce(const uint8_t *body, size_t size, Announce *out) noexcept nogil
cdef int decode_lookup(const uint8_t *body, size_t size, Lookup *out) noexcept nogil
cdef int decode_notify(const uint8_t *body, size_t size, Routed *out) noexcept nogil
cdef int decode_broken(const uint8_t *body, size_t size, Routed *out) noexcept nogil
cdef int decode_traffic(uint8_t *body, size_t size, Routed *out) noexcept nogil

# What a parent and a node sign: node || parent || seq || nonce || port. Returns its size, at most TREE_BYTES_MAX.
cdef enum:
    TREE_BYTES_MAX = 94
    ANNOUNCE_MAX = 222
cdef size_t tree_bytes(uint8_t *out, const uint8_t *node, const uint8_t *parent, uint64_t seq, uint64_t nonce,
                       uint64_t port) noexcept nogil
cdef size_t encode_announce(uint8_t *out, const Announce *message) noexcept nogil
