"""TLS by OpenSSL: C function pointers into the one library that Python's ssl module has loaded.

Importing this raises ImportError where that library cannot be reached by name, as in a Python that has it built in; the
ssl module serves there, more slowly.
"""

import _ssl
import ctypes
import ssl

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove, memset

from ygg_c.base.forks cimport check_fork, generation
from ygg_c.base.live cimport LIVE_TLS, born, died

ctypedef unsigned long ulong

# The names of functions are OpenSSL's.
cdef void *(*TLS_client_method)() noexcept nogil
cdef void *(*TLS_server_method)() noexcept nogil
cdef void *(*SSL_CTX_new)(void *) noexcept nogil
cdef void (*SSL_CTX_free)(void *) noexcept nogil
cdef long (*SSL_CTX_ctrl)(void *, int, long, void *) noexcept nogil
cdef uint64_t (*SSL_CTX_set_options)(void *, uint64_t) noexcept nogil
cdef int (*SSL_CTX_set_num_tickets)(void *, size_t) noexcept nogil
cdef int (*SSL_CTX_set_ciphersuites)(void *, const char *) noexcept nogil
cdef int (*SSL_CTX_use_certificate_ASN1)(void *, int, const uint8_t *) noexcept nogil
cdef int (*SSL_CTX_use_PrivateKey)(void *, void *) noexcept nogil
cdef int (*SSL_CTX_check_private_key)(void *) noexcept nogil
cdef void *(*d2i_AutoPrivateKey)(void **, const uint8_t **, long) noexcept nogil
cdef void (*EVP_PKEY_free)(void *) noexcept nogil
cdef void *(*SSL_new)(void *) noexcept nogil
cdef void (*SSL_free)(void *) noexcept nogil
cdef void (*SSL_set_bio)(void *, void *, void *) noexcept nogil
cdef void (*SSL_set_accept_state)(void *) noexcept nogil
cdef void (*SSL_set_connect_state)(void *) noexcept nogil
cdef long (*SSL_ctrl)(void *, int, long, void *) noexcept nogil
cdef int (*SSL_do_handshake)(void *) noexcept nogil
cdef int (*SSL_read_ex)(void *, void *, size_t, size_t *) noexcept nogil
cdef int (*SSL_write_ex)(void *, const void *, size_t, size_t *) noexcept nogil
cdef int (*SSL_shutdown)(void *) noexcept nogil
cdef int (*SSL_get_error)(void *, int) noexcept nogil
cdef const char *(*SSL_get_version)(void *) noexcept nogil
cdef const void *(*SSL_get_current_cipher)(void *) noexcept nogil
cdef const char *(*SSL_CIPHER_get_name)(const void *) noexcept nogil
cdef int (*SSL_CIPHER_get_bits)(const void *, int *) noexcept nogil
cdef void *(*SSL_get_peer_certificate)(void *) noexcept nogil
cdef int (*i2d_X509)(void *, uint8_t **) noexcept nogil
cdef void (*X509_free)(void *) noexcept nogil
cdef void (*ERR_clear_error)() noexcept nogil
cdef ulong (*ERR_get_error)() noexcept nogil
cdef const char *(*ERR_reason_error_string)(ulong) noexcept nogil
cdef int (*BIO_get_new_index)() noexcept nogil
cdef void *(*BIO_meth_new)(int, const char *) noexcept nogil
cdef int (*BIO_meth_set_read_ex)(void *, int (*)(void *, char *, size_t, size_t *) noexcept nogil) noexcept nogil
cdef int (*BIO_meth_set_write_ex)(void *, int (*)(void *, const char *, size_t, size_t *) noexcept nogil) noexcept nogil
cdef int (*BIO_meth_set_ctrl)(void *, long (*)(void *, int, long, void *) noexcept nogil) noexcept nogil
cdef void *(*BIO_new)(void *) noexcept nogil
cdef void (*BIO_set_data)(void *, void *) noexcept nogil
cdef void *(*BIO_get_data)(void *) noexcept nogil
cdef void (*BIO_set_init)(void *, int) noexcept nogil
cdef void (*BIO_set_flags)(void *, int) noexcept nogil
cdef void (*BIO_clear_flags)(void *, int) noexcept nogil

