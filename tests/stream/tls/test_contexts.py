"""What TLS is made with: which library, which versions, whose certificate."""

import ssl
from dataclasses import dataclass

import pytest

from ygg import Certificate
from ygg.errors import TLSError
from ygg.stream.tls.contexts import client_context, dialing_context, listening_context, server_context
from ygg.testing import private_key
from ygg_c.io.tls import Context

CERTIFICATE = Certificate(private_key(1))


@dataclass
class Pem:
    """Certificate and key as a program of one's own may have them."""

    certificate_pem: bytes = CERTIFICATE.certificate_pem
    private_key_pem: bytes = CERTIFICATE.private_key_pem


def test_links_are_made_with_the_engine_s_own() -> None:
    assert isinstance(dialing_context(), Context)
    assert dialing_context() is dialing_context()
    assert isinstance(listening_context(CERTIFICATE), Context)


def test_a_chain_is_shown_by_the_ssl_module() -> None:
    chain = Pem(CERTIFICATE.certificate_pem + Certificate(private_key(2)).certificate_pem)
    assert isinstance(listening_context(chain), ssl.SSLContext)


@pytest.mark.parametrize(("pem", "missing"), [
    (Pem(certificate_pem=b""), "no certificate"),
    (Pem(certificate_pem=b"-----BEGIN CERTIFICATE-----\nAAAA\n"), "no certificate"),
    (Pem(private_key_pem=b"nothing"), "no private key"),
])
def test_what_is_not_there_is_told(pem: Pem, missing: str) -> None:
    with pytest.raises(TLSError, match=missing):
        listening_context(pem)


def test_a_certificate_of_another_key_is_refused() -> None:
    with pytest.raises(TLSError):
        listening_context(Pem(private_key_pem=Certificate(private_key(2)).private_key_pem))


def test_text_around_the_blocks_does_no_harm() -> None:
    pem = Pem(b"subject=x\n" + CERTIFICATE.certificate_pem, b"# mine\n" + CERTIFICATE.private_key_pem)
    assert isinstance(listening_context(pem), Context)


def test_versions() -> None:
    client, server = client_context(), server_context(CERTIFICATE)
    assert client.minimum_version is ssl.TLSVersion.TLSv1_2
    assert client.verify_mode is ssl.CERT_NONE
    assert server.minimum_version is ssl.TLSVersion.TLSv1_3
    assert server.num_tickets == 0
