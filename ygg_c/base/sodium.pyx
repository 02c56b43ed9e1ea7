"""libsodium for the engine: C function pointers into the one library that `libsodium` has found.

sodium_init(), which pysodium never calls and without which libsodium runs its portable code, has been called there.
"""

import ctypes
import hashlib

from libc.string cimport memcpy, memset

from ygg_c.base.libsodium import load as _load

ctypedef unsigned long long ull
ctypedef int (*seal_type)(uint8_t *, uint8_t *, const uint8_t *, ull, const uint8_t *, const uint8_t *) noexcept nogil
ctypedef int (*open_type)(uint8_t *, const uint8_t *, const uint8_t *, ull, const uint8_t *,
                          const uint8_t *) noexcept nogil
ctypedef int (*three_type)(uint8_t *, const uint8_t *, const uint8_t *) noexcept nogil
ctypedef int (*two_type)(uint8_t *, const uint8_t *) noexcept nogil
ctypedef int (*sign_type)(uint8_t *, ull *, const uint8_t *, ull, const uint8_t *) noexcept nogil
ctypedef int (*verify_type)(const uint8_t *, const uint8_t *, ull, const uint8_t *) noexcept nogil
ctypedef void (*fill_type)(void *, size_t) noexcept nogil
ctypedef int (*core_type)(uint8_t *, const uint8_t *, const uint8_t *, const uint8_t *) noexcept nogil
ctypedef int (*xor_type)(uint8_t *, const uint8_t *, ull, const uint8_t *, const uint8_t *) noexcept nogil
ctypedef int (*xor_at_type)(uint8_t *, const uint8_t *, ull, const uint8_t *, uint64_t, const uint8_t *) noexcept nogil
ctypedef int (*auth_type)(uint8_t *, const uint8_t *, ull, const uint8_t *) noexcept nogil
ctypedef int (*auth_verify_type)(const uint8_t *, const uint8_t *, ull, const uint8_t *) noexcept nogil
ctypedef int (*stream_type)(uint8_t *, ull, const uint8_t *, const uint8_t *) noexcept nogil


_library = _load()

cdef void *_address(str name) except NULL:
    return <void *><size_t>ctypes.cast(getattr(_library, name), ctypes.c_void_p).value


cdef seal_type _seal = <seal_type>_address("crypto_box_detached_afternm")
cdef open_type _open = <open_type>_address("crypto_box_open_detached_afternm")
cdef three_type _beforenm = <three_type>_address("crypto_box_beforenm")
cdef two_type _scalarmult_base = <two_type>_address("crypto_scalarmult_base")
cdef sign_type _sign = <sign_type>_address("crypto_sign_detached")
cdef three_type _keypair = <three_type>_address("crypto_sign_seed_keypair")
cdef verify_type _verify = <verify_type>_address("crypto_sign_verify_detached")
cdef two_type _pk_to_x = <two_type>_address("crypto_sign_ed25519_pk_to_curve25519")
cdef two_type _sk_to_x = <two_type>_address("crypto_sign_ed25519_sk_to_curve25519")
cdef fill_type _random = <fill_type>_address("randombytes_buf")
cdef fill_type _memzero = <fill_type>_address("sodium_memzero")
cdef core_type _hsalsa = <core_type>_address("crypto_core_hsalsa20")
cdef stream_type _salsa = <stream_type>_address("crypto_stream_salsa20")
cdef xor_type _salsa_xor = <xor_type>_address("crypto_stream_salsa20_xor")
cdef xor_at_type _salsa_xor_at = <xor_at_type>_address("crypto_stream_salsa20_xor_ic")
cdef auth_type _auth = <auth_type>_address("crypto_onetimeauth_poly1305")
cdef auth_verify_type _auth_verify = <auth_verify_type>_address("crypto_onetimeauth_poly1305_verify")
cdef stream_type _stream = <stream_type>_address("crypto_stream_chacha20")


cdef void box_seal(uint8_t *c, uint8_t *mac, const uint8_t *m, size_t size, const uint8_t *nonce,
                   const uint8_t *key) noexcept nogil:
    _seal(c, mac, m, size, nonce, key)


cdef int box_open(uint8_t *m, const uint8_t *c, const uint8_t *mac, size_t size, const uint8_t *nonce,
                  const uint8_t *key) noexcept nogil:
    return _open(m, c, mac, size, nonce, key)


