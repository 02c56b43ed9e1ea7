"""Tests have tests.aio run their coroutines: it makes the loop, in debug mode, with a limit, and takes complaints."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNNERS = {"asyncio.run", "asyncio.Runner", "asyncio.new_event_loop"}

ALLOWED = {
    "tests/aio.py": "the one place",
    "tests/vtunpair.py": "for tests of two VTuns, with complaints that are expected",
    "tests/tutorial.py": "a program that runs the tutorial's",
    "tests/interop/node.py": "a program on a host of its own",
    "tests/node/links/test_lifecycle.py": "a state machine of Hypothesis, whose steps are in one loop",
    "tests/interop/delay.py": "a thread that carries packets, beside the test",
    "tests/test_python_calls.py": "counts calls, of which debug mode would make more",
    "tests/network/native/test_resolver.py": "a second loop in another thread",
    "tests/vtun/test_detached.py": "a loop that is closed under what it runs",
    "tests/simulation/test_clock.py": "the loop itself is tested",
    "tests/simulation/test_loop.py": "the loop itself is tested",
    "tests/simulation/test_switch.py": "the loop itself is tested",
    "tests/simulation/test_whole_nodes.py": "with the system's clocks and random sources taken away",
    "tests/simulation/test_world.py": "the loop itself is tested",
}
"""Who makes loops all the same, and why."""


def makes_loops(source: str) -> bool:
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return any(ast.unparse(call) in RUNNERS for call in calls)


def test_loops_are_made_in_one_place() -> None:
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "fuzz").rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix() for path in files if makes_loops(path.read_text(encoding="utf-8"))}
    assert found == set(ALLOWED)
