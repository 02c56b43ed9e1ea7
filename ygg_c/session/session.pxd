# One end-to-end session: the key ratchet of protocol 0.5, section 7. Theory of operation in session.pyx.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.lru cimport Aging
from ygg_c.base.packet cimport Packet
from ygg_c.base.sodium cimport Random

cdef enum:
    HANDSHAKE_SIZE = 193        # an Init or Ack
    TRAFFIC_SMALLEST = 52
    PAYLOAD_LARGEST = 130914    # bytes of one session payload

cdef enum:                      # first byte of a session message
    SESSION_DUMMY = 0
    SESSION_INIT = 1
    SESSION_ACK = 2
    SESSION_TRAFFIC = 3

cdef struct KeyPair:
    uint8_t public[32]
    uint8_t secret[32]

cdef void fresh_pair(KeyPair *pair, Random random) noexcept

# Who we are towards sessions: what every handshake needs of ours.
cdef struct Identity:
    uint8_t key[32]             # Ed25519 public
    uint8_t secret[64]          # Ed25519 seed || public
    uint8_t x_secret[32]        # the X25519 secret of the same seed
    uint8_t group[32]           # SHA-256 prefix of the group password
    size_t group_size           # 32, or 0 without a password

cdef int identity_init(Identity *me, const uint8_t *secret, bytes group_password) except -1

# The content of an Init or Ack.
cdef struct Handshake:
    uint8_t current[32]
    uint8_t next[32]
    uint64_t keyseq
    uint64_t seq                # unix time in seconds

# Write HANDSHAKE_SIZE bytes for a recipient (its X25519 public key). 0, or -1 when that key is unusable.
cdef int handshake_encode(uint8_t *out, int kind, const Handshake *content, const Identity *me,
                          const uint8_t *x_public, Random random) noexcept
# Open and verify HANDSHAKE_SIZE bytes said to be from the Ed25519 `key`. 0 when it is genuine. Spoils the input.
cdef int handshake_decode(Handshake *content, uint8_t *message, const Identity *me, const uint8_t *key) noexcept

cdef enum:                      # what Session.open says
    OPENED = 0
    OPEN_MALFORMED              # too short or a bad varint: ignore
    OPEN_REPLAYED               # nonce not above the highest seen: ignore
    OPEN_UNKNOWN_KEYS           # their view of the keys is not ours: send an Init
    OPEN_FORGED                 # the tag is wrong: send an Init

cdef enum:                      # the four shared secrets, as (their key, our key); those we receive under first
    CURRENT_RECV = 0
    NEXT_SEND
    NEXT_RECV
    CURRENT_SEND

# A node that we exchange handshakes with.
cdef class Remote:
    cdef uint8_t key[32]            # Ed25519
    cdef uint8_t x_public[32]       # the same in X25519 form
    cdef int x_state                # of x_public: 0 not computed, 1 good, -1 the key is no point
    cdef uint64_t origin            # the number of the neighbour by which its last handshake, or first traffic, came in
    cdef uint64_t said              # the unix second of our last Init or Ack, 0: none
    cdef bint crossing              # it was an Init, and none of theirs has crossed it
    cdef bint doubted               # it is back after it was away, and nothing has been heard of it since
    cdef uint64_t turned            # ns of the last handshake, sent or taken; 0: none
    cdef uint64_t patience          # seconds from then until another may follow that nothing new calls for; 0: none did
    cdef Aging aging
    # NULL when the key has no X25519 form.
    cdef const uint8_t *exchange_key(self) noexcept

cdef class Session(Remote):
    cdef uint64_t since             # ns
    cdef bint used                  # we have sent something in it
    # since the last handshake the remote has shown that it has our latest keys, or settled
    cdef bint in_step
    cdef uint64_t opened_before     # packets received until the last handshake
    cdef uint64_t ack_patience      # seconds from then until an Init with other keys is answered; 0: none had to be
    cdef uint64_t asked             # the second that the last Init told, which may have been refused
    cdef bint owes                  # payloads have come since we sent the last one
    cdef uint64_t owes_since        # ns
    cdef uint64_t bytes_sent, bytes_received
    cdef uint64_t packets_sent, packets_received
    cdef KeyPair recv, send, next   # ours
    cdef uint8_t remote_current[32]
    cdef uint8_t remote_next[32]
    cdef uint64_t local_seq, remote_seq
    cdef uint64_t stamp             # seq of the last accepted handshake
    cdef uint64_t stepped           # ns of our last step
    cdef uint64_t rotated           # ns of the last rotation
    cdef bint has_rotated
    cdef bint proven                # the remote answered since the session was made: that was no replayed handshake
    cdef bint answered              # what was opened last is the first to show that they have our latest keys
    cdef uint64_t answered_after    # ns from our step to that: a round trip, and what they were silent for
    cdef uint64_t nonce_sent
    cdef uint64_t nonces[4]         # highest received under each secret
    cdef uint8_t secrets[4][32]     # box subkeys, computed when first needed
    cdef int secret_state[4]        # 0 not computed, 1 good, -1 the keys do not yield one
    cdef Random random

    # A handshake that creates the session, ours built from the pairs whose publics we sent (NULL: none were).
    cdef void start(self, const Handshake *content, const KeyPair *current, const KeyPair *next, uint64_t now) noexcept
    # Which event of ratchet.pxd a handshake is.
    cdef int judge(self, const Handshake *content) noexcept
    # Take it, which is not old: our keys step unless it tells what we know.
    cdef void accept(self, const Handshake *content, int judgement, uint64_t now) noexcept
    # What an Init or Ack of ours tells now, but for its second.
    cdef void describe(self, Handshake *content) noexcept
    # Wrap a payload in place. 0, or -1 when the remote's keys are unusable or headroom is missing.
    cdef int seal(self, Packet *packet) noexcept
    # Unwrap in place: OPENED sets payload and payload_size inside message; any other result leaves the session alone.
    cdef int open(self, uint8_t *message, size_t size, uint64_t now, uint8_t **payload, size_t *payload_size) noexcept

    cdef int _state(self, uint64_t now) noexcept
    cdef void _step(self, const uint8_t *next, uint64_t now) noexcept
    cdef void _take(self, const Handshake *content, uint64_t now) noexcept
    cdef const uint8_t *_secret(self, int which) noexcept
    cdef void _advance(self, uint64_t now) noexcept
    cdef void _rekey(self, uint64_t received, uint64_t sent) noexcept
