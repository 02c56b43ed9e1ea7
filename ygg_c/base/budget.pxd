# A rate of work that strangers may cause, shared out fairly: by where it comes in, and there by who asks. See
# budget.pyx.

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    SOURCES = 32                # places in each of the two rows in which an origin's sources are counted

# What one origin has used, in a slot of a table with open addressing.
cdef struct Account:
    uint64_t origin
    double used             # scaled
    double *sources         # scaled; two rows of places. NULL: none has been named
    bint counted            # among the origins in use
    bint taken              # this slot

cdef class Budget:
    cdef double _burst              # tokens
    cdef double _decay              # 1 / ns: what was used is forgotten at this rate
    cdef double _used               # in all; scaled as all that is used, see _scale()
    cdef Account *_accounts
    cdef size_t _size               # slots in this table, a power of two; as many as origins are in use ask for
    cdef size_t _taken              # of them
    cdef size_t _origins            # in use; exact upwards, and recounted as time lets them fall below
    cdef uint64_t _recount_at
    cdef uint64_t _reference        # ns: when the scale was 1
    cdef uint64_t _salt
    cdef readonly uint64_t refused

    # Whether `cost` tokens may be used now. `origin`: the number of the neighbour, or any other number that stands for
    # a place where requests come in. `source`: 32 bytes that name who asks, or NULL. `known`: who asks has a claim that
    # strangers do not have (a session, a proven link), and finds room when they have used up theirs.
    cdef bint take(self, uint64_t origin, const uint8_t *source, bint known, double cost, uint64_t now) noexcept
    # They are used whatever was used before: for work that is bounded otherwise, and counts for what else its origin
    # asks for.
    cdef void charge(self, uint64_t origin, double cost, uint64_t now) noexcept
    # Of what was taken so much was not used after all.
    cdef void give_back(self, uint64_t origin, const uint8_t *source, double cost, uint64_t now) noexcept
    # How many ns until `origin` may use `cost` tokens, if nothing else is used meanwhile; 0 when it may now.
    cdef uint64_t wait(self, uint64_t origin, bint known, double cost, uint64_t now) noexcept
    cdef double _scale(self, uint64_t now) noexcept
    cdef double _share(self, double scale, uint64_t now) noexcept
    cdef void _recount(self, double scale) noexcept
    cdef Account *_slot_of(self, uint64_t origin) noexcept
    cdef void _add(self, uint64_t origin, const uint8_t *source, double amount, double scale) noexcept
    cdef bint _make_room(self, double scale) noexcept
    cdef double _used_by(self, Account *account, const uint8_t *source) noexcept
    cdef void _add_source(self, Account *account, const uint8_t *source, double amount) noexcept
