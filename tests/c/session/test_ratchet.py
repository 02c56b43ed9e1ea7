"""The table of what happens to a session's keys: against protocol 0.5, section 7, the page in docs, and sessions."""

import re
from pathlib import Path

import pysodium
import pytest

from tests.c.session_pair import SECOND, START, End
from ygg_c.link.wire import encode_uv
from ygg_c.session.ratchet import ACTIONS_BY_NAME, EVENTS_BY_NAME, STATES_BY_NAME, TRANSITIONS

PAGE = (Path(__file__).parents[3] / "docs/sessions.md").read_text(encoding="utf-8")
INIT, ACK, TRAFFIC = 1, 2, 3

KEY_CASES = ["traffic (current, recv)", "traffic (next, send)", "traffic (next, recv)"]
PROTOCOL = {
    # 7.6: a genuine handshake makes a session where there is none.
    ("none", "handshake of a remote anew"): ("create", "due"),
    # 7.7: any traffic without a session asks.
    ("none", "traffic of unknown keys"): ("ask", "none"),
    # 7.7, the last clause: the second or third case, at most once in 60 s.
    ("due", "traffic (current, recv)"): ("deliver", "due"),
    ("due", "traffic (next, send)"): ("step", "rested"),
    ("due", "traffic (next, recv)"): ("step", "rested"),
    **{("rested", case): ("deliver", "rested") for case in KEY_CASES},
    ("rested", "a minute is over"): ("ignore", "due"),
}
for state in ("due", "rested"):
    PROTOCOL |= {
        (state, "traffic of unknown keys"): ("ask", state),
        (state, "forged traffic"): ("ask", state),
        (state, "replayed traffic"): ("ignore", state),
        (state, "malformed traffic"): ("ignore", state),
        # 7.6: only a later second counts.
        (state, "old handshake"): ("ignore", state),
        (state, "copied handshake"): ("ignore", state),
        (state, "handshake of later keys"): ("take", state),
        (state, "handshake of a remote anew"): ("take", state),
        # Ours: section 7.6 has a later handshake of known keys make us step as well.
        (state, "handshake of known keys"): ("note", state),
    }
IMPOSSIBLE = {
    **{("none", event): "there are no keys" for event in EVENTS_BY_NAME
       if event not in ("handshake of a remote anew", "traffic of unknown keys")},
    ("due", "a minute is over"): "there was no step, or its minute is over",
}


def test_table_is_that_of_the_protocol() -> None:
    assert TRANSITIONS == PROTOCOL


def test_each_pair_is_in_the_table_or_named_impossible() -> None:
    pairs = {(state, event) for state in STATES_BY_NAME for event in EVENTS_BY_NAME}
    assert pairs == TRANSITIONS.keys() | IMPOSSIBLE.keys()
    assert not TRANSITIONS.keys() & IMPOSSIBLE.keys()
    assert {action for action, _ in TRANSITIONS.values()} == set(ACTIONS_BY_NAME)


def test_page_is_drawn_from_the_table() -> None:
    drawn = set(re.findall(r"^    (\S+) --> (\S+): (.+)$", PAGE, re.MULTILINE))
    assert drawn == {(state, after, event) for (state, event), (_, after) in TRANSITIONS.items() if after != state}
    table = PAGE.split("| event |")[1].split("\n\n")[0].splitlines()[2:]
    assert [line.strip("| ").split(" | ") for line in table] == [
        [event, *(TRANSITIONS.get((state, event), ("—", ""))[0] for state in STATES_BY_NAME)]
        for event in EVENTS_BY_NAME
    ]


# What sessions do: a node's end against a remote that is written out here, by section 7 alone.


class Pairs:
    """X25519 key pairs by number."""

    @staticmethod
    def secret(number: int) -> bytes:
        return bytes([number]) * 32

    @staticmethod
    def public(number: int) -> bytes:
        return pysodium.crypto_scalarmult_curve25519_base(Pairs.secret(number))


