"""Invariant: whatever a stranger sends as a session message, nothing is delivered, no session appears, state stays
bounded, and the genuine session goes on."""

from hypothesis import given
from hypothesis import strategies as st

from ygg.testing import secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.testing.sessions import SessionTap

START = 1_700_000_000
SECRETS = [secret_key(number) for number in (1, 2)]
KEYS = [secret[32:] for secret in SECRETS]

varint = st.binary(min_size=1, max_size=11)
traffic = st.builds(
    lambda one, two, three, box: b"\x03" + one + two + three + box, varint, varint, varint, st.binary(max_size=200)
)
handshake = st.builds(
    lambda kind, body: bytes([kind]) + body, st.sampled_from([1, 2]), st.binary(min_size=192, max_size=192)
)
payload = st.binary(max_size=100).filter(lambda data: data != b"\x00")      # that is a dummy, which is not delivered
message = st.one_of(st.binary(max_size=300), traffic, handshake)


def ends() -> tuple[SessionTap, SessionTap]:
    """Two ends with an open session."""
    a, b = (SessionTap(secret, b"", SeededRandom(secret)) for secret in SECRETS)
    for end in (a, b):
        end.tick(0, START)
    a.write(KEYS[1], b"hello")
    carry(a, b)
    b.write(KEYS[0], b"hello")
    carry(a, b)
    assert (len(a.payloads()), len(b.payloads())) == (1, 1)
    return a, b


def carry(a: SessionTap, b: SessionTap) -> None:
    for _ in range(10):
        for _, data in a.messages():
            b.feed(KEYS[0], data)
        for _, data in b.messages():
            a.feed(KEYS[1], data)


@given(st.lists(message, max_size=20))
def test_arbitrary_messages_from_strangers(messages: list[bytes]) -> None:
    """Without a session only Inits are sent back, one a second."""
    table = SessionTap(SECRETS[0], b"", SeededRandom(1))
    table.tick(0, START)
    for data in messages:
        table.feed(KEYS[1], data)
    assert table.states() == []
    assert table.payloads() == []
    answers = table.messages()
    assert len(answers) == any(data[:1] == b"\x03" for data in messages)
    assert all(key == KEYS[1] and data[0] == 1 and len(data) == 193 for key, data in answers)
    table.close()


@given(st.lists(message, max_size=20))
def test_arbitrary_messages_into_a_session(messages: list[bytes]) -> None:
    """With a session they change nothing that matters."""
    a, b = ends()
    for data in messages:
        b.feed(KEYS[0], data)
    assert b.payloads() == []
    carry(a, b)
    a.write(KEYS[1], b"genuine")
    carry(a, b)
    assert b.payloads() == [(KEYS[0], b"genuine")]
    a.close()
    b.close()


@given(st.data())
def test_mutated_messages(data: st.DataObject) -> None:
    """A genuine message that was changed in any way delivers nothing."""
    a, b = ends()
    a.write(KEYS[1], data.draw(payload))
    ((_, original),) = a.messages()
    changed = bytearray(original)
    for position, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(original) - 1), st.integers(0, 255)), min_size=1, max_size=4)
    ):
        changed[position] = value
    cut = bytes(changed)[: data.draw(st.integers(0, len(changed)))] + data.draw(st.binary(max_size=20))
    b.feed(KEYS[0], cut)
    # A longer spelling of the same numbers is the same message; it is then the original that comes too late.
    delivered = b.payloads()
    b.feed(KEYS[0], original)
    assert len(delivered) + len(b.payloads()) == 1
    if cut[:4] == original[:4] and cut != original:
        assert delivered == []
    a.close()
    b.close()


@given(st.integers(0, 192), st.integers(1, 255))
def test_mutated_handshakes(position: int, flip: int) -> None:
    """An Init with any byte changed opens nothing, but for its type: as an Ack it is still its sender's."""
    a, b = (SessionTap(secret, b"", SeededRandom(secret)) for secret in SECRETS)
    for end in (a, b):
        end.tick(0, START)
    a.write(KEYS[1], b"x")
    ((_, init),) = a.messages()
    changed = bytearray(init)
    changed[position] ^= flip
    b.feed(KEYS[0], bytes(changed))
    if position:
        assert b.states() == []
    a.close()
    b.close()
