"""What attacks do to a node, in real time: the honest side feels little of any of them."""

import pytest

from hostile import arena
from hostile.arena import Phase
from hostile.attacks import ATTACKS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SECONDS, REST = 3.0, 1.0
TRIES = 2
"""What a busy machine does once it seldom does twice; what an attack does comes again."""


def complaints(before: Phase, during: Phase) -> list[str]:
    """Return what the honest side felt beyond the limits.

    They are wider than the goals of a quiet machine (50 ms of lag, 20 ms more for an echo, a newcomer in a second), and
    grow with what the same machine needs without the attack.
    """
    limits = {
        "work": 100.0,
        "ping": max(before.ping + 100, 4 * before.ping),
        "newcomer": max(1500.0, 4 * before.newcomer),
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
