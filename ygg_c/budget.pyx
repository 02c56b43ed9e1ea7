"""A rate of work, shared out fairly.

Theory of operation
-------------------
What was used is added up, in total, by origin and by source, and forgotten exponentially: after burst / rate seconds a
little over a third of it counts. As this is linear, the parts always add up to the total, and a claimant that has been quiet
needs no upkeep. For the same reason nothing is decayed in place: amounts are stored as if they had been used at one reference
time, so that only the scale of a new amount changes with time.

While less than half of the burst is in use anyone may use more. Beyond that an origin may have its share: four fifths of the
burst divided by the number of origins in use, so that there always is room for one more, and a source may have half of what
its origin may. The last fifth is for origins below their share, and what lies above the burst for known claimants alone.
Memory is fixed: origins and sources that fall into one slot share it. Sources are spread with a salt, for they can be invented.
"""

from libc.math cimport exp, log
from libc.string cimport memcpy

cdef double SHARED = 0.8            # of the burst: what the origins in use divide
cdef double KNOWN = 1.25            # times the burst: what known claimants may fill
cdef double IN_USE = 0.5            # tokens from which an origin counts
cdef double RESCALE = 300.0         # exponent of the scale that asks for another reference


cdef class Budget:
    """Tokens at `rate` a second, `burst` at once, shared fairly between origins and their sources."""

    def __init__(self, double rate, double burst, uint64_t salt=0):
        if not (rate > 0 and burst >= 1):
            raise ValueError(f"a budget needs a positive rate and a burst of at least 1, not {rate} and {burst}")
        self._burst = burst
        self._decay = rate / burst / 1e9
        self._salt = salt

    cdef double _scale(self, uint64_t now) noexcept:
        cdef double exponent = <double>(now - self._reference) * self._decay if now > self._reference else 0.0
        cdef double factor
        cdef int index
        if exponent < RESCALE:
            return exp(exponent)
        factor = exp(-exponent)
        self._used *= factor
        for index in range(ORIGINS):
            self._by_origin[index] *= factor
        for index in range(SOURCES):
            self._by_source[index] *= factor
        self._reference = now
        return 1.0

    # What an origin may have in use, in tokens.
    cdef double _share(self, double scale) noexcept:
        cdef double least = IN_USE * scale
        cdef int used = 0
        cdef int index
        for index in range(ORIGINS):
            used += self._by_origin[index] > least
        return max(1.0, SHARED * self._burst / max(1, used))

    cdef bint take(self, uint64_t origin, const uint8_t *source, bint known, double cost, uint64_t now) noexcept:
        cdef double scale = self._scale(now)
        cdef double amount = cost * scale
        cdef double *by_origin = &self._by_origin[origin & (ORIGINS - 1)]
        cdef double *by_source = NULL
        cdef double share
        if source != NULL:
            by_source = &self._by_source[_slot(source, self._salt + origin)]
        if self._used + amount > self._burst * scale * (KNOWN if known else 1.0):
            self.refused += 1
            return False
        if self._used + amount > self._burst * scale / 2:
            share = self._share(scale) * scale
            if by_origin[0] + amount > max(share, amount) or (
                    by_source != NULL and by_source[0] + amount > max(share / 2, amount)):
                self.refused += 1
                return False
        self._used += amount
        by_origin[0] += amount
        if by_source != NULL:
            by_source[0] += amount
        return True

    cdef void give_back(self, uint64_t origin, const uint8_t *source, double cost, uint64_t now) noexcept:
        cdef double amount = cost * self._scale(now)
        cdef double *by_origin = &self._by_origin[origin & (ORIGINS - 1)]
        cdef double *by_source
        self._used = max(0.0, self._used - amount)
        by_origin[0] = max(0.0, by_origin[0] - amount)
        if source != NULL:
            by_source = &self._by_source[_slot(source, self._salt + origin)]
            by_source[0] = max(0.0, by_source[0] - amount)

    cdef uint64_t wait(self, uint64_t origin, bint known, double cost, uint64_t now) noexcept:
        cdef double scale = self._scale(now)
        cdef double used = self._used / scale
        cdef double own = self._by_origin[origin & (ORIGINS - 1)] / scale
        cdef double share, excess = 0.0
        if used + cost <= self._burst / 2:
            return 0
        share = self._share(scale)
        # How many times too much is in use, in total or by this origin; a cost above the room counts as the whole room.
        excess = used / max(self._burst * (KNOWN if known else 1.0) - cost, 0.1 * self._burst)
        excess = max(excess, own / max(share - cost, 0.1 * share))
        return <uint64_t>(log(excess) / self._decay) + 1 if excess > 1.0 else 0

    # For tests

    def request(self, uint64_t origin, bytes source=None, bint known=False, double cost=1.0, uint64_t now=0):
        """Tell whether `cost` tokens may be used at `now` (ns) by a `source` of 32 bytes, if any."""
        if source is not None and len(source) != 32:
            raise ValueError("a source has 32 bytes")
        return self.take(origin, <const uint8_t *><const char *>source if source is not None else NULL, known, cost, now)

    def refund(self, uint64_t origin, bytes source=None, double cost=1.0, uint64_t now=0):
        """Give back `cost` tokens that were taken and not used."""
        if source is not None and len(source) != 32:
            raise ValueError("a source has 32 bytes")
        self.give_back(origin, <const uint8_t *><const char *>source if source is not None else NULL, cost, now)

    def delay(self, uint64_t origin, bint known=False, double cost=1.0, uint64_t now=0):
        """Return the ns until `cost` tokens may be used."""
        return self.wait(origin, known, cost, now)


cdef inline size_t _slot(const uint8_t *source, uint64_t salt) noexcept nogil:
    cdef uint64_t first, second
    memcpy(&first, source, 8)
    memcpy(&second, source + 8, 8)
    first = (first ^ salt) * <uint64_t>0x9e3779b97f4a7c15
    first = ((first ^ (first >> 32)) + second) * <uint64_t>0xd6e8feb86659fd93
    return (first >> 40) & (SOURCES - 1)
