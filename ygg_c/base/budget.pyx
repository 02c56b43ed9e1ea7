"""A rate of work, shared out fairly.

Theory of operation
-------------------
What was used is added up, in total, by origin and by source, and forgotten exponentially: after burst / rate seconds a
little over a third of it counts. As this is linear, the parts always add up to the total, and a claimant that has been
quiet costs nothing. For the same reason nothing is decayed in place: amounts are stored as if they had been used at
one reference time, so that only the scale of a new amount changes with time.

While less than half of the burst is in use anyone may use more. Beyond that an origin may have its share: four fifths
of the burst divided by the number of origins in use, so that there always is room for one more, and a source may have
half of what its origin may; a request that costs more than that is passed at the rate that it comes to. The last fifth
is for origins below their share, and what lies above the burst for known claimants alone.

Each origin has an account of its own. As the parts add up to the total, few can matter at a time: those that have next
to nothing in use are forgotten when the table needs room. Sources can be invented, so their memory is fixed, and each
origin's is its own, lest the sources of others be taken for one's own: a source is counted at two places that a salt
chooses (a count-min sketch), and has used at most the less of both. As all of them together use no more than their
origin may, no more than two can be near half of that at a time, and to meet one of them at both places is rare.
"""

from libc.math cimport exp, expm1, log
from libc.stdlib cimport calloc, free

from ygg_c.base.clock cimport SECOND
from ygg_c.base.mix cimport mix, mix_16

cdef double SHARED = 0.8            # of the burst: what the origins in use divide
cdef double KNOWN = 1.25            # times the burst: what known claimants may fill
cdef double IN_USE = 0.5            # tokens from which an origin counts
cdef double RESCALE = 300.0         # exponent of the scale that asks for another reference
cdef uint64_t RECOUNTS = 16         # in the time in which two thirds of what was used are forgotten
cdef enum:
    SIZE_LEAST = 16
    SIZE_MOST = 4096