# Numbers of OpenSSL's headers.
cdef enum:
    BIO_TYPE_SOURCE_SINK = 0x0400
    BIO_CTRL_FLUSH = 11
    BIO_FLAGS_READ = 1
    BIO_FLAGS_SHOULD_RETRY = 8
    SSL_CTRL_MODE = 33
    SSL_CTRL_SET_TLSEXT_HOSTNAME = 55
    SSL_CTRL_SET_MIN_PROTO_VERSION = 123
    SSL_ERROR_WANT_READ = 2
    SSL_ERROR_ZERO_RETURN = 6
    SSL_MODE_RELEASE_BUFFERS = 16
    SSL_OP_NO_COMPRESSION = 1 << 17
    SSL_OP_NO_RENEGOTIATION = 1 << 30
    TLS_1_2 = 0x0303
    TLS_1_3 = 0x0304

# The cheapest first. Which one is spoken is for the dialer to say: Go's knows what its machine is quick at.
cdef bytes CIPHERS = b"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"


# Looked up behind the module of the ssl module: what that is linked with is the library to use, and no other copy.
_library = ctypes.CDLL(getattr(_ssl, "__file__", None))


cdef int _bind(void **function, str name, str other=None) except -1:
    if not hasattr(_library, name) and other is not None:
        name = other
    if not hasattr(_library, name):
        raise ImportError(f"the library of the ssl module has no {name}")
    function[0] = <void *><size_t>ctypes.cast(getattr(_library, name), ctypes.c_void_p).value
    return 0


_bind(<void **>&TLS_client_method, "TLS_client_method")
_bind(<void **>&TLS_server_method, "TLS_server_method")
_bind(<void **>&SSL_CTX_new, "SSL_CTX_new")
_bind(<void **>&SSL_CTX_free, "SSL_CTX_free")
_bind(<void **>&SSL_CTX_ctrl, "SSL_CTX_ctrl")
_bind(<void **>&SSL_CTX_set_options, "SSL_CTX_set_options")
_bind(<void **>&SSL_CTX_set_num_tickets, "SSL_CTX_set_num_tickets")
_bind(<void **>&SSL_CTX_set_ciphersuites, "SSL_CTX_set_ciphersuites")
_bind(<void **>&SSL_CTX_use_certificate_ASN1, "SSL_CTX_use_certificate_ASN1")
_bind(<void **>&SSL_CTX_use_PrivateKey, "SSL_CTX_use_PrivateKey")
_bind(<void **>&SSL_CTX_check_private_key, "SSL_CTX_check_private_key")
_bind(<void **>&d2i_AutoPrivateKey, "d2i_AutoPrivateKey")
_bind(<void **>&EVP_PKEY_free, "EVP_PKEY_free")
_bind(<void **>&SSL_new, "SSL_new")
_bind(<void **>&SSL_free, "SSL_free")
_bind(<void **>&SSL_set_bio, "SSL_set_bio")
_bind(<void **>&SSL_set_accept_state, "SSL_set_accept_state")
_bind(<void **>&SSL_set_connect_state, "SSL_set_connect_state")
_bind(<void **>&SSL_ctrl, "SSL_ctrl")
_bind(<void **>&SSL_do_handshake, "SSL_do_handshake")
_bind(<void **>&SSL_read_ex, "SSL_read_ex")
_bind(<void **>&SSL_write_ex, "SSL_write_ex")
_bind(<void **>&SSL_shutdown, "SSL_shutdown")
_bind(<void **>&SSL_get_error, "SSL_get_error")
_bind(<void **>&SSL_get_version, "SSL_get_version")
_bind(<void **>&SSL_get_current_cipher, "SSL_get_current_cipher")
_bind(<void **>&SSL_CIPHER_get_name, "SSL_CIPHER_get_name")
_bind(<void **>&SSL_CIPHER_get_bits, "SSL_CIPHER_get_bits")
_bind(<void **>&SSL_get_peer_certificate, "SSL_get1_peer_certificate", "SSL_get_peer_certificate")
_bind(<void **>&i2d_X509, "i2d_X509")
_bind(<void **>&X509_free, "X509_free")
_bind(<void **>&ERR_clear_error, "ERR_clear_error")
_bind(<void **>&ERR_get_error, "ERR_get_error")
_bind(<void **>&ERR_reason_error_string, "ERR_reason_error_string")
_bind(<void **>&BIO_get_new_index, "BIO_get_new_index")
_bind(<void **>&BIO_meth_new, "BIO_meth_new")
_bind(<void **>&BIO_meth_set_read_ex, "BIO_meth_set_read_ex")
_bind(<void **>&BIO_meth_set_write_ex, "BIO_meth_set_write_ex")
_bind(<void **>&BIO_meth_set_ctrl, "BIO_meth_set_ctrl")
_bind(<void **>&BIO_new, "BIO_new")
_bind(<void **>&BIO_set_data, "BIO_set_data")
_bind(<void **>&BIO_get_data, "BIO_get_data")
_bind(<void **>&BIO_set_init, "BIO_set_init")
_bind(<void **>&BIO_set_flags, "BIO_set_flags")
_bind(<void **>&BIO_clear_flags, "BIO_clear_flags")


