# Limits on what strangers can make us do: a token bucket, and a small table of what was done lately for which key.

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp, memcpy

from ygg_c.base.clock cimport SECOND
from ygg_c.base.mix cimport mix

# A token bucket whose rate and burst its owner knows: the caller names them. All zero it is full.
cdef struct Tokens:
    uint64_t used       # of the burst, in units of 1e-9 tokens: it is given back at the rate
    uint64_t stamp      # when `used` was that, ns

# Whether it had `cost` tokens, which it has no more then. `rate` is in tokens a second, `burst` what it holds at most.
cdef inline bint tokens_take(
    Tokens *tokens, uint64_t rate, uint64_t burst, uint64_t cost, uint64_t now
) noexcept nogil:
    cdef uint64_t passed = now - tokens.stamp if now > tokens.stamp else 0
    # More than it takes to fill the bucket says nothing more (and would overflow the product).
    if passed > tokens.used // rate:
        tokens.used = 0
    else:
        tokens.used -= passed * rate
    tokens.stamp = now
    if cost > burst or tokens.used > (burst - cost) * SECOND:
        return False
    tokens.used += cost * SECOND
    return True

# How many whole tokens it has now.
cdef inline uint64_t tokens_left(const Tokens *tokens, uint64_t rate, uint64_t burst, uint64_t now) noexcept nogil:
    cdef uint64_t passed = now - tokens.stamp if now > tokens.stamp else 0
    if passed > tokens.used // rate:
        return burst
    return (burst * SECOND - (tokens.used - passed * rate)) // SECOND

# Of what was taken just now so much was not used.
cdef inline void tokens_put_back(Tokens *tokens, uint64_t count) noexcept nogil:
    tokens.used -= min(tokens.used, count * SECOND)

# How many ns from its stamp on until it has `cost` tokens, no more than its burst.
cdef inline uint64_t tokens_wait(const Tokens *tokens, uint64_t rate, uint64_t burst, uint64_t cost) noexcept nogil:
    cdef uint64_t most = (burst - cost) * SECOND
    return (tokens.used - most) // rate + 1 if tokens.used > most else 0

# One that knows its rate.
cdef struct Bucket:
    uint64_t rate       # tokens per second
    uint64_t burst      # tokens it holds at most
    Tokens tokens

cdef inline void bucket_init(Bucket *bucket, uint64_t rate, uint64_t burst, uint64_t now) noexcept nogil:
    bucket.rate = rate
    bucket.burst = burst
    bucket.tokens.used = 0
    bucket.tokens.stamp = now

cdef inline bint bucket_take(Bucket *bucket, uint64_t now) noexcept nogil:
    return tokens_take(&bucket.tokens, bucket.rate, bucket.burst, 1, now)

# How many ns until a bucket that has just refused has a token.
cdef inline uint64_t bucket_wait(const Bucket *bucket) noexcept nogil:
    return tokens_wait(&bucket.tokens, bucket.rate, bucket.burst, 1)

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
    return (mix(word ^ salt) >> 32) & (RECENT_SLOTS - 1)

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
