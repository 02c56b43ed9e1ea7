"""ygg_c.io.tls: both sides in memory."""

import _ssl
import ctypes
import gc
import os
import ssl

import pytest

from tests.tlssides import CERTIFICATE, CLIENT, SERVER, carry, plain_text, shaken, standard
from ygg import Certificate
from ygg.testing import private_key
from ygg_c.base import live
from ygg_c.io.tls import Context, Tls
from ygg_c.testing.keyupdates import update_keys

ERRORS = ctypes.CDLL(_ssl.__file__)
ERRORS.ERR_peek_error.restype = ctypes.c_ulong


def test_both_sides_get_what_the_other_has_said() -> None:
    client, server = shaken()
    sent = os.urandom(1_000_000)
    client.encrypt(sent)
    server.encrypt(b"hello")
    carry(client, server)
    assert plain_text(server) == sent
    assert plain_text(client) == b"hello"
    assert client.unsent_size == server.unsent_size == client.unread == server.unread == 0


def test_ciphertext_in_single_bytes() -> None:
    client, server = shaken()
    client.encrypt(b"x" * 40_000)
    found = b""
    for byte in client.take():
        server.feed(bytes((byte,)))
        found += plain_text(server)
    assert found == b"x" * 40_000


def test_a_full_space_leaves_the_rest_for_later() -> None:
    client, server = shaken()
    client.encrypt(bytes(range(100)) * 500)
    carry(client, server)
    space = bytearray(1000)
    assert server.read_into(space) == (1000, False)
    assert server.read_into(bytearray()) == (0, False)
    assert bytes(space) + plain_text(server) == bytes(range(100)) * 500


def test_close_notify_comes_after_what_was_said_before_it() -> None:
    client, server = shaken()
    client.encrypt(b"last words")
    client.close_notify()
    carry(client, server)
    space = bytearray(100)
    assert server.read_into(space) == (10, True)
    assert server.failure is None
    server.encrypt(b"heard")
    carry(client, server)
    assert plain_text(client) == b"heard"


def test_changed_ciphertext_is_a_failure_after_what_was_right() -> None:
    client, server = shaken()
    client.encrypt(b"right")
    server.feed(client.take())
    client.encrypt(b"wrong")
    record = bytearray(client.take())
    record[-1] ^= 1
    server.feed(record)
    assert server.read_into(bytearray(100)) == (5, True)
    assert server.failure is not None
    assert "bad record mac" in server.failure.reason
    assert server.read_into(bytearray(100)) == (0, True)
    assert "bad record mac" in server.reason
    assert server.unsent_size > 0       # the alert


def test_nonsense_instead_of_a_handshake() -> None:
    for context in (CLIENT, SERVER):
        side = Tls(context)
        side.handshake()
        side.feed(b"GET / HTTP/1.0\r\n\r\n")
        with pytest.raises(ssl.SSLError) as caught:
            side.handshake()
        assert caught.value.reason == side.reason != ""


def test_nothing_can_be_said_before_the_handshake() -> None:
    with pytest.raises(ValueError, match="not over"):
        Tls(CLIENT).encrypt(b"x")


def test_what_is_spoken_and_shown() -> None:
    client, server = shaken()
    assert client.version() == server.version() == "TLSv1.3"
    assert client.cipher() == ("TLS_AES_128_GCM_SHA256", "TLSv1.3", 128)
    assert client.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(CERTIFICATE.certificate_pem.decode())
    assert client.getpeercert() == {}
    assert server.getpeercert(binary_form=True) is None
    assert server.getpeercert() is None
    assert client.ssl_object is client
    assert client.sslcontext is CLIENT
    assert Tls(CLIENT).cipher() is None


def test_the_ssl_module_understands_it() -> None:
    client, incoming, outgoing = standard()
    server = Tls(SERVER)
    for _ in range(3):
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            pass
        server.feed(outgoing.read())
        server.handshake()
        incoming.write(server.take())
    server.encrypt(b"x" * 20_000)
    incoming.write(server.take())
    assert client.read(16384) + client.read(16384) == b"x" * 20_000
    assert client.version() == "TLSv1.3"


def test_a_server_speaks_nothing_older() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, server = context.wrap_bio(incoming, outgoing), Tls(SERVER)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    server.feed(outgoing.read())
    with pytest.raises(ssl.SSLError, match="unsupported protocol"):
        server.handshake()


@pytest.mark.parametrize("name", ["a" * 70 + ".example", ".".join(["a" * 60] * 5)])
def test_a_name_that_cannot_be_one(name: str) -> None:
    with pytest.raises(UnicodeError):
        Tls(CLIENT, name)


def test_a_certificate_needs_its_own_key() -> None:
    from ygg.stream.tls.contexts import der

    own = der(CERTIFICATE.certificate_pem, b"CERTIFICATE")
    other = der(Certificate(private_key(2)).private_key_pem, b"KEY")
    with pytest.raises(ssl.SSLError):
        Context(own, other)
    with pytest.raises(ssl.SSLError):
        Context(own, b"nonsense")
    with pytest.raises(ssl.SSLError):
        Context(b"nonsense", der(CERTIFICATE.private_key_pem, b"KEY"))


def test_new_keys_on_the_way() -> None:
    client, server = shaken()
    for number in range(3):
        client.encrypt(bytes([number]))
        update_keys(client)
        server.encrypt(b"between")
        client.encrypt(b"after")
        carry(client, server)
        assert plain_text(server) == bytes([number]) + b"after"
        assert plain_text(client) == b"between"


def test_records_without_data_are_bounded() -> None:
    """A key update costs as much as a thousand bytes of data, and has some twenty of its own."""
    client, server = shaken()
    updates = 0
    while server.failure is None and updates < 10_000:
        update_keys(client)
        updates += 1
        if updates % 50 == 0:
            client.encrypt(b"but some have")
        server.feed(client.take())
        server.read_into(bytearray(100))
    assert server.reason == "too many records without data"
    assert 1000 < updates < 10_000


def test_small_records_with_data_are_not() -> None:
    client, server = shaken()
    for _ in range(10_000):
        client.encrypt(b"x")
    carry(client, server)
    assert plain_text(server) == b"x" * 10_000
    assert server.failure is None


def test_nothing_of_a_failure_is_left_for_others_to_find() -> None:
    client, server = shaken()
    client.close_notify()
    server.feed(b"\x17\x03\x03\x00\x20" + bytes(32))     # forged
    for _ in range(3):
        with pytest.raises(ssl.SSLError):
            client.encrypt(b"x")
        assert ERRORS.ERR_peek_error() == 0
        server.read_into(bytearray(10))
        assert server.failure is not None
        assert ERRORS.ERR_peek_error() == 0


def test_arguments_of_the_wrong_kind_are_not_counted() -> None:
    before = live.counts()["tls"]
    with pytest.raises(TypeError):
        Tls(None)
    gc.collect()
    assert live.counts()["tls"] == before