# Between OpenSSL and the bytes: a BIO whose data is the Wire of its Tls.

cdef int _bio_read(void *bio, char *space, size_t room, size_t *count) noexcept nogil:
    cdef Wire *wire = <Wire *>BIO_get_data(bio)
    count[0] = 0
    BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
    if wire.excess > EXCESS_LIMIT:
        return 0                # no retry: a failure
    if wire.kept.start < wire.kept.end:
        count[0] = min(room, wire.kept.end - wire.kept.start)
        memcpy(space, wire.kept.bytes + wire.kept.start, count[0])
        _drop(&wire.kept, count[0])
        wire.excess += count[0]
        return 1
    count[0] = min(room, wire.lent_size)
    if count[0] == 0:
        BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
        return 0
    memcpy(space, wire.lent, count[0])
    wire.lent += count[0]
    wire.lent_size -= count[0]
    wire.excess += count[0]
    return 1


cdef int _bio_write(void *bio, const char *data, size_t size, size_t *count) noexcept nogil:
    cdef Wire *wire = <Wire *>BIO_get_data(bio)
    BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
    count[0] = size if _add(&wire.out, <const uint8_t *>data, size) == 0 else 0
    return count[0] == size


cdef long _bio_ctrl(void *bio, int command, long number, void *pointer) noexcept nogil:
    return command == BIO_CTRL_FLUSH


# Ciphertext that waits. Memory is held only while something does: most links are idle most of the time, and those that
# are not pass one block around.

cdef uint8_t *_spare = NULL
cdef size_t _spare_room = 0


cdef int _add(Store *store, const uint8_t *data, size_t size) noexcept nogil:
    cdef size_t held = store.end - store.start
    cdef uint8_t *larger
    if size > store.room - store.end:
        if store.bytes == NULL:
            _take_spare(store)
        elif store.start:
            memmove(store.bytes, store.bytes + store.start, held)
        store.start, store.end = 0, held
    if size > store.room - held:
        larger = <uint8_t *>realloc(store.bytes, 2 * (held + size))
        if larger == NULL:
            return -1
        store.bytes, store.room = larger, 2 * (held + size)
    memcpy(store.bytes + store.end, data, size)
    store.end += size
    return 0


cdef void _drop(Store *store, size_t count) noexcept nogil:
    store.start += count
    if store.start == store.end:
        _free(store)


cdef void _take_spare(Store *store) noexcept nogil:
    global _spare, _spare_room
    store.bytes, store.room = _spare, _spare_room
    _spare, _spare_room = NULL, 0


cdef void _free(Store *store) noexcept nogil:
    global _spare, _spare_room
    if SPARE_LEAST <= store.room <= SPARE_MOST and store.room > _spare_room:
        free(_spare)
        _spare, _spare_room = store.bytes, store.room
    else:
        free(store.bytes)
    memset(store, 0, sizeof(Store))


cdef void *_bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, b"ygg")
if _bio_method == NULL:
    raise MemoryError()
BIO_meth_set_read_ex(_bio_method, _bio_read)
BIO_meth_set_write_ex(_bio_method, _bio_write)
BIO_meth_set_ctrl(_bio_method, _bio_ctrl)


