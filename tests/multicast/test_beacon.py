"""ygg.multicast.beacon: the datagram, byte for byte, and everything that is not one."""

import struct

import pytest

from ygg.multicast.beacon import SIZE, Beacon, BeaconError, digest

KEY = bytes.fromhex("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c")
BARE = bytes.fromhex(
    "ccf77c94730e0988a300194c0f4235797ba58fb44ce41dc5535779ccb54b769c"
    "f3da9f7a261a67d6209411e155cc1de3157e59cb3396aa1d720c067bef9e84ac"
)
FOO = bytes.fromhex(
    "1c14a091931bdc23ee070aec74e26d770e645420aa2430fc82e5692b182f12a4"
    "7b51240670193cf10c92caf12a24948d2b0844ff22c6e04853657a2768817a26"
)


@pytest.mark.parametrize(("password", "proof"), [(b"", BARE), (b"foo", FOO)])
def test_published_vector(password: bytes, proof: bytes) -> None:
    data = Beacon.make(KEY, 12345, password).encode()
    assert data == bytes.fromhex("00000005") + KEY + bytes.fromhex("30390040") + proof
    assert len(data) == SIZE == 104
    assert Beacon.decode(data) == Beacon(KEY, 12345, proof)


def test_longest_password() -> None:
    password = bytes(range(64))
    assert Beacon.make(KEY, 1, password).proves(password)


def test_password_must_be_the_same() -> None:
    beacon = Beacon.make(KEY, 1, b"foo")
    assert beacon.proves(b"foo")
    assert not beacon.proves(b"")
    assert not beacon.proves(b"bar")


def test_proof_of_another_key_does_not_count() -> None:
    assert not Beacon(bytes(32), 1, digest(KEY, b"foo")).proves(b"foo")


def test_tail_is_ignored() -> None:
    data = Beacon.make(KEY, 1).encode()
    assert Beacon.decode(data + b"more") == Beacon.decode(data)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ((0, 4, KEY, 1, 64), "version 0.4"),
        ((1, 5, KEY, 1, 64), "version 1.5"),
        ((0, 5, KEY, 1, 0), "hash of 0 bytes"),
        ((0, 5, KEY, 1, 65535), "hash of 65535 bytes"),
        ((0, 5, KEY, 0, 64), "without a port"),
    ],
)
def test_refused(head: tuple[int, int, bytes, int, int], reason: str) -> None:
    with pytest.raises(BeaconError, match=reason):
        Beacon.decode(struct.pack(">HH32sHH", *head) + BARE)


@pytest.mark.parametrize("address", [b"", bytes(16)])
def test_protocol_0_4_is_called_so(address: bytes) -> None:
    with pytest.raises(BeaconError, match=r"^beacon of protocol 0\.4, "):
        Beacon.decode(KEY + address + b"\x12\x34")


def test_every_truncation_is_refused() -> None:
    data = Beacon.make(KEY, 1).encode()
    for size in range(len(data)):
        with pytest.raises(BeaconError, match="truncated"):
            Beacon.decode(data[:size])
