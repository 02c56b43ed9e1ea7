"""With CI set, a test that is skipped for a reason that is not allowed fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = "the kernel has one congestion control only"
SKIPS = f"""
import pytest

@pytest.mark.skipif(True, reason="{ALLOWED}")
def test_allowed(): pass

@pytest.mark.skipif(True, reason="no tools here")
def test_marked(): pass

def test_called():
    pytest.skip("no tools here")

@pytest.fixture
def lacking():
    pytest.importorskip("a_module_that_is_not_there")

def test_set_up(lacking): pass

@pytest.mark.xfail
def test_expected():
    assert False

def test_passes(): pass
"""
WHOLE = "import pytest\npytest.importorskip('a_module_that_is_not_there')\n"


def outcomes(folder: Path, ci: bool) -> set[str]:
    """Run the tests; return the failures that pytest tells."""
    (folder / "conftest.py").write_bytes((ROOT / "conftest.py").read_bytes())
    (folder / "test_skips.py").write_text(SKIPS)
    (folder / "test_whole.py").write_text(WHOLE)
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(folder), "-c", "/dev/null", "-rEf",
               "--continue-on-collection-errors", "-p", "no:cacheprovider", str(folder)]
    packages = os.path.abspath(os.environ.get("PYTHONPATH") or folder)
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"PYTHONPATH": packages}
    done = subprocess.run(command, cwd=folder, env=environment | ({"CI": "1"} if ci else {}), capture_output=True,
                          text=True, check=False)
    return {line.split(" - ")[0].rpartition("::")[2].rpartition("/")[2] for line in done.stdout.splitlines()
            if line.startswith(("FAILED ", "ERROR "))}


@pytest.mark.parametrize(("ci", "failed"), [
    (False, set()), (True, {"test_marked", "test_called", "test_set_up", "ERROR test_whole.py"}),
])
def test_what_may_not_be_skipped_fails(tmp_path: Path, ci: bool, failed: set[str]) -> None:
    assert outcomes(tmp_path, ci) == failed
