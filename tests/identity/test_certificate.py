"""ygg.identity.certificate: the X.509 form of an identity."""

import pickle
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from ygg.identity.certificate import Certificate
from ygg.identity.keys import PrivateKey

SEED_01 = PrivateKey.from_seed(b"\x01" * 32)
PUBLIC_01 = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"


@pytest.fixture(scope="module")
def parsed() -> x509.Certificate:
    return x509.load_pem_x509_certificate(Certificate(SEED_01).certificate_pem)


def test_the_certificate_names_the_key_and_is_signed_by_it(parsed: x509.Certificate) -> None:
    assert parsed.subject == parsed.issuer
    assert parsed.subject.rfc4514_string() == f"CN={PUBLIC_01}"
    assert parsed.serial_number == 1
    assert parsed.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex() == PUBLIC_01
    parsed.verify_directly_issued_by(parsed)


def test_it_is_valid_from_now_to_the_end_of_the_calendar(parsed: x509.Certificate) -> None:
    assert abs((datetime.now(UTC) - parsed.not_valid_before_utc).total_seconds()) < 60
    assert parsed.not_valid_after_utc == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_its_extensions_are_those_of_the_protocol(parsed: x509.Certificate) -> None:
    usage = parsed.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value == x509.KeyUsage(
        digital_signature=True, key_encipherment=True, content_commitment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    extended = parsed.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(extended.value) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    constraints = parsed.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=False, path_length=None)
    assert len(parsed.extensions) == 3


def test_the_pem_forms_belong_together() -> None:
    certificate = Certificate.generate()
    key = load_pem_private_key(certificate.private_key_pem, password=None)
    assert key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) == certificate.public_key
    assert certificate.secret[32:] == certificate.public_key
    assert certificate.private_key.secret == certificate.secret
    assert certificate.certificate_pem is certificate.certificate_pem


def test_no_secret_leaves_by_repr_or_pickle() -> None:
    certificate = Certificate(SEED_01)
    assert "0101" not in repr(certificate)
    assert PUBLIC_01 in repr(certificate)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(certificate)
