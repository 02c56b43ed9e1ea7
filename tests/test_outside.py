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
    "os.urandom", "random.random", "random.uniform", "random.choice", "secrets.token_bytes", "pysodium.randombytes",
}
ALLOWED = {
    "certificate.py": {"datetime.now"},             # a certificate is valid from the moment that it is made
    "keys.py": {"pysodium.randombytes"},            # a new identity
    "autopeer/builtin.py": {"time.time"},           # what a list says of days ago is reckoned from now
    "network/resolver.py": {"time.monotonic"},      # in threads, which have no event loop
}


def reads(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {name for node in ast.walk(tree) if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in READS}


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_of_python(path: Path) -> None:
    assert reads(path) == ALLOWED.get(str(path.relative_to(ROOT / "ygg")), set())


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_of_the_engine(path: Path) -> None:
    source = path.read_text()
    found = set(re.findall(r"urandom|perf_counter|clock_gettime|randombytes_buf|time\.(?:time|monotonic)", source))
    # The last measures how fast the processor seals, for benchmarks.
    allowed = {"clock.pyx": {"clock_gettime"}, "sodium.pyx": {"randombytes_buf"}, "session.pyx": {"perf_counter"}}
    assert found == allowed.get(path.name, set())
