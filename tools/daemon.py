"""Brings Debian's packaged Yggdrasil daemon to .cache/yggdrasil, for the interop tests: unpacked, not installed.

The package comes from the -backports suite of the machine's own release, by the mirror the machine is configured for.
"""

import platform
import shutil
import subprocess
from pathlib import Path

import environment

HOME = environment.CACHE / "yggdrasil"
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
        if not (HOME / "usr/sbin/yggdrasil").exists():
            environment.say("fetching the packaged yggdrasil daemon")
            _fetch()
    except Unavailable as reason:
        return str(reason)
    return ""


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


def _fetch() -> None:
    address, codename = _mirror()
    keyring = next((path for path in KEYRINGS if Path(path).exists()), "")
    state = environment.CACHE / "apt"
    shutil.rmtree(state, ignore_errors=True)
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True)
    signed = f"[signed-by={keyring}] " if keyring else ""
    (state / "sources.list").write_text(f"deb {signed}{address} {codename}-backports main\n")
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
    shutil.rmtree(HOME, ignore_errors=True)
    unpacked.rename(HOME)
    shutil.rmtree(state)


def _run(command: list[str], where: Path) -> None:
    result = subprocess.run(command, cwd=where, capture_output=True, text=True)
    if result.returncode:
        last = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
        raise Unavailable(f"the yggdrasil daemon could not be fetched: {''.join(last)}")
