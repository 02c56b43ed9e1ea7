"""Servers and programs that tests use, from Debian: in CI they must be there, elsewhere tests do without."""

import os
import shutil
from pathlib import Path

import environment

PACKAGES = {
    "bind9-dnsutils": lambda: shutil.which("dig"),
    "dnsmasq-base": lambda: shutil.which("dnsmasq"),
    "curl": lambda: shutil.which("curl"),
    "groff-base": lambda: shutil.which("groff"),
    "redis-server": lambda: shutil.which("redis-server"),
    "postgresql": lambda: shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
}


def prepare() -> None:
    """Install in CI what is missing; a test that lacks it fails there and says so."""
    missing = [name for name, found in PACKAGES.items() if not found()]
    if missing and os.environ.get("CI"):
        environment.say(f"installing {', '.join(missing)}")
        environment.apt("update")
        environment.apt("install", "--yes", "--no-install-recommends", *missing)
