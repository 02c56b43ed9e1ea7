"""The ratchet itself: the transcript of protocol 0.5, section 15.3, step by step, and what each key case opens."""

import pysodium
import pytest

from tests.c.session_pair import SECOND, START, End, Pair
from ygg_c.base.sodium import SeededRandom
from ygg_c.link.wire import encode_uv
from ygg_c.testing.sessions import ScriptedRandom

INIT = bytes.fromhex(
    "014c2817a9d668ed844d2f95b93b69ecb8485095783a015a424164b0d09702894f8da42ed00445ba04e0b4e9f8520ac6b5fcf5d4ca7ccc42"
    "019c09e09e83bbb6c1386191bd73e64ff66fbfe7ea8ea4175cffb962a110f038b8441be1240cf6b53e2fcfbfebf7eaa1920e06540d8e7fed"
    "9219f79a5b375e1569f3d212920b2882572e5088ee4d0e81c7d430f7aadff70299db64f9839b8d61ed4fefe2a47beb3e3c2b69d316955d0e"
    "ec6a50fca864bb6e580d0657a43f4e84818a3bde6c9b763b0b"
)
INIT_GROUP = bytes.fromhex(
    "014c2817a9d668ed844d2f95b93b69ecb8485095783a015a424164b0d09702894f3cc140f70e4eb4a20268092f0c50971aff0aef9839e435"
    "e020b419b0f433b8ffd7ba1de4bc15a3a76f0450b8a82c483f825131187b0fb31d4438168d322be7b750c57cf84a3216b3429401c1588d99"
    "9919f79a5b375e1569f3d212920b2882572e5088ee4d0e81c7d430f7aadff70299db64f9839b8d61ed4fefe2a47beb3e3c2b69d316955d0e"
    "ec6a50fca864bb6e580d0657a43f4e84818a3bde6c9b763b0b"
)
ACK = bytes.fromhex(
    "0219d80204bf85f3e1118e1b23410c88f0d0eeced5156f4c5bdf347b14ed7ec63ff1ccc97ae1253ad60212cd7c6af8370006d2f8c4dcd48e"
    "f6be7113298e52d7a7cb168de3533379e6dda7ee19d4807d64b004bf64b84c4b4df109cda15b87fbbb9d1c69eb065986572e3422f8a03115"
    "187a63990eb77e456cc86e37fe222535d555d46f36f6c63b51e8dbf8b3dd6ed18cde50c81f41d2accaa99afd4c8cd5b3635910d75e2e15ec"
    "75644cf94f70ca2c60be1de68b17992d9f386eca7b53388ce7"
)
T1 = bytes.fromhex(
    "03010101ad7e6e6361795aa540278518dd5afce4a7ba91f077ffa9d8294bb77c711ebf9a2c6182604158a135341ff7f4f10c62ed2c1997da"
    "b29b"
)
T2 = bytes.fromhex(
    "030201016f1c97265c51b122cfface595e1bb8c9a4c890bc604ecc94f3167dadf1c040cfa6b3ebb23dc9ac322cbb03dc86b403134c80a4a8"
    "c57d"
)
T3 = bytes.fromhex(
    "03020201448dca3e0d20744e241bba14c3e1083bfddcfbe00e7da5628f08879346e7a90604eaff15d1e9d6e1564deab3382d8a79e81aeb69"
    "7799"
)
T4 = bytes.fromhex(
    "030201028024fd318b2ba3f037baaceee95960d1053454fad63d07ac7556a349aa6a56cde53617cdae7e865b7b0d41b6e365d18a73d470c9"
    "f4"
)
# By seed: the X25519 secret and public key of section 7.1.
X25519 = {
    1: (bytes.fromhex("5ce86efb75fa4e2c410f46e16de9f6acae1a1703528651b69bc176c088bef3ee"),
        bytes.fromhex("1b1b58dd50ea14b60da17b790cd02754d970c9bab864ebb3c0f3016fe51d3f57")),
    2: (bytes.fromhex("aa3c626bc9c38c8c201878ebb1d5b0b50ac40e8986c78793db1d4ef369fca1ce"),
        bytes.fromhex("60346e7c911a5f6ba154129174cafe75b294ac3bbd5549632f48cec6266f8410")),
    3: (bytes.fromhex("98aebbb178a551876bfaf8e1e530dac6aaf6c2ea1c8f8406a3ab37dfb40fbc25"),
        bytes.fromhex("75e270df2952c57ba8367ba8618c178f9fe50db2799d304e74e918d985686146")),
}


