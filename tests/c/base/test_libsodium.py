"""Which libsodium is used, and what is said where there is none; each in an interpreter of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

# What RFC 8032, section 7.1, has for its second test.
SEED = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
SIGNATURE = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d"
    "291612bb0c00"
)
SIGN = f"""
from ygg import PrivateKey
print(PrivateKey.from_seed(bytes.fromhex("{SEED}")).sign(bytes([0x72])).hex())
"""
WHICH = """
from ygg_c.base.libsodium import load
print("PyNaCl" if "nacl" in load()._name else "the system's")
"""
NO_SYSTEM = "import ctypes.util; ctypes.util.find_library = lambda name: None\n"
NO_PYSODIUM = "import sys; sys.modules['pysodium'] = None\n"
NO_PYNACL = "import sys; sys.modules['nacl'] = None\n"
COMMAND = "from ygg.cli import main; raise SystemExit(main(['genconf']))"


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script."""
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning:pysodium", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("without", "which"), [
    ("", "the system's"), (NO_PYNACL, "the system's"), (NO_SYSTEM, "PyNaCl"), (NO_PYSODIUM, "PyNaCl"),
])
def test_the_system_comes_first_and_pynacl_will_do(without: str, which: str) -> None:
    done = run(without + WHICH + SIGN)
    assert (done.stdout.splitlines(), done.stderr) == ([which, SIGNATURE], "")


@pytest.mark.parametrize("use", [
    "import ygg_c.base.sodium", "from ygg import PrivateKey", "from ygg import Core, VTun",
])
def test_without_any_the_error_says_what_to_install(use: str) -> None:
    done = run(NO_SYSTEM + NO_PYNACL + use)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: libsodium cannot be used (the system has none; PyNaCl is not installed): ")
    assert "libsodium23" in last
    assert "pip install 'ygg[sodium]'" in last


def test_the_command_line_says_so_in_one_line() -> None:
    done = run(NO_SYSTEM + NO_PYNACL + COMMAND)
    assert done.returncode == 1
    assert done.stderr.startswith("ygg: libsodium cannot be used ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", [b"no library", None])
def test_a_file_that_is_no_libsodium_is_named(tmp_path: Path, content: bytes | None) -> None:
    """One that cannot be loaded at all, and another library."""
    path = Path(__import__("_ctypes").__file__) if content is None else tmp_path / "libsodium.so.23"
    if content is not None:
        path.write_bytes(content)
    broken = f"import ctypes.util; ctypes.util.find_library = lambda name: {str(path)!r}\n"
    done = run(broken + NO_PYNACL + "import ygg_c.base.sodium")
    assert str(path) in done.stderr.splitlines()[-1]
    assert run(broken + WHICH).stdout == "PyNaCl\n"
