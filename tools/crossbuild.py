"""The wheel for aarch64, made and tried on another machine: a cross compiler, and an emulator of programs.

The engine sees of Python the stable ABI alone, whose headers say the same for all systems of 64 bits, so the machine's
own serve. The Python that the emulator runs is Debian's, unpacked with its C library; no other program of that machine
is needed, nor the kernel's help.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import debian
import environment

COMPILER = "aarch64-linux-gnu-gcc"
EMULATOR = "qemu-aarch64-static"
PACKAGES = {COMPILER: "gcc-aarch64-linux-gnu libc6-dev-arm64-cross", EMULATOR: "qemu-user-static"}
HOME = environment.CACHE / "aarch64"
LIBRARIES = HOME / "libraries"


def build(target: Path) -> Path:
    """Compile the present sources and return the wheel, in `target`."""
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if missing and not environment.apt("install", "--yes", "--no-install-recommends", *" ".join(missing).split()):
        raise debian.Unavailable(f"Debian's {' and '.join(missing)} cannot be installed")
    variables = {
        "CC": COMPILER, "LDSHARED": f"{COMPILER} -shared", "_PYTHON_HOST_PLATFORM": "linux-aarch64",
        "PATH": f"/usr/lib/ccache{os.pathsep}{environment.VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    status, text = environment.output(
        "python", "setup.py", "-q", "bdist_wheel", "--plat-name", "linux_aarch64", "--dist-dir", target,
        folder=environment.ROOT, PYTHONSAFEPATH="", **variables)
    if status:
        sys.exit(text)
    return next(target.glob("ygg-*-linux_aarch64.whl"))


def smoke(wheel: Path, program: Path) -> None:
    """Run a program on that machine's Python, with the wheel and what it requires."""
    if not (HOME / "root/usr/bin/python3.11").exists():
        debian.unpack(HOME / "root", "bookworm", ["python3.11", "libsodium23"], architecture="arm64", closure=True)
    shutil.rmtree(LIBRARIES, ignore_errors=True)
    environment.pip(
        "install", "--only-binary", ":all:", "--platform", "manylinux2014_aarch64", "--platform",
        "manylinux_2_28_aarch64", "--platform", "linux_aarch64", "--python-version", "3.11", "--target", LIBRARIES,
        "--no-deps", wheel, "cryptography", "cffi", "pycparser", "ifaddr")
    environment.pip("install", "--target", LIBRARIES, "--no-deps", "pysodium", "hjson")
    root = HOME / "root"
    done = subprocess.run(
        [EMULATOR, "-L", root, "-E", f"LD_LIBRARY_PATH={root}/usr/lib/aarch64-linux-gnu", root / "usr/bin/python3.11",
         program], env=os.environ | {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": str(LIBRARIES)},
        cwd=HOME, text=True, capture_output=True)
    print(done.stdout + done.stderr, end="", flush=True)
    if done.returncode:
        sys.exit("the program does not run on aarch64")
