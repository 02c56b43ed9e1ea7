"""Attacks on the tree, on path discovery and on forwarding, by a neighbour whose key is proven."""

import itertools
import os
import threading
import time

from hostile.attack import Attack, attack, grouped
from hostile.evil import (
    ANNOUNCE,
    BROKEN,
    FARTHEST,
    LOOKUP,
    NOTIFY,
    SIG_REQ,
    Evil,
    Keys,
    first_init,
    message,
    random_key,
)

RECORDS = 4000


def _invented(number: int) -> Keys:
    return Keys.of(b"%032d" % number)


@attack
def announce(fight: Attack) -> int:
    """Records of invented nodes, rightly signed."""
    evil = Evil(fight.target).become_child()
    chunks = grouped([_invented(number).root_record() for number in range(RECORDS)], 50)
    fight.begin()
    return 50 * fight.blast(evil, chunks)


@attack
def announce_by_five(fight: Attack) -> int:
    """The same by five neighbours at once."""
    evils = [Evil(fight.target, 100 + number).become_child() for number in range(5)]
    chunks = grouped([_invented(number).root_record() for number in range(RECORDS)], 50)
    fight.begin()
    threads = [threading.Thread(target=fight.blast, args=(evil, chunks)) for evil in evils]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(evils)


@attack
def reseq(fight: Attack) -> int:
    """Ever newer records of its own: each changes the tree."""
    evil = Evil(fight.target).become_child()
    chunks = grouped([evil.keys.root_record(10 + number) for number in range(RECORDS)], 20)
    fight.begin()
    return 20 * fight.blast(evil, chunks)


@attack
def deep(fight: Attack) -> str:
    """A smaller root than all, a thousand hops away over the largest port numbers."""
    evil = Evil(fight.target)
    root = next(keys for keys in map(Keys.of, iter(lambda: os.urandom(32), b"")) if keys.public[:2] < b"\0\x08")
    evil.wait(lambda: evil.heard[SIG_REQ] and evil.heard[ANNOUNCE])
    chain = [root, *(_invented(number) for number in range(1000)), evil.keys]
    frames = [root.root_record(), *(below.record(above, FARTHEST) for above, below in itertools.pairwise(chain))]
    fight.begin()
    evil.send(b"".join(frames))
    fight.rest()
    return f"the target is {len(evil.there)} deep, closed: {evil.closed}"


@attack
def lookups(fight: Attack) -> int:
    """Lookups of the target in invented names: each may be answered."""
    evil = Evil(fight.target).become_child()
    where = {"from": evil.here}
    frames = [message(LOOKUP, source=random_key(), dest=fight.target.public, **where) for _ in range(8000)]
    fight.begin()
    return 20 * fight.blast(evil, grouped(frames, 20))


@attack
def notifies(fight: Attack) -> int:
    """Answers with signatures that are none."""
    evil = Evil(fight.target).become_child().open_session()
    one = message(NOTIFY, path=evil.there, watermark=FARTHEST, source=evil.keys.public, dest=fight.target.public,
                  seq=2**40, info_path=[*evil.here, 7], sig=bytes(64))
    fight.begin()
    return 300 * fight.blast(evil, [one * 300])


@attack
def brokens(fight: Attack) -> int:
    """Word that the path to the honest neighbour is broken."""
    evil = Evil(fight.target).become_child().open_session()
    neighbour = Keys.of(bytes.fromhex(fight.target.neighbour)).public
    one = message(BROKEN, path=evil.there, watermark=FARTHEST, source=fight.target.public, dest=neighbour)
    fight.begin()
    return 300 * fight.blast(evil, [one * 300])


@attack
def paths(fight: Attack) -> str:
    """Identities without end, each with a session and the longest path there may be."""


    evil = Evil(fight.target).become_child()
    longest = [FARTHEST - index for index in range(1000)]
    frames = []
    for number in range(6000):
        keys = _invented(number)
        evil.identities[keys.public] = keys
        frames.append(evil.traffic(keys.public, first_init(keys, fight.target)))
    by_prefix = {public[:6]: keys for public, keys in evil.identities.items()}
    told: set[bytes] = set()

    def answer(dest: bytes) -> None:
        if dest[:6] not in told and dest[:6] in by_prefix:
            told.add(dest[:6])
            evil.notify(by_prefix[dest[:6]], path=evil.here + longest)

    evil.lookup_in = answer  # type: ignore[method-assign]
    fight.begin()
    fight.blast(evil, grouped(frames, 10), 60)
    time.sleep(0.5)
    return f"{len(told)} paths told"