class Remote:
    """The far side of one session of `end`. Its pairs are numbers; `seen` are the publics that the end has told."""

    def __init__(self) -> None:
        self.end, self.own = End(1), End(2)
        self.now = 0.0
        self.current, self.next, self.keyseq = 10, 11, 1
        self.recv = self.send = self.end_next = b""
        self.nonce = 0
        self.wait(0)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.end.table.tick(int(self.now * SECOND), START + int(self.now))

    def ratchet(self) -> tuple[int, int, int]:
        """How the end's keys stand: its number, ours, and the last nonce sent; all 0 without a session."""
        return self.end.table.ratchet(self.own.key) or (0, 0, 0)

    def feed(self, message: bytes) -> list[int]:
        """Give a message to the end; learn its keys from what it says; return the kinds of what it says."""
        self.end.table.feed(self.own.key, message)
        return [self.learn(answer) for answer in self.taken()]

    def taken(self) -> list[bytes]:
        return [message for _, message in self.end.table.messages()]

    def learn(self, message: bytes) -> int:
        """Note the keys in a handshake of the end."""
        if message[0] in (INIT, ACK):
            x_secret = pysodium.crypto_sign_sk_to_box_sk(self.own.secret)
            key = pysodium.crypto_box_beforenm(message[1:33], x_secret)
            plain = pysodium.crypto_box_open_afternm(message[33:], bytes(24), key)
            self.send, self.end_next = plain[64:96], plain[96:128]
        return message[0]

    def handshake(self, kind: int, current: int, following: int, keyseq: int, seq: int) -> bytes:
        """An Init or Ack of ours."""
        ephemeral, secret = Pairs.public(99), Pairs.secret(99)
        content = Pairs.public(current) + Pairs.public(following) + keyseq.to_bytes(8, "big") + seq.to_bytes(8, "big")
        signature = pysodium.crypto_sign_detached(ephemeral + content, self.own.secret)
        x_public = pysodium.crypto_sign_pk_to_box_pk(self.end.key)
        key = pysodium.crypto_box_beforenm(x_public, secret)
        return bytes([kind]) + ephemeral + pysodium.crypto_box_afternm(signature + content, bytes(24), key)

    def traffic(self, case: str, following: int = 50, nonce: int | None = None) -> bytes:
        """A packet in one of the three key cases, which tells `following` as our next key."""
        local, remote, _ = self.ratchet()
        theirs, ours = case.removeprefix("traffic (").removesuffix(")").split(", ")
        secret = Pairs.secret(self.current if theirs == "current" else self.next)
        public = self.recv if ours == "recv" else self.send
        self.nonce += 1
        number = nonce or self.nonce
        key = pysodium.crypto_box_beforenm(public, secret)
        box = pysodium.crypto_box_afternm(
            Pairs.public(following) + b"payload", bytes(16) + number.to_bytes(8, "big"), key)
        numbers = (remote + (theirs == "next"), local - (ours == "recv"), number)
        return bytes([TRAFFIC]) + b"".join(map(encode_uv, numbers)) + box

    def step(self, following: int = 50) -> None:
        """Have the end step by a packet, and follow."""
        self.feed(self.traffic("traffic (next, send)", following))
        assert self.arrived()
        self.current, self.next = self.next, following
        self.recv, self.send = self.send, self.end_next

    def arrived(self) -> list[bytes]:
        """The payloads that have come up at the end."""
        return [payload for _, payload in self.end.table.payloads()]

    def reach(self, state: str) -> None:
        """Bring the end into a state."""
        if state == "none":
            return
        self.end.table.write(self.own.key, b"hello")
        (init,) = self.taken()
        self.learn(init)
        self.recv, self.send = self.send, self.end_next
        self.end.table.feed(self.own.key, self.handshake(ACK, self.current, self.next, self.keyseq, START))
        (packet,) = self.taken()
        key = pysodium.crypto_box_beforenm(self.send, Pairs.secret(self.current))
        plain = pysodium.crypto_box_open_afternm(packet[4:], bytes(16) + (1).to_bytes(8, "big"), key)
        self.end_next = plain[:32]
        if state == "rested":
            self.step()
        self.wait(5)

    def told(self, event: str) -> bytes:
        """The message that is an event of the state in which the end is."""
        keyseq = self.ratchet()[1]
        match event:
            case "traffic of unknown keys":
                return bytes([TRAFFIC, 77, 77, 1]) + bytes(60)
            case "forged traffic":
                return self.traffic("traffic (next, send)")[:-1] + b"x"
            case "replayed traffic":
                message = self.traffic("traffic (current, recv)", nonce=1000)
                self.feed(message)
                assert self.arrived() == [b"payload"]
                self.wait(5)
                return message
            case "malformed traffic":
                return bytes([TRAFFIC, 1, 1, 1])
            case "old handshake":
                return self.handshake(INIT, 20, 21, keyseq + 1, START - 1)
            case "copied handshake":
                return self.handshake(INIT, self.current, self.next, keyseq, START)
            case "handshake of known keys":
                return self.handshake(INIT, self.current, self.next, keyseq, START + 5)
            case "handshake of later keys":
                return self.handshake(INIT, self.next, 21, keyseq + 1, START + 5)
            case "handshake of a remote anew":
                return self.handshake(INIT, 20, 21, 0, START + 5)
        return self.traffic(event)