cdef class Budget:
    """Tokens at `rate` a second, `burst` at once, shared fairly between origins and their sources."""

    def __cinit__(self):
        self._size = SIZE_LEAST
        self._accounts = <Account *>calloc(self._size, sizeof(Account))
        if self._accounts == NULL:
            raise MemoryError

    def __init__(self, double rate, double burst, uint64_t salt=0):
        if not (rate > 0 and burst >= 1):
            raise ValueError(f"a budget needs a positive rate and a burst of at least 1, not {rate} and {burst}")
        self._burst = burst
        self._decay = rate / burst / SECOND
        self._salt = salt

    def __dealloc__(self):
        cdef size_t index
        for index in range(self._size if self._accounts != NULL else 0):
            free(self._accounts[index].sources)
        free(self._accounts)

    cdef double _scale(self, uint64_t now) noexcept:
        cdef double exponent = <double>(now - self._reference) * self._decay if now > self._reference else 0.0
        cdef double factor
        cdef size_t index, place
        if exponent < RESCALE:
            return exp(exponent)
        factor = exp(-exponent)
        self._used *= factor
        for index in range(self._size):
            self._accounts[index].used *= factor
            for place in range(2 * SOURCES if self._accounts[index].sources != NULL else 0):
                self._accounts[index].sources[place] *= factor
        self._reference = now
        return 1.0

    # Origins

    # The slot of an origin, or the free one where it belongs.
    cdef Account *_slot_of(self, uint64_t origin) noexcept:
        cdef size_t index = (mix(origin) >> 32) & (self._size - 1)
        while self._accounts[index].taken and self._accounts[index].origin != origin:
            index = (index + 1) & (self._size - 1)
        return &self._accounts[index]

    # What an origin may have in use, in tokens.
    cdef double _share(self, double scale, uint64_t now) noexcept:
        if now >= self._recount_at:
            self._recount(scale)
            self._recount_at = now + <uint64_t>(1 / self._decay) // RECOUNTS
        return max(1.0, SHARED * self._burst / max(<size_t>1, self._origins))

    cdef void _recount(self, double scale) noexcept:
        cdef size_t index
        self._origins = 0
        for index in range(self._size):
            self._accounts[index].counted = self._accounts[index].used > IN_USE * scale
            self._origins += self._accounts[index].counted

    cdef void _add(self, uint64_t origin, const uint8_t *source, double amount, double scale) noexcept:
        cdef Account *account = self._slot_of(origin)
        self._used += amount
        if not account.taken:
            if 2 * self._taken >= self._size:
                if not self._make_room(scale):
                    return
                account = self._slot_of(origin)
            self._taken += 1
            account.taken = True
            account.origin = origin
        account.used += amount
        if source != NULL:
            self._add_source(account, source, amount)
        if not account.counted and account.used > IN_USE * scale:
            account.counted = True
            self._origins += 1

    # A table in which a quarter is taken at most, by those that have most in use.
    cdef bint _make_room(self, double scale) noexcept:
        cdef Account *old = self._accounts
        cdef size_t old_size = self._size
        cdef size_t index, kept = SIZE_MOST
        cdef double least = IN_USE * scale / 2
        while 4 * kept > SIZE_MOST:
            least *= 2
            kept = 0
            for index in range(old_size):
                kept += old[index].used > least
        while 4 * kept > self._size:
            self._size *= 2
        self._accounts = <Account *>calloc(self._size, sizeof(Account))
        if self._accounts == NULL:
            self._accounts = old
            self._size = old_size
            return False
        self._taken = kept
        for index in range(old_size):
            if old[index].used > least:
                self._slot_of(old[index].origin)[0] = old[index]
            else:
                free(old[index].sources)
        free(old)
        self._recount(scale)
        return True

    cdef double _used_by(self, Account *account, const uint8_t *source) noexcept:
        cdef size_t places[2]
        if account.sources == NULL:
            return 0.0
        _places(source, self._salt + account.origin, places)
        return min(account.sources[places[0]], account.sources[places[1]])

    # As far as there is memory for it; less than nothing is used by none.
    cdef void _add_source(self, Account *account, const uint8_t *source, double amount) noexcept:
        cdef size_t places[2]
        cdef size_t place
        if account.sources == NULL:
            account.sources = <double *>calloc(2 * SOURCES, sizeof(double))
            if account.sources == NULL:
                return
        _places(source, self._salt + account.origin, places)
        for place in places:
            account.sources[place] = max(0.0, account.sources[place] + amount)

    # Tokens

    cdef bint take(self, uint64_t origin, const uint8_t *source, bint known, double cost, uint64_t now) noexcept:
        cdef double scale = self._scale(now)
        cdef double amount = cost * scale
        cdef double share
        cdef Account *account
        if self._used + amount > self._burst * scale * (KNOWN if known else 1.0):
            self.refused += 1
            return False
        if self._used + amount > self._burst * scale / 2:
            share = self._share(scale, now) * scale
            account = self._slot_of(origin)
            if account.used > _room(share, amount) or (
                    source != NULL and self._used_by(account, source) > _room(share / 2, amount)):
                self.refused += 1
                return False
        self._add(origin, source, amount, scale)
        return True

    cdef void charge(self, uint64_t origin, double cost, uint64_t now) noexcept:
        cdef double scale = self._scale(now)
        self._add(origin, NULL, cost * scale, scale)

    cdef void give_back(self, uint64_t origin, const uint8_t *source, double cost, uint64_t now) noexcept:
        cdef double scale = self._scale(now)
        cdef double amount = cost * scale
        cdef Account *account = self._slot_of(origin)
        self._used = max(0.0, self._used - amount)
        account.used = max(0.0, account.used - amount)
        if account.counted and account.used <= IN_USE * scale:
            account.counted = False
            self._origins -= 1
        if source != NULL and account.sources != NULL:
            self._add_source(account, source, -amount)

    cdef uint64_t wait(self, uint64_t origin, bint known, double cost, uint64_t now) noexcept:
        cdef double scale = self._scale(now)
        cdef double used = self._used / scale
        cdef double own = self._slot_of(origin).used / scale
        cdef double share, excess = 0.0
        if used + cost <= self._burst / 2:
            return 0
        share = self._share(scale, now)
        # How many times too much is in use, in total or by this origin; a cost above the room counts as the whole room.
        excess = used / max(self._burst * (KNOWN if known else 1.0) - cost, 0.1 * self._burst)
        excess = max(excess, own / max(share - cost, 0.1 * share))
        return <uint64_t>(log(excess) / self._decay) + 1 if excess > 1.0 else 0

    # For tests

    def request(self, uint64_t origin, bytes source=None, bint known=False, double cost=1.0, uint64_t now=0):
        """Tell whether `cost` tokens may be used at `now` (ns) by a `source` of 32 bytes, if any."""
        if source is not None and len(source) != 32:
            raise ValueError("a source has 32 bytes")
        return self.take(origin, <const uint8_t *><const char *>source if source is not None else NULL, known, cost,
                         now)

    def refund(self, uint64_t origin, bytes source=None, double cost=1.0, uint64_t now=0):
        """Give back `cost` tokens that were taken and not used."""
        if source is not None and len(source) != 32:
            raise ValueError("a source has 32 bytes")
        self.give_back(origin, <const uint8_t *><const char *>source if source is not None else NULL, cost, now)

    def use(self, uint64_t origin, double cost=1.0, uint64_t now=0):
        """Use `cost` tokens, whatever was used before."""
        self.charge(origin, cost, now)

    @property
    def slots(self):
        """How many origins it has room for at present."""
        return self._size

    def delay(self, uint64_t origin, bint known=False, double cost=1.0, uint64_t now=0):
        """Return the ns until `cost` tokens may be used."""
        return self.wait(origin, known, cost, now)


# How much of a share may be in use already when `amount` is asked for. When many divide the burst, one request may cost
# more than a share: it passes as often as the share allows in the long run, not only when nothing at all is in use, as
# that never comes.
cdef inline double _room(double share, double amount) noexcept nogil:
    return share - amount if 2 * amount <= share else amount / expm1(amount / share)


cdef inline void _places(const uint8_t *source, uint64_t salt, size_t *places) noexcept nogil:
    cdef uint64_t code = mix_16(source, salt)
    places[0] = (code >> 59) & (SOURCES - 1)
    places[1] = SOURCES + ((code >> 40) & (SOURCES - 1))
