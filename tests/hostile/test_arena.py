"""What attacks do to a node, in real time: the honest side feels little of any of them."""

import pytest

from hostile import arena
from hostile.arena import Phase
from hostile.attacks import ATTACKS

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(240)]

SECONDS, REST = 3.0, 1.0
TRIES = 2
"""What a busy machine does once it seldom does twice; what an attack does comes again."""


def complaints(before: Phase, during: Phase) -> list[str]:
    """Return what the honest side felt beyond the limits.

    They are the goals of a quiet machine (a newcomer in a second, 64 MiB, no loss; of the 50 ms of lag what the node
    itself works), but for an echo, which may take 50 ms more in place of 20. To these comes what the machine does: how
    late it ran the node while that had nothing to do, and what it needs without the attack.
    """
    late = max(0.0, during.lag - during.work)
    limits = {
        "work": 50.0,
        "ping": max(before.ping + 50, 4 * before.ping) + 2 * late,
        "newcomer": max(1000.0, 4 * before.newcomer) + 10 * late,
        "resident": before.resident + 64,
        "failures": 0,
        "lost": 0,
    }
    return [f"{name} {getattr(during, name):.0f}, not {most:.0f}"
            for name, most in limits.items() if getattr(during, name) > most]


@pytest.mark.parametrize("name", ATTACKS)
def test_the_honest_side_feels_little(name: str) -> None:
    """The loop goes on, echoes and newcomers are answered, the honest link stays, memory is bounded."""
    found: list[str] = []
    for _ in range(TRIES):
        outcome = arena.run(name, SECONDS, REST)
        found = complaints(outcome.before, outcome.during)
        if not found:
            return
    pytest.fail(f"{'; '.join(found)}\nbefore {outcome.before}\nduring {outcome.during}\ndid {outcome.did}")
