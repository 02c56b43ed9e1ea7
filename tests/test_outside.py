"""Time and chance come from outside: no module reads a clock or a source of randomness that it was not given."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sorted((ROOT / "ygg").rglob("*.py"))
ENGINE = sorted((ROOT / "ygg_c").rglob("*.pyx"))

READS = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "datetime.now",
    "os.urandom", "random.random", "random.uniform", "random.choice", "secrets.token_bytes", "Random().bytes",
    "random.Random()",
}
UNLESS_GIVEN = {"random.Random()"}
ALLOWED = {
    "identity/certificate.py": {"datetime.now"},             # a certificate is valid from the moment that it is made
    "identity/keys.py": {"Random().bytes"},                  # a new identity
    "apps/code.py": {"Random().bytes"},             # a new code
    "cli/screen.py": {"time.monotonic"},            # how long a command has taken so far
    "autopeer/builtin.py": {"time.time"},           # what a list says of days ago is reckoned from now
    "network/native/resolver.py": {"time.monotonic"},  # in threads, which have no event loop
    "network/native/suspends.py": {"time.time", "time.monotonic"},  # how they differ: what the machine has slept
    "autopeer/fetcher.py": {"time.time"},           # unless one is given, as the others below
    "autopeer/manager.py": UNLESS_GIVEN,
    "jumper/jumper.py": UNLESS_GIVEN,
    "node/links/links.py": UNLESS_GIVEN,
    "multicast/discovery.py": UNLESS_GIVEN,
}


def reads(text: str) -> set[str]:
    """Return what a module reads, or hands to something that will; a generator without a seed reads the system's."""
    nodes = list(ast.walk(ast.parse(text)))
    imported = {f"{node.module}.{alias.name}" for node in nodes if isinstance(node, ast.ImportFrom)
                for alias in node.names}
    return (imported | {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute | ast.Call)}) & READS


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_of_python(path: Path) -> None:
    assert reads(path.read_text()) == ALLOWED.get(str(path.relative_to(ROOT / "ygg")), set())


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_of_the_engine(path: Path) -> None:
    source = path.read_text()
    found = set(re.findall(r"urandom|perf_counter|clock_gettime|randombytes_buf|time\.(?:time|monotonic)", source))
    # The last measures how fast the processor seals, for benchmarks.
    allowed = {"clock.pyx": {"clock_gettime"}, "sodium.pyx": {"randombytes_buf"}, "boxes.pyx": {"perf_counter"}}
    assert found == allowed.get(path.name, set())


@pytest.mark.parametrize(("text", "found"), [
    ("import time\nnow = time.time()", {"time.time"}),
    ("import time\ndef f(clock=time.time): pass", {"time.time"}),
    ("from time import monotonic as now", {"time.monotonic"}),
    ("import random\nrandom.Random()", {"random.Random()"}),
    ("import random\ndef f(rng: random.Random, seed): return random.Random(seed)", set()),
    ("loop.time()", set()),
])
def test_what_is_found(text: str, found: set[str]) -> None:
    assert reads(text) == found
