"""Whatever a TLS peer sends, before the handshake or after, there is plain text, a wait or a failure with a reason."""

import ssl

from hypothesis import given
from hypothesis import strategies as st

from tests.tlssides import CLIENT, SERVER, plain_text, shaken
from ygg_c.io.tls import Context, Tls

records = st.builds(
    lambda kind, version, size, body: bytes([kind]) + version + size.to_bytes(2, "big") + body,
    st.sampled_from([20, 21, 22, 23, 24]) | st.integers(0, 255),
    st.sampled_from([b"\3\1", b"\3\3", b"\3\4"]) | st.binary(min_size=2, max_size=2),
    st.integers(0, 65535) | st.integers(0, 40),
    st.binary(max_size=60),
)
said = st.lists(records | st.binary(max_size=60), max_size=6)


@given(st.sampled_from([CLIENT, SERVER]), said)
def test_instead_of_a_handshake(context: Context, pieces: list[bytes]) -> None:
    side = Tls(context)
    side.handshake()
    for piece in pieces:
        side.feed(piece)
        try:
            over = side.handshake()
        except ssl.SSLError:
            break
        assert not over
    assert not side.reason or side.failure is not None


@given(said, st.integers(0, 200), st.integers(1, 255))
def test_after_a_handshake(pieces: list[bytes], place: int, change: int) -> None:
    client, server = shaken()
    client.encrypt(b"hello")
    record = bytearray(client.take())
    if place < len(record):
        record[place] ^= change
    for piece in [bytes(record), *pieces]:
        server.feed(piece)
        text = plain_text(server)
        assert text == b"" if place < len(record) else text in (b"", b"hello")
    assert server.failure is None or server.reason
