# Limits on what strangers can make us do: a token bucket, and a small table of what was done lately for which key.

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp, memcpy

cdef struct Bucket:
    uint64_t rate       # tokens per second
    uint64_t burst      # tokens it holds at most
    uint64_t level      # tokens left, in units of 1e-9
    uint64_t stamp

cdef inline void bucket_init(Bucket *bucket, uint64_t rate, uint64_t burst, uint64_t now) noexcept nogil:
    bucket.rate = rate
    bucket.burst = burst
    bucket.level = burst * 1000000000
    bucket.stamp = now

cdef inline bint bucket_take(Bucket *bucket, uint64_t now) noexcept nogil:
    cdef uint64_t full = bucket.burst * <uint64_t>1000000000
    cdef uint64_t passed = now - bucket.stamp if now > bucket.stamp else 0
    # More than it takes to fill an empty bucket says nothing more (and would overflow the product).
    if passed >= full // bucket.rate:
        bucket.level = full
    else:
        bucket.level = min(full, bucket.level + passed * bucket.rate)
    bucket.stamp = now
    if bucket.level < 1000000000:
        return False
    bucket.level -= 1000000000
    return True

# How many ns until a bucket that has just refused has a token.
cdef inline uint64_t bucket_wait(const Bucket *bucket) noexcept nogil:
    return (1000000000 - bucket.level) // bucket.rate + 1

# Something that is done ever less often while there is reason for it again and again.
cdef struct Backoff:
    uint64_t after      # when it may be done again
    uint64_t gap        # ns between the last two

# Note that it is done now, where it may be: the next time is `least` ns later, and twice as late each time, up to
# `most`. Once it could have been done for as long as that, and was not, all is as it was.
cdef inline void backoff_step(Backoff *backoff, uint64_t least, uint64_t most, uint64_t now) noexcept nogil:
    if now - backoff.after > most:
        backoff.gap = 0
    backoff.gap = min(max(least, 2 * backoff.gap), most)
    backoff.after = now + backoff.gap

cdef enum:
    RECENT_SLOTS = 256

cdef struct RecentSlot:
    uint8_t key[32]
    uint64_t until      # 0: free

# Direct mapped: a newer key pushes out an older one, which costs one repetition and no memory.
cdef struct Recent:
    RecentSlot slots[RECENT_SLOTS]

cdef inline size_t recent_slot(const uint8_t *key, uint64_t salt) noexcept nogil:
    cdef uint64_t word
    memcpy(&word, key + 8, 8)
    word = (word ^ salt) * <uint64_t>0x9e3779b97f4a7c15
    return (word >> 32) & (RECENT_SLOTS - 1)

# Remember a key for `interval` (ns) from now on.
cdef inline void recent_note(Recent *recent, const uint8_t *key, uint64_t salt, uint64_t now,
                             uint64_t interval) noexcept nogil:
    cdef RecentSlot *slot = &recent.slots[recent_slot(key, salt)]
    memcpy(slot.key, key, 32)
    slot.until = now + interval

# True the first time for a key, then False until `interval` (ns) has passed. `salt` keeps strangers from aiming at a
# slot.
cdef inline bint recent_pass(Recent *recent, const uint8_t *key, uint64_t salt, uint64_t now,
                             uint64_t interval) noexcept nogil:
    cdef RecentSlot *slot = &recent.slots[recent_slot(key, salt)]
    if slot.until > now and memcmp(slot.key, key, 32) == 0:
        return False
    recent_note(recent, key, salt, now, interval)
    return True

# Whether it passed, or was noted, for this key less than its interval ago (and no other key has taken the slot since).
cdef inline bint recent_is(const Recent *recent, const uint8_t *key, uint64_t salt, uint64_t now) noexcept nogil:
    cdef const RecentSlot *slot = &recent.slots[recent_slot(key, salt)]
    return slot.until > now and memcmp(slot.key, key, 32) == 0
