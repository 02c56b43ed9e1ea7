"""Invariant: what arrives at either end of a session is a part of what was sent to it, without repeats and without
inventions, over a channel that loses, delays, reorders and replays messages, whatever expires or is restarted;
it is in order as long as the channel keeps the order (a packet held back while keys change may open under keys that are
still accepted); and once the channel behaves, traffic flows again within half a minute, however far apart the clocks
are: as handshakes are repeated ever more rarely while they fail, what went wrong before decides how soon. Nearly always
it takes seconds."""

import itertools
import random
from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ygg.testing import secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.testing.sessions import SessionTap

START = 1_700_000_000
SECRETS = [secret_key(number) for number in (1, 2)]
KEYS = [secret[32:] for secret in SECRETS]
SOON, MOST = 4, 34
"""Seconds until traffic must flow: after one mishap, and after any; a handshake is repeated after 32 at most."""
TALKERS = [(0,), (1,), (0, 1)]
HAPPENINGS = (
    "send", "deliver", "deliver everything", "wait", "talk", "restart", "replay everything", "replay", "lose", "cut",
)
end = st.sampled_from([0, 1])


class Sessions(RuleBasedStateMachine):
    """Two ends; `flying[i]` holds the messages on their way to end i, `seen[i]` all that ever were."""

    @initialize(seed=st.integers(0, 1000), skew=st.sampled_from([0, 1, -1, 3, -3, 3600, -3600]))
    def begin(self, seed: int, skew: int) -> None:
        self.seed = seed
        self.skew = skew
        self.now = 0.0
        self.lives = [0, 0]
        self.flying: list[list[bytes]] = [[], []]
        self.seen: list[list[bytes]] = [[], []]
        self.sent = 0
        self.reordered = False
        self.arrived: list[list[int]] = [[], []]
        self.ends = [self.born(0), self.born(1)]

    def born(self, which: int) -> SessionTap:
        self.lives[which] += 1
        table = SessionTap(SECRETS[which], b"", SeededRandom((self.seed, which, self.lives[which])))
        self.tell_time(which, table)
        return table

    def tell_time(self, which: int, table: SessionTap) -> None:
        table.tick(int(self.now * 1e9), START + int(self.now) + which * self.skew)

    def teardown(self) -> None:
        for table in getattr(self, "ends", ()):
            table.close()

    def collect(self) -> None:
        for which in (0, 1):
            for key, message in self.ends[which].messages():
                assert key == KEYS[1 - which]
                self.flying[1 - which].append(message)
                self.seen[1 - which].append(message)
            for key, payload in self.ends[which].payloads():
                assert key == KEYS[1 - which]
                sender, number = payload[0], int.from_bytes(payload[1:9], "big")
                assert sender == 1 - which
                assert payload == self.payload(sender, number)
                assert number < self.sent
                self.arrived[which].append(number)

    def payload(self, sender: int, number: int) -> bytes:
        return bytes([sender]) + number.to_bytes(8, "big") + bytes(number % 50)

    @rule(which=end, count=st.integers(1, 3))
    def send(self, which: int, count: int) -> None:
        for _ in range(count):
            self.ends[which].write(KEYS[1 - which], self.payload(which, self.sent))
            self.sent += 1
        self.collect()

    @rule(which=end, count=st.integers(1, 4))
    def deliver(self, which: int, count: int) -> None:
        for message in self.flying[which][:count]:
            self.ends[which].feed(KEYS[1 - which], message)
        del self.flying[which][:count]
        self.collect()

    @rule()
    def deliver_everything(self) -> None:
        for _ in range(10):
            for which in (0, 1):
                self.deliver(which, len(self.flying[which]))

    @precondition(lambda self: any(self.flying))
    @rule(which=end, data=st.data())
    def lose(self, which: int, data: st.DataObject) -> None:
        if self.flying[which]:
            del self.flying[which][data.draw(st.integers(0, len(self.flying[which]) - 1))]

    @precondition(lambda self: any(self.flying))
    @rule(which=end, data=st.data())
    def overtake(self, which: int, data: st.DataObject) -> None:
        if self.flying[which]:
            index = data.draw(st.integers(0, len(self.flying[which]) - 1))
            self.reordered = True
            self.flying[which].insert(0, self.flying[which].pop(index))

    @precondition(lambda self: any(self.seen))
    @rule(which=end, data=st.data())
    def replay(self, which: int, data: st.DataObject) -> None:
        if self.seen[which]:
            message = self.seen[which][data.draw(st.integers(0, len(self.seen[which]) - 1))]
            self.reordered = True
            self.ends[which].feed(KEYS[1 - which], message)
            self.collect()

    @rule(which=end)
    def replay_everything(self, which: int) -> None:
        self.reordered = True
        for message in list(self.seen[which]):
            self.ends[which].feed(KEYS[1 - which], message)
        self.collect()

    @rule(which=end)
    def restart(self, which: int) -> None:
        self.ends[which].close()
        self.ends[which] = self.born(which)

    @rule(seconds=st.sampled_from([0.1, 0.5, 1, 2, 10, 30, 59, 61, 130]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for which, table in enumerate(self.ends):
            self.tell_time(which, table)

    @rule(talkers=st.sampled_from(TALKERS))
    def recover(self, talkers: tuple[int, ...]) -> None:
        """The channel behaves: an end that talks once a second is heard."""
        self.talk(talkers, MOST)

    def talk(self, talkers: tuple[int, ...], most: int) -> int:
        """Talk once a second until it is heard, at most so many seconds; return how many it took."""
        for second in range(1, most + 1):
            self.wait(1)
            for which in talkers:
                self.send(which, 1)
            self.deliver_everything()
            if all(self.is_heard(which, len(talkers)) for which in talkers):
                return second
        raise AssertionError("nothing arrives")

    def is_heard(self, which: int, talkers: int) -> bool:
        """Whether what this end has sent last has arrived."""
        arrived = self.arrived[1 - which]
        return bool(arrived) and arrived[-1] >= self.sent - talkers

    @invariant()
    def once_and_in_order(self) -> None:
        for arrived in getattr(self, "arrived", ()):
            assert len(arrived) == len(set(arrived))
            assert self.reordered or all(earlier < later for earlier, later in itertools.pairwise(arrived))


TestSessions = Sessions.TestCase


@pytest.mark.parametrize("talkers", TALKERS)
def test_handshakes_replayed_to_one_who_was_restarted_cost_seconds(talkers: tuple[int, ...]) -> None:
    """Both ends then send Inits that cross, and one of these must count."""
    sessions = Sessions()
    sessions.begin(seed=0, skew=0)
    sessions.recover(talkers=(0,))
    sessions.restart(1)
    sessions.replay_everything(1)
    sessions.talk(talkers, SOON)
    sessions.teardown()


def happenings(sessions: Sessions, chance: random.Random, seconds: list[int]) -> dict[str, Callable[[int], object]]:
    """Return what may happen to one end or the other; how long recoveries take is added to `seconds`."""

    def replay(which: int) -> None:
        if sessions.seen[which]:
            sessions.ends[which].feed(KEYS[1 - which], chance.choice(sessions.seen[which][-20:]))
            sessions.collect()

    def lose(which: int) -> None:
        chance.shuffle(sessions.flying[which])
        del sessions.flying[which][:1]

    return {
        "send": lambda which: sessions.send(which, chance.randint(1, 3)),
        "deliver": lambda which: sessions.deliver(which, chance.randint(1, 4)),
        "deliver everything": lambda which: sessions.deliver_everything(),
        "wait": lambda which: sessions.wait(chance.choice([0.1, 1, 2, 4, 8, 16, 30])),
        "talk": lambda which: seconds.append(sessions.talk(chance.choice(TALKERS), 100)),
        "restart": sessions.restart,
        "replay everything": sessions.replay_everything,
        "replay": replay,
        "lose": lose,
        "cut": lambda which: sessions.flying[which].clear(),
    }


def walk(seed: int, weights: dict[str, float], steps: int) -> list[int]:
    """Let things happen at random, each as often as it weighs; return the seconds of each recovery between them."""
    chance = random.Random(seed)
    sessions = Sessions()
    sessions.begin(seed=seed, skew=chance.choice([0, 1, -1, 3600]))
    seconds: list[int] = []
    what = happenings(sessions, chance, seconds)
    for _ in range(steps):
        (name,) = chance.choices(list(weights), list(weights.values()))
        what[name](chance.randrange(2))
    seconds.append(sessions.talk(chance.choice(TALKERS), 100))
    sessions.teardown()
    return seconds


def test_recovery_takes_seconds() -> None:
    """Whatever went before, of a hundred recoveries ninety-nine take four seconds at most, and none takes long."""
    weights = dict.fromkeys(HAPPENINGS, 1.0) | {"cut": 0}
    seconds = sorted(second for seed in range(400) for second in walk(seed, weights, 40))
    assert seconds[len(seconds) * 99 // 100] <= SOON
    assert seconds[-1] <= MOST / 2


@pytest.mark.parametrize("seed", [*range(60), 2348])
def test_no_recovery_takes_longer_than_the_longest_wait(seed: int) -> None:
    """Also where nearly all that is sent is cut off or replayed for minutes, so that both ends wait for long."""
    weights = dict(zip(HAPPENINGS, (3, 4, 1, 5, 0.5, 1, 2, 3, 2, 3), strict=True))
    assert max(walk(seed, weights, 80)) <= MOST
