"""The node's certificate: its identity key as a self-signed X.509 certificate, made anew at each start."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

from ygg.identity.keys import PrivateKey

_FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


class Certificate:
    """An identity and the X.509 certificate that TLS links show of it (protocol 0.5, TLS).

    The certificate is signed by the node key itself and names it: CN = the public key in hex, serial 1, valid until the
    end of the year 9999. It is not verified; TLS does not work without one.
    """

    __slots__ = ("_key", "_pem")

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self._pem: bytes | None = None

    @classmethod
    def generate(cls) -> Certificate:
        """Make the certificate of a new identity."""
        return cls(PrivateKey.generate())

    @property
    def private_key(self) -> PrivateKey:
        """The identity's key pair."""
        return self._key

    @property
    def public_key(self) -> bytes:
        """The 32-byte public key."""
        return self._key.public_key

    @property
    def secret(self) -> bytes:
        """The 64 secret bytes, seed then public key."""
        return self._key.secret

    @property
    def private_key_pem(self) -> bytes:
        """The private key as PKCS#8 PEM. It is a secret."""
        return self._key.pem().encode()

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM, signed when first asked for."""
        if self._pem is None:
            self._pem = _self_signed(self._key)
        return self._pem

    def __repr__(self) -> str:
        return f"<Certificate of {self.public_key.hex()}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a certificate with its private key cannot be pickled")


def _self_signed(key: PrivateKey) -> bytes:
    # A node without TLS never pays for loading these.
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    signer = Ed25519PrivateKey.from_private_bytes(key.secret[:32])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, key.public_key.hex())])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signer.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC).replace(microsecond=0))
        .not_valid_after(_FOREVER)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(signer, algorithm=None)
    )
    return certificate.public_bytes(Encoding.PEM)
