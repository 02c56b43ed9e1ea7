"""A token bucket as Python has it."""

from libc.stdint cimport uint64_t

from ygg_c.base.ratelimit cimport Bucket, bucket_init, bucket_take


def allowed(uint64_t rate, uint64_t burst, times):
    """Tell for each of `times` (ns, ascending) whether a bucket of `burst` tokens, refilled at `rate` a second, had
    one.
    """
    cdef Bucket bucket
    bucket_init(&bucket, rate, burst, 0)
    return [bool(bucket_take(&bucket, time)) for time in times]
