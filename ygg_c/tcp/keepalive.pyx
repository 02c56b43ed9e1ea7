"""When an idle connection is probed; see keepalive.pxd."""


cdef void keepalive_heard(KeepAlive *keep, uint64_t now) noexcept nogil:
    keep.heard_at = now
    keep.probes = 0
    keep.checks = 0


cdef Look keepalive_look(
    KeepAlive *keep, uint64_t idle, uint64_t interval, int count, bint waits, uint64_t now, uint64_t *look_at
) noexcept nogil:
    if now < keep.heard_at + idle or waits:
        look_at[0] = max(keep.heard_at, now if waits else 0) + idle
        return REST
    if keep.probes >= min(count, 65535):
        return GIVE_UP
    keep.probes += 1
    look_at[0] = now + interval
    return ASK_AGAIN if keep.probes > 1 else ASK
