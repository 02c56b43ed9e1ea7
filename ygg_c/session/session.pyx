"""The key ratchet of one end-to-end session.

Theory of operation
-------------------
Each side owns three X25519 key pairs, `recv`, `send` and `next`, in the order in which they came into use, and numbers
its steps with `local_seq`; it remembers two public keys of the remote, `current` and `next`, and the remote's number.
The two views meet in four shared secrets, of which we send under one (their current key, our `send` key) and accept
under three:

    their keyseq   their view of ours   secret                     when
    remote_seq     local_seq - 1        (current, our recv)        they have not seen our latest step
    remote_seq + 1 local_seq            (next,    our send)        they have, and stepped themselves
    remote_seq + 1 local_seq - 1        (next,    our recv)        both opened at the same moment

What each of these, and each handshake, does to the keys is in one table (ratchet.pyx).

Every packet carries the sender's `next` public key in front of its payload. A packet under one of the two `next`
secrets therefore proves that the remote has moved on and tells what comes after; at most once a minute it makes us
step as well: their `next` becomes their `current`, our `send` becomes `recv`, `next` becomes `send`, and a fresh pair
becomes `next`. While traffic flows both ways keys thus roll forward a step a minute, and a pair that has left the three
is gone for good. Between steps packets simply keep arriving under the `next` secrets.

Init and Ack carry the sender's `send` and `next` keys and make both sides step, whatever state they were in; they are
boxed under a throw-away key and signed with the node's identity. Only one with a later second than all before counts.
One that tells the keys we know already, because our answer is lost or still on its way, makes us step no further: over
a long way more and more of them would be on their way, each making void what the one before has settled.

A nonce must be above the highest accepted under the same secret, so nothing is delivered twice, and in order under
each secret (what was held back while keys changed may still open under older ones that are accepted). In a
step the (next, send) secret becomes the (current, recv) one and takes its counter along. A handshake may name keys we
have received under (the remote repeats what it sent because it lost something else): the counter goes with the secret
then too. For the same reason a handshake never winds back the send nonce. 2**64 packets under one key cannot happen, so
nothing is done about it.

Secrets are computed when first needed: a step usually costs one key pair and two of the four scalar multiplications.
Any number may be hostile. A key that yields no secret (a point of small order) makes its packets unsealable, no more.
"""

from libc.string cimport memcmp, memcpy, memset

from ygg_c.base.clock cimport SECOND
from ygg_c.base.live cimport LIVE_SESSION, born, died
from ygg_c.base.packet cimport packet_headroom, packet_push
from ygg_c.base.sodium cimport (
    MAC_SIZE, NONCE_SIZE, SIG_SIZE, box_key, box_open, box_public, box_seal, box_subkey, ed_to_x_public,
    ed_to_x_secret, sign, subkey_open, subkey_seal, verify, wipe,
)
from ygg_c.link.wire cimport uv_get, uv_put, uv_size
from ygg_c.session.ratchet cimport (
    DUE, HANDSHAKE_AGAIN, HANDSHAKE_ANEW, HANDSHAKE_COPY, HANDSHAKE_LATER, HANDSHAKE_OLD, RESTED, STEP, TAKE,
    TRAFFIC_UNKNOWN, action_for, traffic_event,
)

import hashlib

cdef enum:
    PLAIN_SIZE = 144                    # of a handshake: signature, two keys, two numbers
    SIGNED_SIZE = 32 + 32 + PLAIN_SIZE - SIG_SIZE
    TRAFFIC_HEADROOM = 79               # the longest Traffic header, with tag and key

cdef uint64_t ROTATION_INTERVAL = 60 * SECOND


cdef inline void _put_u64(uint8_t *out, uint64_t value) noexcept nogil:
    cdef int index
    for index in range(8):
        out[index] = <uint8_t>(value >> (56 - 8 * index))


cdef inline uint64_t _get_u64(const uint8_t *data) noexcept nogil:
    cdef uint64_t value = 0
    cdef int index
    for index in range(8):
        value = value << 8 | data[index]
    return value


cdef inline void _nonce(uint8_t *nonce, uint64_t number) noexcept nogil:
    memset(nonce, 0, NONCE_SIZE - 8)
    _put_u64(nonce + NONCE_SIZE - 8, number)


cdef void fresh_pair(KeyPair *pair, Random random) noexcept:
    random.fill(pair.secret, 32)
    box_public(pair.public, pair.secret)


cdef int identity_init(Identity *me, const uint8_t *secret, bytes group_password) except -1:
    cdef bytes digest
    memcpy(me.secret, secret, 64)
    memcpy(me.key, secret + 32, 32)
    ed_to_x_secret(me.x_secret, secret)
    me.group_size = 0
    if group_password:
        digest = hashlib.sha256(b"ironwood/encrypted\0" + group_password).digest()
        memcpy(me.group, <const char *>digest, 32)
        me.group_size = 32
    return 0