def handshake_plain(message: bytes, x_secret: bytes) -> bytes:
    """Open an Init or Ack with the recipient's X25519 secret."""
    key = pysodium.crypto_box_beforenm(message[1:33], x_secret)
    return pysodium.crypto_box_open_afternm(message[33:], bytes(24), key)


def secrets(names: str) -> ScriptedRandom:
    """X25519 secrets of one repeated byte each, in the order in which they are asked for; a salt comes first."""
    return ScriptedRandom([bytes(8), *(bytes.fromhex(name) * 32 for name in names.split())])


def transcript() -> Pair:
    """A and B with the keys of the transcript; "00" is a key that never shows."""
    return Pair(End(1, random=secrets("a1 a2 e1 a3 a4")), End(2, random=secrets("00 b3 b4 e2 b5")))


def test_transcript() -> None:
    """Every message of the transcript leaves as written there, and opens."""
    pair = transcript()
    assert pair.send(pair.a, b"\x01hello") == [INIT]
    assert pair.give(pair.b, INIT) == [ACK]
    # Here the reference sends an Ack that nobody needs and B overlooks, as its second is not later than the Init's.
    assert pair.give(pair.a, ACK) == [T1]
    assert pair.give(pair.b, T1) == []
    assert pair.send(pair.b, b"\x01world") == [T2]
    assert pair.give(pair.a, T2) == []
    assert pair.send(pair.a, b"\x01again") == [T3]
    assert pair.give(pair.b, T3) == []
    assert pair.send(pair.b, b"\x01more") == [T4]
    assert pair.give(pair.a, T4) == []
    assert pair.arrived(pair.a) == [b"\x01world", b"\x01more"]
    assert pair.arrived(pair.b) == [b"\x01hello", b"\x01again"]
    assert pair.a.table.ratchet(pair.b.key) == (2, 2, 1)
    assert pair.b.table.ratchet(pair.a.key) == (2, 1, 2)


def test_group_password_enters_the_signature() -> None:
    """With a group password the Init is the other one of the vectors."""
    a = End(1, b"test-group-password", secrets("a1 a2 e1"))
    assert Pair(a).send(a, b"\x01hello") == [INIT_GROUP]


def test_group_prefix() -> None:
    """What a node of a group signs begins with the 32 bytes of section 7.3."""
    prefix = bytes.fromhex("cbd0fa4069bf3a0c6f5e0ff387c1646af654d3e5c60120d5b2ba10906fd4ec07")
    a, b = End(1, b"test-group-password"), End(2, b"test-group-password")
    (init,) = Pair(a, b).send(a, b"hello")
    plain = handshake_plain(init, X25519[2][0])
    pysodium.crypto_sign_verify_detached(plain[:64], prefix + init[1:33] + plain[64:], a.key)


@pytest.mark.parametrize("seed", X25519)
def test_handshakes_are_boxed_for_the_identity(seed: int) -> None:
    """An Init for an Ed25519 key is boxed for the X25519 key of section 7.1, and what is boxed for that one opens."""
    x_secret, x_public = X25519[seed]
    ours, theirs = End(12, random=secrets("a1 a2 e1")), End(seed)
    pair = Pair(ours, theirs)
    (init,) = pair.send(ours, b"hello")
    assert len(handshake_plain(init, x_secret)) == 144
    key = pysodium.crypto_box_beforenm(x_public, b"\xe1" * 32)
    again = init[:33] + pysodium.crypto_box_afternm(handshake_plain(init, x_secret), bytes(24), key)
    assert again == init
    assert [answer[0] for answer in pair.give(theirs, again)] == [2]


