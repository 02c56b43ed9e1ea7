"""The engine without its pumps (YGG_NO_PUMPS=1, see setup.py), beside the usual one: tools/test --no-pumps.

All but a few modules are the same, so those of the usual build are taken. The environment has a wheel of its own, and
what else tests need from .venv.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import environment

HOME = environment.CACHE / "no-pumps"
BUILT = environment.ROOT / "build/abi3"


def prepare() -> Path:
    """Return the folder of programs of that environment. `environment.prepare` has to be called before."""
    venv, stamp = HOME / "venv", HOME / "stamp"
    current = hashlib.sha256(environment.wheel().read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != current:
        environment.say("building the engine without its pumps")
        shutil.rmtree(HOME, ignore_errors=True)
        _take_over_build()
        os.environ["YGG_NO_PUMPS"] = "1"
        environment.pip("wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", HOME, environment.ROOT)
        del os.environ["YGG_NO_PUMPS"]
        status, text = environment.output("python", "-m", "venv", "--without-pip", venv)
        if status:
            sys.exit(text)
        wheel, = HOME.glob("ygg-*.whl")
        environment.pip("--python", venv / "bin/python", "install", "--no-deps", wheel)
        own, = venv.glob("lib/*/site-packages")
        shared, = environment.VENV.glob("lib/*/site-packages")
        (own / "shared.pth").write_text(f"{shared}\n")      # after its own: ygg is found there
        stamp.write_text(current)
    return venv / "bin"


def _take_over_build() -> None:
    target = BUILT.with_name(f"{BUILT.name}-no-pumps")
    shutil.rmtree(target, ignore_errors=True)
    if BUILT.exists():
        shutil.copytree(BUILT, target)
        for path in target.glob("**/ygg_c/io/*"):       # what the switch is compiled into
            path.unlink()