# XSalsa20 is Salsa20 under HSalsa20(key, first 16 nonce bytes); its first 32 bytes are the key of the tag.
cdef void box_subkey(uint8_t *subkey, const uint8_t *key) noexcept nogil:
    cdef uint8_t zeros[16]
    memset(zeros, 0, 16)
    _hsalsa(subkey, zeros, key, NULL)


cdef void subkey_seal(uint8_t *box, uint8_t *mac, size_t size, const uint8_t *nonce,
                      const uint8_t *subkey) noexcept nogil:
    cdef uint8_t tag[MAC_SIZE]
    memset(box - 32, 0, 32)
    _salsa_xor(box - 32, box - 32, size + 32, nonce, subkey)
    _auth(tag, box, size, box - 32)
    memcpy(mac, tag, MAC_SIZE)


cdef int subkey_open(uint8_t *box, const uint8_t *mac, size_t size, const uint8_t *nonce,
                     const uint8_t *subkey) noexcept nogil:
    cdef uint8_t block[64]
    cdef int index
    _salsa(block, 64, nonce, subkey)
    if _auth_verify(mac, box, size, block) != 0:
        return -1
    for index in range(32):
        box[index] ^= block[32 + index]
    _salsa_xor_at(box + 32, box + 32, size - 32, nonce, 1, subkey)
    return 0


cdef int box_key(uint8_t *key, const uint8_t *public, const uint8_t *secret) noexcept nogil:
    return _beforenm(key, public, secret)


cdef void box_public(uint8_t *public, const uint8_t *secret) noexcept nogil:
    _scalarmult_base(public, secret)


cdef void sign(uint8_t *signature, const uint8_t *message, size_t size, const uint8_t *secret) noexcept nogil:
    _sign(signature, NULL, message, size, secret)


cdef int verify(const uint8_t *signature, const uint8_t *message, size_t size, const uint8_t *public) noexcept nogil:
    return _verify(signature, message, size, public)


cdef int ed_to_x_public(uint8_t *x, const uint8_t *ed) noexcept nogil:
    return _pk_to_x(x, ed)


cdef void ed_to_x_secret(uint8_t *x, const uint8_t *ed_secret) noexcept nogil:
    _sk_to_x(x, ed_secret)


cdef void wipe(void *data, size_t size) noexcept nogil:
    _memzero(data, size)


def seed_keypair(const unsigned char[:] seed not None):
    """Return the 64-byte Ed25519 secret of a 32-byte seed: the seed, then the public key (RFC 8032, section 5.1.5)."""
    cdef uint8_t public[32]
    cdef uint8_t secret[64]
    if seed.shape[0] != 32:
        raise ValueError(f"a seed has 32 bytes, not {seed.shape[0]}")
    _keypair(public, secret, &seed[0])
    try:
        return secret[:64]
    finally:
        _memzero(secret, 64)


def sign_detached(bytes message not None, const unsigned char[:] secret not None):
    """Return the 64-byte signature of a message (RFC 8032, pure Ed25519); `secret` as `seed_keypair` returns it."""
    cdef uint8_t signature[64]
    if secret.shape[0] != 64:
        raise ValueError(f"a secret key has 64 bytes, not {secret.shape[0]}")
    _sign(signature, NULL, <const uint8_t *><const char *>message, len(message), &secret[0])
    return signature[:64]


def verify_detached(const unsigned char[:] signature not None, bytes message not None,
                    const unsigned char[:] public not None):
    """Tell whether 64 bytes are the signature of a message under a 32-byte public key."""
    if signature.shape[0] != 64 or public.shape[0] != 32:
        return False
    return _verify(&signature[0], <const uint8_t *><const char *>message, len(message), &public[0]) == 0


cdef class Random:
    """Randomness from libsodium."""

    cdef void fill(self, uint8_t *data, size_t size) noexcept:
        _random(data, size)

    cdef uint64_t u64(self) noexcept:
        cdef uint64_t value
        self.fill(<uint8_t *>&value, sizeof(value))
        return value

    def bytes(self, size_t size):
        """Return `size` random bytes."""
        cdef bytearray result = bytearray(size)
        self.fill(<uint8_t *><char *>result, size)
        return b"".join((result,))


cdef class SeededRandom(Random):
    """A stream that is the same for the same seed, for simulations and tests. Never use it for a real node."""

    def __init__(self, seed):
        cdef int index
        cdef bytes digest = hashlib.sha256(str(seed).encode()).digest()
        for index in range(32):
            self._seed[index] = digest[index]

    cdef void fill(self, uint8_t *data, size_t size) noexcept:
        cdef uint64_t nonce = self._block
        self._block += 1
        _stream(data, size, <uint8_t *>&nonce, self._seed)
