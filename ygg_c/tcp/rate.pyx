"""Samples of the delivery rate. See rate.pxd."""

from libc.stdint cimport uint64_t
from libc.string cimport memset


cdef RateSample rate_delivered(
    Rate *rate, const Sent *newest, uint64_t size, uint64_t least_rtt, uint64_t now
) noexcept nogil:
    cdef RateSample sample
    cdef uint64_t interval
    memset(&sample, 0, sizeof(sample))
    if size == 0:
        return sample
    rate.delivered += size
    rate.delivered_at = now
    if rate.limited and rate.delivered > rate.limited:
        rate.limited = 0
    if newest.last_sent == 0:
        return sample
    sample.prior_delivered = newest.delivered
    sample.limited = newest.flags & LIMITED != 0
    interval = max(newest.last_sent - newest.flight_at, now - newest.delivered_at)
    rate.flight_at = newest.last_sent
    # Shorter than any round trip: the ACK answers an earlier copy, or came with others.
    if interval and interval >= least_rtt:
        sample.rate = <uint64_t>(<double>(rate.delivered - newest.delivered) * 1e9 / interval)
    return sample


cdef class RateSampler:
    """The delivery rate of one connection by itself. Times are ns, sizes bytes."""

    cdef Rate _rate
    cdef list _sent

    def __cinit__(self):
        self._sent = []

    def sent(self, uint64_t now, uint64_t in_flight):
        """Note that a segment is sent, with `in_flight` before it; return its number."""
        cdef Sent record
        memset(&record, 0, sizeof(record))
        rate_sent(&self._rate, &record, in_flight, now)
        self._sent.append((now, record.delivered, record.delivered_at, record.flight_at, record.flags))
        return len(self._sent) - 1

    def limit(self, uint64_t in_flight):
        """Note that the application has nothing more to send."""
        rate_limit(&self._rate, in_flight)

    def delivered(self, int number, uint64_t size, uint64_t now, uint64_t least_rtt=0):
        """Note that an ACK delivers `size` bytes, of which segment `number` was sent last.

        Return the rate (bytes/s, None: no sample) and whether the application was the limit.
        """
        cdef Sent record
        cdef RateSample sample
        memset(&record, 0, sizeof(record))
        record.last_sent, record.delivered, record.delivered_at, record.flight_at, record.flags = self._sent[number]
        sample = rate_delivered(&self._rate, &record, size, least_rtt, now)
        return (sample.rate or None, bool(sample.limited))