# group || ephemeral || what the signature covers of the plaintext
cdef size_t _signed(uint8_t *out, const Identity *me, const uint8_t *ephemeral, const uint8_t *plain) noexcept nogil:
    cdef size_t size = me.group_size
    memcpy(out, me.group, size)
    memcpy(out + size, ephemeral, 32)
    memcpy(out + size + 32, plain + SIG_SIZE, PLAIN_SIZE - SIG_SIZE)
    return size + 32 + PLAIN_SIZE - SIG_SIZE


cdef int handshake_encode(uint8_t *out, int kind, const Handshake *content, const Identity *me,
                          const uint8_t *x_public, Random random) noexcept:
    cdef KeyPair ephemeral
    cdef uint8_t shared[32]
    cdef uint8_t covered[SIGNED_SIZE]
    cdef uint8_t nonce[NONCE_SIZE]
    cdef uint8_t *plain = out + 33 + MAC_SIZE
    cdef int result
    fresh_pair(&ephemeral, random)
    result = box_key(shared, x_public, ephemeral.secret)
    if result == 0:
        out[0] = <uint8_t>kind
        memcpy(out + 1, ephemeral.public, 32)
        memcpy(plain + 64, content.current, 32)
        memcpy(plain + 96, content.next, 32)
        _put_u64(plain + 128, content.keyseq)
        _put_u64(plain + 136, content.seq)
        sign(plain, covered, _signed(covered, me, out + 1, plain), me.secret)
        _nonce(nonce, 0)
        box_seal(plain, out + 33, plain, PLAIN_SIZE, nonce, shared)
    wipe(&ephemeral, sizeof(ephemeral))
    wipe(shared, 32)
    return 0 if result == 0 else -1


cdef int handshake_decode(Handshake *content, uint8_t *message, const Identity *me, const uint8_t *key) noexcept:
    cdef uint8_t shared[32]
    cdef uint8_t covered[SIGNED_SIZE]
    cdef uint8_t nonce[NONCE_SIZE]
    cdef uint8_t *plain = message + 33 + MAC_SIZE
    cdef bint opened
    if box_key(shared, message + 1, me.x_secret) != 0:
        return -1
    _nonce(nonce, 0)
    opened = box_open(plain, plain, message + 33, PLAIN_SIZE, nonce, shared) == 0
    wipe(shared, 32)
    if not opened:
        return -1
    if verify(plain, covered, _signed(covered, me, message + 1, plain), key) != 0:
        return -1
    memcpy(content.current, plain + 64, 32)
    memcpy(content.next, plain + 96, 32)
    content.keyseq = _get_u64(plain + 128)
    content.seq = _get_u64(plain + 136)
    return 0


cdef class Remote:
    """A node that we exchange handshakes with."""

    cdef const uint8_t *exchange_key(self) noexcept:
        if self.x_state == 0:
            self.x_state = 1 if ed_to_x_public(self.x_public, self.key) == 0 else -1
        return &self.x_public[0] if self.x_state > 0 else NULL


