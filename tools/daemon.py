"""Brings Debian's packaged Yggdrasil daemons to .cache, for the interop tests: unpacked, not installed.

One comes from the -backports suite of the machine's own release, the newest from unstable; both by the mirror that the
machine is configured for.
"""

import shutil
import subprocess
from pathlib import Path

import debian
import environment

HOME = environment.CACHE / "yggdrasil"
NEWEST = environment.CACHE / "yggdrasil-unstable"
COMMANDS = {"ip": "iproute2", "ping": "iputils-ping"}


def prepare() -> str:
    """Make the daemon and the commands that its tests use available; return "" or the reason why that is impossible."""
    try:
        missing = [package for command, package in COMMANDS.items() if not shutil.which(command)]
        if missing:
            environment.say(f"installing {', '.join(missing)}")
            environment.apt("update")
            if not environment.apt("install", "--yes", "--no-install-recommends", *missing):
                raise debian.Unavailable(f"some commands are missing (Debian: {', '.join(missing)})")
        _bring(HOME, "{codename}-backports")
    except debian.Unavailable as reason:
        return f"the packaged yggdrasil daemon: {reason}"
    return ""


def prepare_newest() -> str:
    """The same for the daemon of Debian's unstable suite, at NEWEST."""
    try:
        _bring(NEWEST, "unstable")
        version = subprocess.run([NEWEST / "usr/sbin/yggdrasil", "-version"], capture_output=True, text=True)
    except (debian.Unavailable, OSError) as reason:
        return str(reason)
    # Its C library may be newer than the machine's.
    return f"the newest daemon does not run here: {version.stderr.strip()}" if version.returncode else ""


def _bring(home: Path, suite: str) -> None:
    if not (home / "usr/sbin/yggdrasil").exists():
        debian.unpack(home, suite, ["yggdrasil"])