@pytest.mark.parametrize(("state", "event"), TRANSITIONS)
def test_a_session_does_what_the_table_says(state: str, event: str) -> None:
    remote = Remote()
    remote.reach(state)
    action, after = TRANSITIONS[state, event]
    if event == "a minute is over":
        for _ in range(2):
            remote.wait(30)
            remote.feed(remote.traffic("traffic (current, recv)"))      # or the session would be forgotten
        answers, before = [], remote.ratchet()
    else:
        message = remote.told(event)
        before = remote.ratchet()
        answers = remote.feed(message)
    delivered = remote.arrived()
    standing = remote.ratchet()
    if event == "a minute is over":
        delivered = []
    assert bool(delivered) is (action in ("deliver", "step"))
    assert (INIT in answers) is (action == "ask")
    if action == "create":
        assert (before, standing) == ((0, 0, 0), (1, 0, 0))
    elif action == "step":
        assert standing == (before[0] + 1, before[1] + 1, 0)
    elif action == "take":
        assert standing == (before[0] + 1, 0 if "anew" in event else before[1] + 1, before[2])
    else:
        assert standing == before
    if action in ("create", "take"):
        assert answers == [ACK]
    if action == "note":
        remote.wait(5)
        again = remote.handshake(INIT, 30, 31, standing[1] + 1, START + 5)
        assert remote.feed(again) == []
        assert remote.ratchet() == standing
    if after != "none":
        follow(remote, action, event)
        steps = remote.ratchet()[0]
        remote.feed(remote.traffic("traffic (next, send)", 60))
        assert remote.arrived() == [b"payload"]
        assert (remote.ratchet()[0] == steps + 1) is (after == "due")


def follow(remote: Remote, action: str, event: str) -> None:
    """Have the remote's keys and what it knows of the end's follow an event."""
    if action in ("take", "create"):
        remote.current, remote.next = (20, 21) if "anew" in event else (remote.next, 21)
        remote.nonce = 2000
    elif action == "step":
        remote.current, remote.next = remote.next, 50
        remote.recv, remote.send = remote.send, remote.end_next
    remote.nonce = 2000


@pytest.mark.parametrize(("ahead", "behind"), [(ahead, behind) for ahead in range(-1, 4) for behind in range(-1, 3)])
def test_only_three_pairs_of_numbers_name_keys(ahead: int, behind: int) -> None:
    remote = Remote()
    remote.reach("rested")
    local, known, _ = remote.ratchet()
    message = bytes([TRAFFIC]) + encode_uv(known + ahead) + encode_uv(local - behind) + encode_uv(1) + bytes(60)
    before = remote.end.table.counters()
    remote.feed(message)
    counted = {name for name, count in remote.end.table.counters().items() if count != before[name]}
    named = (ahead, behind) in {(0, 1), (1, 0), (1, 1)}
    assert ("forged" in counted, "unknown_keys" in counted) == (named, not named)
