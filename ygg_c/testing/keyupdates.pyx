"""New keys on a TLS connection, for tests: the engine takes key updates and never asks for one."""

import _ssl
import ctypes

from ygg_c.base.forks cimport check_fork
from ygg_c.io.tls cimport Tls

_library = ctypes.CDLL(getattr(_ssl, "__file__", None))

cdef enum:
    SSL_KEY_UPDATE_REQUESTED = 1        # of OpenSSL's headers


def update_keys(Tls tls not None):
    """Go on with new keys, and have the other side do so."""
    check_fork(tls.made_in)
    connection = ctypes.c_void_p(<size_t>tls.ssl)
    _library.ERR_clear_error()
    if _library.SSL_key_update(connection, SSL_KEY_UPDATE_REQUESTED) != 1 or _library.SSL_do_handshake(connection) != 1:
        _library.ERR_clear_error()
        raise ValueError("the handshake is not over")
