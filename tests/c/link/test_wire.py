"""The wire codec against the vectors of protocol 0.5."""

import pytest

from ygg_c.link import wire

A = bytes.fromhex("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c")
B = bytes.fromhex("8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394")
NONCE = 0x0123456789ABCDEF
PSIG = bytes.fromhex(
    "06da4f9bc0ed504c883085c6283f2fcf50fc92bcfe85dcecf9b0a5a9d0c0925d"
    "523bfc03bc0de675e1a1276a4d7c4853b7693ede87c94534ed413b91c9de920b"
)
SIG = bytes.fromhex(
    "9d46704de0d613fbce3f8da88bcc09df1b105ca6f6964e4bd4eec42b879b6c0c"
    "a28ae7a548c359dd0e4e1e53ef91f93f8bb4ed9c7d730f6a2744d8151d63b709"
)
INFO_SIG = bytes.fromhex(
    "1e5b08fad2736e603071305ecd2f14f966b8eb3c202fee914ef546b3e41f1ef8"
    "4297e387d16234701e97bea6d4e5eb50a34eb42d4f082bd71c6489dff5d0b20e"
)
MAX = 2**64 - 1

MESSAGES = [
    (2, {"seq": 1, "nonce": NONCE}, "01ef9bafcdf8acd19101"),
    (3, {"seq": 1, "nonce": NONCE, "port": 300, "psig": PSIG}, "01ef9bafcdf8acd19101ac02" + PSIG.hex()),
    (
        4,
        {"node": B, "parent": A, "seq": 1, "nonce": NONCE, "port": 300, "psig": PSIG, "sig": SIG},
        B.hex() + A.hex() + "01ef9bafcdf8acd19101ac02" + PSIG.hex() + SIG.hex(),
    ),
    (6, {"source": A, "dest": B, "from": [1, 300]}, A.hex() + B.hex() + "01ac0200"),
    (
        7,
        {"path": [1, 300], "watermark": MAX, "source": B, "dest": A,
         "seq": 1700000000, "info_path": [7], "sig": INFO_SIG},
        "01ac0200ffffffffffffffffff01" + B.hex() + A.hex() + "80e2cfaa060700" + INFO_SIG.hex(),
    ),
    (8, {"path": [1, 2], "watermark": 3, "source": A, "dest": B}, "01020003" + A.hex() + B.hex()),
    (
        9,
        {"path": [1, 300], "from": [7], "source": A, "dest": B, "watermark": 4, "payload": b"hello"},
        "01ac02000700" + A.hex() + B.hex() + "0468656c6c6f",
    ),
]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (NONCE, "ef9bafcdf8acd19101"), (MAX, "ff" * 9 + "01")],
)
def test_uv_vectors(value, encoded):
    assert wire.encode_uv(value).hex() == encoded
    assert wire.decode_uv(bytes.fromhex(encoded)) == (value, len(encoded) // 2)


def test_uv_accepts_longer_forms():
    assert wire.decode_uv(b"\x81\x00") == (1, 2)
    assert wire.decode_uv(b"\x80" * 9 + b"\x01") == (2**63, 10)


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\xff" * 9, b"\x80" * 9 + b"\x02", b"\x80" * 10, b"\x80" * 10 + b"\x00"]
)
def test_uv_refuses_what_does_not_end_or_fit(data):
    with pytest.raises(ValueError, match="varint"):
        wire.decode_uv(data)


def test_paths_end_with_a_zero_in_any_form():
    assert wire.decode_path(b"\x01\xac\x02\x00") == [1, 300]
    assert wire.decode_path(b"\x81\x00\x80\x00") == [1]
    for data in (b"", b"\x01", b"\x01\x00\x00", b"\x01" * 1025 + b"\x00"):
        with pytest.raises(ValueError, match="path"):
            wire.decode_path(data)
    assert len(wire.decode_path(b"\x01" * 1024 + b"\x00")) == 1024


@pytest.mark.parametrize(("kind", "fields", "body"), MESSAGES)
def test_message_vectors(kind, fields, body):
    assert wire.encode(kind, **fields).hex() == body
    assert wire.decode(kind, bytes.fromhex(body)) == fields


@pytest.mark.parametrize(("kind", "fields", "body"), MESSAGES)
def test_messages_cut_anywhere_do_not_decode(kind, fields, body):
    data = bytes.fromhex(body)
    shortest = len(data) - len(fields.get("payload", b""))
    for size in range(shortest):
        with pytest.raises(ValueError, match="ErrDecode"):
            wire.decode(kind, data[:size])


@pytest.mark.parametrize(("kind", "fields", "body"), MESSAGES[:-1])
def test_only_traffic_has_room_for_more(kind, fields, body):
    with pytest.raises(ValueError, match="ErrDecode"):
        wire.decode(kind, bytes.fromhex(body) + b"\0")


def test_tree_bytes_vector():
    assert wire.encode_tree_bytes(B, A, 1, NONCE, 300) == B + A + bytes.fromhex("01ef9bafcdf8acd19101ac02")


def test_frames():
    assert wire.encode_frame(2, wire.encode(2, seq=1, nonce=NONCE)).hex() == "0b0201ef9bafcdf8acd19101"
    assert wire.encode_frame(5, b"\xff" * 16 + bytes(16))[:2].hex() == "2105"
    assert wire.encode_frame(1, b"").hex() == "0101"
    with pytest.raises(ValueError, match="too long"):
        wire.encode_frame(9, bytes(131070))