def test_boxes() -> None:
    """Traffic is boxed as in section 7.2: its shared key opens ours, and its boxes have our key stream."""
    key = bytes.fromhex("8abe7c8ae6800b76d4f5986b04b77f6e9b4f332403c90df02428336e8bd9b525")
    hellos = {1: "dc03d7af7648a7c5b71b2b575941fb04cd0c4310ff", 300: "012d3ce8dfc5b948fb268e15e469cf945ca53b5525"}
    # After the Ack A seals with its second key for B's first.
    pair = Pair(End(1, random=secrets("a1 11 e1 a3")), End(2, random=secrets("00 22 b4 e2")))
    (first,) = pair.give(pair.a, *pair.give(pair.b, *pair.send(pair.a, b"payload")))
    sent = [first, *(pair.send(pair.a, b"payload")[0] for _ in range(299))]
    for number, hello in hellos.items():
        box = sent[number - 1][3 + len(encode_uv(number)) :]
        plain = pysodium.crypto_box_open_afternm(box, bytes(16) + number.to_bytes(8, "big"), key)
        assert plain[32:] == b"payload"
        stream = bytes(ours ^ text for ours, text in zip(box[16:], plain, strict=True))
        assert bytes(ours ^ text for ours, text in zip(stream, b"hello", strict=False)).hex() == hello[32:]


def test_both_open_at_once() -> None:
    """Two Inits that both count make one session that carries both payloads (the third key case)."""
    pair = Pair()
    pair.a.table.tick(0, START - 1)
    init_a, init_b = pair.send(pair.a, b"from a"), pair.send(pair.b, b"from b")
    # The smaller key overlooks one that comes at once; a remote that does not leaves both sides as a late one does.
    from_a, from_b = pair.give(pair.a, *init_b), pair.give(pair.b, *init_a)
    assert from_b == []
    pair.b.table.tick(2 * SECOND, START)
    from_b = pair.give(pair.b, *init_a)
    assert [message[0] for message in from_a] == [2, 3]
    assert from_a[1][1:3] == from_b[1][1:3] == b"\x01\x00"
    pair.give(pair.a, *from_b)
    pair.give(pair.b, *from_a)
    pair.settle()
    assert pair.arrived(pair.a) == [b"from b"]
    assert pair.arrived(pair.b) == [b"from a"]
    assert pair.exchange(pair.a, b"more") == [b"more"]
    assert pair.exchange(pair.b, b"more") == [b"more"]


def test_keys_roll_once_a_minute() -> None:
    """While traffic flows both ways each side steps about once a minute, and nothing is lost at the steps."""
    pair = Pair()
    pair.open()
    steps = []
    for _ in range(600):
        pair.advance(1)
        assert pair.exchange(pair.a, b"to b") == [b"to b"]
        assert pair.exchange(pair.b, b"to a") == [b"to a"]
        steps.append(pair.a.table.ratchet(pair.b.key)[0])
    assert 9 <= steps[-1] - steps[0] <= 10
    # In no span of a minute more than one.
    assert all(later - earlier <= 1 for earlier, later in zip(steps, steps[60:], strict=False))


def test_one_way_traffic_keeps_its_session() -> None:
    """While only one side talks the other shows now and then that it is there; no handshakes are needed."""
    pair = Pair()
    pair.open()
    before = pair.a.table.counters()
    for _ in range(300):
        pair.advance(1)
        assert pair.exchange(pair.a, b"tick") == [b"tick"]
    assert pair.a.table.counters() == before
    assert pair.a.table.ratchet(pair.b.key)[0] <= 2 + 300 // 60
    # The dummies are not answered in turn: when the talk ends, the session does.
    for _ in range(100):
        pair.advance(1)
        pair.settle()
    assert pair.a.table.states() == pair.b.table.states() == []