cdef class Session(Remote):
    """Our end of a session with one remote key."""

    def __cinit__(self):
        born(LIVE_SESSION)

    def __dealloc__(self):
        wipe(&self.recv, sizeof(KeyPair))
        wipe(&self.send, sizeof(KeyPair))
        wipe(&self.next, sizeof(KeyPair))
        wipe(self.secrets, sizeof(self.secrets))
        died(LIVE_SESSION)

    cdef void start(self, const Handshake *content, const KeyPair *current, const KeyPair *next, uint64_t now) noexcept:
        if current != NULL:
            self.send = current[0]
            self.next = next[0]
        else:
            fresh_pair(&self.send, self.random)
            fresh_pair(&self.next, self.random)
        self._take(content, now)

    cdef int judge(self, const Handshake *content) noexcept:
        cdef bint known = (content.keyseq == self.remote_seq and memcmp(content.current, self.remote_current, 32) == 0
                           and memcmp(content.next, self.remote_next, 32) == 0)
        if content.seq <= self.stamp:
            return HANDSHAKE_COPY if known and content.seq == self.stamp else HANDSHAKE_OLD
        if known:
            return HANDSHAKE_AGAIN
        if (content.keyseq <= 1 and memcmp(content.current, self.remote_current, 32) != 0
                and memcmp(content.current, self.remote_next, 32) != 0):
            return HANDSHAKE_ANEW
        return HANDSHAKE_LATER

    cdef void accept(self, const Handshake *content, int judgement, uint64_t now) noexcept:
        self.proven = True
        if action_for(self._state(now), judgement) == TAKE:
            self._take(content, now)
        else:
            self.stamp = content.seq

    cdef void _take(self, const Handshake *content, uint64_t now) noexcept:
        # Our `send` becomes `recv`: of what we have received under, only (next, send) can come up again.
        cdef uint64_t seen = self.nonces[NEXT_SEND]
        cdef uint64_t seen_current = seen if memcmp(content.current, self.remote_next, 32) == 0 else 0
        cdef uint64_t seen_next = seen if memcmp(content.next, self.remote_next, 32) == 0 else 0
        memcpy(self.remote_current, content.current, 32)
        memcpy(self.remote_next, content.next, 32)
        self.remote_seq = content.keyseq
        self.stamp = content.seq
        self._advance(now)
        self._rekey(seen_current, self.nonce_sent)
        self.nonces[NEXT_RECV] = seen_next

    cdef void describe(self, Handshake *content) noexcept:
        memcpy(content.current, self.send.public, 32)
        memcpy(content.next, self.next.public, 32)
        content.keyseq = self.local_seq

    cdef int seal(self, Packet *packet) noexcept:
        cdef const uint8_t *secret = self._secret(CURRENT_SEND)
        cdef uint64_t number = self.nonce_sent + 1
        cdef size_t prefix = 1 + uv_size(self.local_seq) + uv_size(self.remote_seq) + uv_size(number)
        cdef size_t payload = packet.size
        cdef uint8_t nonce[8]
        cdef uint8_t *out
        cdef uint8_t *box
        if secret == NULL or packet_headroom(packet) < TRAFFIC_HEADROOM:
            return -1
        memcpy(packet_push(packet, 32), self.next.public, 32)
        box = packet.data
        out = packet_push(packet, prefix + MAC_SIZE)
        _put_u64(nonce, number)
        subkey_seal(box, box - MAC_SIZE, payload + 32, nonce, secret)
        out[0] = SESSION_TRAFFIC
        uv_put(uv_put(uv_put(out + 1, self.local_seq), self.remote_seq), number)
        self.nonce_sent = number
        self.bytes_sent += payload
        self.packets_sent += 1
        return 0

    cdef int open(self, uint8_t *message, size_t size, uint64_t now, uint8_t **payload, size_t *payload_size) noexcept:
        cdef uint64_t theirs, ours, number
        cdef const uint8_t *place
        cdef const uint8_t *end = message + size
        cdef uint8_t nonce[8]
        cdef const uint8_t *secret
        cdef uint8_t *box
        cdef int which
        if size < TRAFFIC_SMALLEST:
            return OPEN_MALFORMED
        place = uv_get(message + 1, end, &theirs)
        if place != NULL:
            place = uv_get(place, end, &ours)
        if place != NULL:
            place = uv_get(place, end, &number)
        if place == NULL or end - place < MAC_SIZE + 32:
            return OPEN_MALFORMED
        which = traffic_event(theirs - self.remote_seq, self.local_seq - ours)
        if which == TRAFFIC_UNKNOWN:
            return OPEN_UNKNOWN_KEYS
        secret = self._secret(which)
        if secret == NULL:
            return OPEN_FORGED
        box = message + (place - message) + MAC_SIZE
        _put_u64(nonce, number)
        if subkey_open(box, place, end - box, nonce, secret) != 0:
            return OPEN_FORGED
        # Only now: a remote that was restarted counts from one, and must hear that its keys are wrong.
        if number <= self.nonces[which]:
            return OPEN_REPLAYED
        self.answered = which == NEXT_SEND and self.nonces[which] == 0
        if self.answered:
            self.answered_after = now - self.stepped
        self.nonces[which] = number
        self.proven = True
        payload[0] = box + 32
        payload_size[0] = end - box - 32
        self.bytes_received += payload_size[0]
        self.packets_received += 1
        if action_for(self._state(now), which) == STEP:
            self._step(box, now)
        return OPENED

    # Whether a packet that shows a step of the remote has us step.
    cdef int _state(self, uint64_t now) noexcept:
        return RESTED if self.has_rotated and now - self.rotated <= ROTATION_INTERVAL else DUE

    # Follow the remote, whose next public key is at `next`.
    cdef void _step(self, const uint8_t *next, uint64_t now) noexcept:
        memcpy(self.remote_current, self.remote_next, 32)
        memcpy(self.remote_next, next, 32)
        self.remote_seq += 1
        self._advance(now)
        self._rekey(self.nonces[NEXT_SEND], 0)
        self.rotated = now
        self.has_rotated = True

    cdef const uint8_t *_secret(self, int which) noexcept:
        cdef const uint8_t *remote
        cdef const uint8_t *local
        cdef uint8_t key[32]
        if self.secret_state[which] == 0:
            remote = &self.remote_current[0] if which in (CURRENT_RECV, CURRENT_SEND) else &self.remote_next[0]
            local = &self.recv.secret[0] if which in (CURRENT_RECV, NEXT_RECV) else &self.send.secret[0]
            self.secret_state[which] = 1 if box_key(key, remote, local) == 0 else -1
            box_subkey(self.secrets[which], key)
            wipe(key, 32)
        return &self.secrets[which][0] if self.secret_state[which] > 0 else NULL

    # Our keys move up one place.
    cdef void _advance(self, uint64_t now) noexcept:
        self.recv = self.send
        self.send = self.next
        fresh_pair(&self.next, self.random)
        self.local_seq += 1
        self.stepped = now

    cdef void _rekey(self, uint64_t received, uint64_t sent) noexcept:
        memset(self.secret_state, 0, sizeof(self.secret_state))
        memset(self.nonces, 0, sizeof(self.nonces))
        self.nonces[CURRENT_RECV] = received
        self.nonce_sent = sent