cdef str _last_error():
    cdef const char *text = ERR_reason_error_string(ERR_get_error())
    ERR_clear_error()
    return text.decode() if text != NULL else "unknown error"


cdef object _error(str reason):
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


cdef class Context:
    """What the connections of one side have in common."""

    def __init__(self, bytes certificate=None, bytes key=None):
        if self._context != NULL:
            raise ValueError("the context has been made already")
        self.server = certificate is not None
        self._context = SSL_CTX_new(TLS_server_method() if self.server else TLS_client_method())
        if self._context == NULL:
            raise _error(_last_error())
        SSL_CTX_ctrl(self._context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS_1_3 if self.server else TLS_1_2, NULL)
        SSL_CTX_ctrl(self._context, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, NULL)
        SSL_CTX_set_options(self._context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION)
        SSL_CTX_set_ciphersuites(self._context, CIPHERS)
        if self.server:
            SSL_CTX_set_num_tickets(self._context, 0)       # no client resumes: links last
            self._show(certificate, key)

    def __dealloc__(self):
        if self._context != NULL:
            SSL_CTX_free(self._context)

    cdef int _show(self, bytes certificate, bytes key) except -1:
        cdef const uint8_t *at = key
        cdef int shown = SSL_CTX_use_certificate_ASN1(self._context, <int>len(certificate), certificate)
        cdef void *private = d2i_AutoPrivateKey(NULL, &at, len(key))
        if private != NULL:
            shown = shown and SSL_CTX_use_PrivateKey(self._context, private)
            EVP_PKEY_free(private)
        if not shown or private == NULL or not SSL_CTX_check_private_key(self._context):
            raise _error(_last_error())
        return 0