def test_nonces_only_rise() -> None:
    """A packet is taken once, and not after a later one."""
    pair = Pair()
    pair.open()
    first, second = pair.send(pair.a, b"1"), pair.send(pair.a, b"2")
    assert pair.give(pair.b, *second, *second, *first) == []
    assert pair.arrived(pair.b) == [b"2"]
    assert pair.b.table.counters()["replayed"] == 2


def test_a_replay_after_a_step_is_refused() -> None:
    """The counter of a secret survives the step in which the secret changes its place."""
    pair = Pair()
    pair.open()
    pair.advance(31)
    pair.exchange(pair.a, b"kept alive")
    pair.exchange(pair.b, b"kept alive")
    pair.advance(31)
    before = pair.b.table.ratchet(pair.a.key)[0]
    (message,) = pair.send(pair.a, b"once")
    pair.give(pair.b, message)
    pair.give(pair.b, message)
    assert pair.arrived(pair.b) == [b"once"]
    assert pair.b.table.ratchet(pair.a.key)[0] == before + 1
    (answer,) = pair.send(pair.b, b"back")
    pair.give(pair.a, answer)
    pair.give(pair.a, answer)
    assert pair.arrived(pair.a) == [b"back"]


def test_a_replay_after_a_repeated_handshake_is_refused() -> None:
    """An Init that names keys already received under does not let old packets in again."""
    pair = Pair()
    pair.open()
    (message,) = pair.send(pair.a, b"once")
    pair.give(pair.b, message)
    pair.advance(1)
    # Junk makes A repeat its keys; B takes them, as they come with a later second.
    (init,) = pair.give(pair.a, b"\x03\x70\x70\x01" + bytes(60))
    assert [answer[0] for answer in pair.give(pair.b, init)] == [2]
    pair.give(pair.b, message)
    assert pair.arrived(pair.b) == [b"once"]


def test_old_nonces_under_other_keys_are_forged() -> None:
    """A remote that was restarted counts anew: however many packets came before, it is told that its keys are wrong."""
    pair = Pair()
    (init,) = pair.send(pair.b, b"first")
    (ack,) = pair.give(pair.a, init)
    pair.give(pair.a, *pair.give(pair.b, ack))
    for _ in range(50):
        pair.exchange(pair.b, b"more")
    pair.advance(1)
    pair.restart(pair.b)
    assert [message[0] for message in pair.give(pair.b, ack)] == [2]        # the replay; its answer is lost
    pair.advance(1)
    assert [message[0] for message in pair.give(pair.a, *pair.send(pair.b, b"unheard"))] == [1]
    assert (pair.a.table.counters()["forged"], pair.a.table.counters()["replayed"]) == (1, 0)
    pair.advance(1)
    pair.exchange(pair.b, b"unheard, and answered")
    assert pair.exchange(pair.b, b"heard") == [b"heard"]


@pytest.mark.parametrize("position", range(0, 60, 7))
def test_a_changed_packet_is_not_opened(position: int) -> None:
    """Whichever byte is changed, nothing is delivered and the session goes on."""
    pair = Pair()
    pair.open()
    (message,) = pair.send(pair.a, b"payload!")
    broken = bytearray(message)
    broken[position] ^= 0x20
    pair.give(pair.b, bytes(broken))
    assert pair.arrived(pair.b) == []
    pair.give(pair.b, message)
    assert pair.arrived(pair.b) == [b"payload!"]


@pytest.mark.parametrize("size", [0, 1, 16, 1280, 65536, 130914])
def test_payload_sizes(size: int) -> None:
    """Payloads of every size up to the largest pass unchanged."""
    pair = Pair()
    pair.open()
    payload = SeededRandom(size).bytes(size)
    assert pair.exchange(pair.a, payload) == [payload]
