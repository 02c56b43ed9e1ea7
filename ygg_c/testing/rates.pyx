"""A token bucket, and the rate of a link, as Python has them."""

from libc.stdint cimport uint64_t

from ygg_c.base.ratelimit cimport Tokens, tokens_take, tokens_wait
from ygg_c.link.drain cimport Drain, drain_flushed, drain_init, drain_ran_dry, drain_took


def allowed(uint64_t rate, uint64_t burst, times, uint64_t cost=1):
    """Tell for each of `times` (ns, ascending) whether a bucket of `burst` tokens, refilled at `rate` a second, had
    `cost` of them.
    """
    cdef Tokens tokens
    tokens.used = tokens.stamp = 0
    return [bool(tokens_take(&tokens, rate, burst, cost, time)) for time in times]


def wait(uint64_t rate, uint64_t burst, times, uint64_t cost=1):
    """Take `cost` tokens at each of `times` (ns) from such a bucket; return how many ns it then lacks the next `cost`.
    """
    cdef Tokens tokens
    tokens.used = tokens.stamp = 0
    for time in times:
        tokens_take(&tokens, rate, burst, cost, time)
    return tokens_wait(&tokens, rate, burst, cost)


cdef class DrainTap:
    """What a link knows of how fast it drains."""

    cdef Drain _drain

    def __cinit__(self):
        drain_init(&self._drain)

    def took(self, size_t count, bint full, uint64_t now):
        """The transport has taken bytes."""
        drain_took(&self._drain, count, full, now)

    def flushed(self, bint full, uint64_t now):
        """Output has been given to the transport."""
        drain_flushed(&self._drain, full, now)

    def ran_dry(self):
        """The transport was full, and had sent everything when it told of room."""
        drain_ran_dry(&self._drain)

    @property
    def rate(self):
        return self._drain.rate

    @property
    def guessed(self):
        return bool(self._drain.guessed)

    @property
    def limits(self):
        return {"flight": self._drain.flight, "unsent": self._drain.unsent, "credit": self._drain.credit,
                "ahead": self._drain.ahead, "burst": self._drain.burst}