cdef class Tls:
    """One side of one connection."""

    def __cinit__(self, Context context not None, str name=None):
        cdef bytes encoded
        born(LIVE_TLS)
        self.made_in = generation
        self._counted = True    # arguments of the wrong kind never come this far, but are deallocated too
        self.reason = ""
        self.sslcontext = context
        if context._context == NULL:
            raise ValueError("the context is not made")
        self.ssl = SSL_new(context._context)
        cdef void *bio = BIO_new(_bio_method)
        if self.ssl == NULL or bio == NULL:
            raise MemoryError()
        BIO_set_data(bio, &self._wire)
        BIO_set_init(bio, 1)
        SSL_set_bio(self.ssl, bio, bio)
        if context.server:
            SSL_set_accept_state(self.ssl)
        else:
            SSL_set_connect_state(self.ssl)
        if name is not None:
            encoded = name.encode("idna")
            if not SSL_ctrl(self.ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0, <char *>encoded):
                raise UnicodeError(f"{name!r} cannot be a TLS server name: {_last_error()}")

    def __dealloc__(self):
        if self.ssl != NULL:
            SSL_free(self.ssl)
        _free(&self._wire.kept)
        _free(&self._wire.out)
        if self._counted:
            died(LIVE_TLS)

    # For the engine

    cdef void lend(self, const uint8_t *data, size_t size) noexcept:
        self._wire.lent = data
        self._wire.lent_size = size

    cdef Outcome read(self, uint8_t *space, size_t room, size_t *size) noexcept:
        cdef size_t count = 0
        cdef int result
        size[0] = 0
        if self.made_in != generation:
            return TLS_FAILED
        ERR_clear_error()       # the queue of errors is the thread's, and others use it
        while size[0] < room:
            result = SSL_read_ex(self.ssl, space + size[0], room - size[0], &count)
            if result != 1:
                return self._outcome(result)
            size[0] += count
            self._wire.excess -= min(self._wire.excess, count + RECORD_COST)
        return TLS_OK

    cdef Outcome write(self, const uint8_t *data, size_t size) noexcept:
        cdef size_t count = 0
        cdef int result
        if self.made_in != generation:
            return TLS_FAILED
        ERR_clear_error()
        while size:
            result = SSL_write_ex(self.ssl, data, size, &count)
            if result != 1:
                return self._outcome(result)
            data += count
            size -= count
        return TLS_OK

    cdef size_t unsent(self, const uint8_t **data) noexcept:
        data[0] = self._wire.out.bytes + self._wire.out.start
        return self._wire.out.end - self._wire.out.start

    cdef void sent(self, size_t count) noexcept:
        _drop(&self._wire.out, count)

    cdef Outcome _outcome(self, int result) noexcept:
        cdef int code = SSL_get_error(self.ssl, result)
        if code == SSL_ERROR_WANT_READ:
            return TLS_WAIT
        if code == SSL_ERROR_ZERO_RETURN:
            return TLS_CLOSED
        reason = _last_error()
        if not self.reason:     # asked again, OpenSSL has nothing more to say
            self.reason = reason if self._wire.excess <= EXCESS_LIMIT else "too many records without data"
        return TLS_FAILED

    # For Python

    @property
    def failure(self):
        """What ended reading or writing, if it was not the other side's close_notify."""
        return _error(self.reason) if self.reason else None

    @property
    def ssl_object(self):
        """Itself."""
        return self

    @property
    def unread(self):
        """Bytes of ciphertext that wait for `read_into`."""
        return self._wire.kept.end - self._wire.kept.start

    @property
    def unsent_size(self):
        """Bytes of ciphertext that wait for `take`."""
        return self._wire.out.end - self._wire.out.start

    def feed(self, const uint8_t[::1] data not None):
        """Take ciphertext."""
        check_fork(self.made_in)
        if data.shape[0] and _add(&self._wire.kept, &data[0], data.shape[0]) < 0:
            raise MemoryError()

    def handshake(self):
        """Go on with the handshake; tell whether it is over."""
        check_fork(self.made_in)
        ERR_clear_error()
        cdef int result = SSL_do_handshake(self.ssl)
        if result == 1:
            self._wire.excess = 0
        return result == 1 or self._check(self._outcome(result))

    def read_into(self, uint8_t[::1] space not None):
        """Decrypt into `space`; return the number of bytes, and whether that was the end."""
        cdef size_t size = 0
        cdef Outcome outcome = TLS_WAIT
        check_fork(self.made_in)
        if space.shape[0]:
            outcome = self.read(&space[0], space.shape[0], &size)
        return size, outcome == TLS_CLOSED or outcome == TLS_FAILED

    def encrypt(self, const uint8_t[::1] data not None):
        """Encrypt `data`; the ciphertext is for `take`."""
        check_fork(self.made_in)
        if data.shape[0] and not self._check(self.write(&data[0], data.shape[0])):
            raise ValueError("the handshake is not over")

    def close_notify(self):
        """Say that nothing comes any more from this side."""
        if self.made_in != generation:
            return
        ERR_clear_error()
        SSL_shutdown(self.ssl)
        ERR_clear_error()

    def take(self):
        """Return the ciphertext to be sent."""
        cdef const uint8_t *data
        cdef size_t size = self.unsent(&data)
        check_fork(self.made_in)
        cdef bytes result = PyBytes_FromStringAndSize(<char *>data, size) if size else b""
        self.sent(size)
        return result

    cdef bint _check(self, Outcome outcome) except -1:
        if outcome == TLS_FAILED:
            raise _error(self.reason)
        return outcome == TLS_OK

    # What users of a connection ask its "ssl_object" for, under the names of ssl.SSLObject.

    def version(self):
        """The version of TLS spoken."""
        return SSL_get_version(self.ssl).decode()

    def cipher(self):
        """Name, version and secret bits of the cipher; None before the handshake."""
        cdef const void *cipher = SSL_get_current_cipher(self.ssl)
        if cipher == NULL:
            return None
        return SSL_CIPHER_get_name(cipher).decode(), self.version(), SSL_CIPHER_get_bits(cipher, NULL)

    def compression(self):
        """None: nothing is compressed."""

    def selected_alpn_protocol(self):
        """None: no protocol is negotiated."""

    def getpeercert(self, bint binary_form=False):
        """The other side's certificate as DER; {} without `binary_form`, for it is not verified; None where there is
        none.
        """
        cdef void *shown = SSL_get_peer_certificate(self.ssl)
        cdef uint8_t *space = NULL
        if shown == NULL:
            return None
        try:
            if not binary_form:
                return {}
            result = bytearray(i2d_X509(shown, NULL))
            space = result
            i2d_X509(shown, &space)
            return bytes(result)
        finally:
            X509_free(shown)
