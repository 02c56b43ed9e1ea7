"""Brings Debian's packaged Yggdrasil daemons to .cache, for the interop tests: unpacked, not installed.

One comes from the -backports suite of the machine's own release, the newest from unstable; both by the mirror that the
machine is configured for.
"""

import platform
import shutil
import subprocess
from pathlib import Path

import environment

HOME = environment.CACHE / "yggdrasil"
NEWEST = environment.CACHE / "yggdrasil-unstable"
KEYRINGS = tuple(f"/usr/share/keyrings/debian-archive-keyring.{suffix}" for suffix in ("gpg", "pgp"))
COMMANDS = {"ip": "iproute2", "ping": "iputils-ping"}


class Unavailable(Exception):
    """The daemon cannot be had here; the text says why."""


def prepare() -> str:
    """Make the daemon and the commands that its tests use available; return "" or the reason why that is impossible."""
    try:
        missing = [package for command, package in COMMANDS.items() if not shutil.which(command)]
        if missing:
            environment.say(f"installing {', '.join(missing)}")
            environment.apt("update")
            if not environment.apt("install", "--yes", "--no-install-recommends", *missing):
                raise Unavailable(f"some commands are missing (Debian: {', '.join(missing)})")
        _bring(HOME, "{codename}-backports")
    except Unavailable as reason:
        return str(reason)
    return ""


def prepare_newest() -> str:
    """The same for the daemon of Debian's unstable suite, at NEWEST."""
    try:
        _bring(NEWEST, "unstable")
        version = subprocess.run([NEWEST / "usr/sbin/yggdrasil", "-version"], capture_output=True, text=True)
    except (Unavailable, OSError) as reason:
        return str(reason)
    # Its C library may be newer than the machine's.
    return f"the newest daemon does not run here: {version.stderr.strip()}" if version.returncode else ""


def _bring(home: Path, suite: str) -> None:
    if (home / "usr/sbin/yggdrasil").exists():
        return
    address, codename = _mirror()
    suite = suite.format(codename=codename)
    environment.say(f"fetching the packaged yggdrasil daemon of {suite}")
    _fetch(home, address, suite)


def _mirror() -> tuple[str, str]:
    # The configured address of this release's main archive, and the release's codename.
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    codename = release.get("VERSION_CODENAME", "")
    if release.get("ID") != "debian" or not codename or not shutil.which("apt-get"):
        raise Unavailable("the yggdrasil daemon is taken from Debian's packages, and this is no Debian")
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        capture_output=True, text=True,
    ).stdout
    for line in listing.splitlines():
        address, suite, component = line.split()
        if suite == codename and component == "main":
            return address, codename
    raise Unavailable("no Debian mirror is configured on this machine")


def _fetch(home: Path, address: str, suite: str) -> None:
    keyring = next((path for path in KEYRINGS if Path(path).exists()), "")
    state = environment.CACHE / "apt"
    shutil.rmtree(state, ignore_errors=True)
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True)
    signed = f"[signed-by={keyring}] " if keyring else ""
    (state / "sources.list").write_text(f"deb {signed}{address} {suite} main\n")
    options = {
        "Dir::Etc::sourcelist": state / "sources.list", "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": state / "lists", "Dir::State::status": "/dev/null", "Dir::Cache": state / "cache",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-q", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    _run([*apt, "update"], state)
    _run([*apt, "download", "yggdrasil"], state)
    package = next(state.glob("yggdrasil_*.deb"))
    unpacked = state / "unpacked"
    _run(["dpkg", "-x", str(package), str(unpacked)], state)
    shutil.rmtree(home, ignore_errors=True)
    unpacked.rename(home)
    shutil.rmtree(state)


def _run(command: list[str], where: Path) -> None:
    result = subprocess.run(command, cwd=where, capture_output=True, text=True)
    if result.returncode:
        last = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
        raise Unavailable(f"the yggdrasil daemon could not be fetched: {''.join(last)}")
