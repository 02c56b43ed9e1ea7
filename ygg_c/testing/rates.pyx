"""A token bucket as Python has it."""

from libc.stdint cimport uint64_t

from ygg_c.base.ratelimit cimport Tokens, tokens_take, tokens_wait


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
