"""Brings packages of Debian's to .cache, unpacked and not installed: of any suite, for any architecture.

By the mirror that the machine is configured for, and with Debian's own keys; the machine's packages stay as they are.
"""

import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import environment

KEYRINGS = tuple(f"/usr/share/keyrings/debian-archive-keyring.{suffix}" for suffix in ("gpg", "pgp"))


class Unavailable(Exception):
    """What is wanted cannot be had here; the text says why."""


def unpack(home: Path, suite: str, packages: Sequence[str], *, architecture: str = "", closure: bool = False) -> None:
    """Unpack packages of a suite to `home`; {codename} in its name is this machine's release.

    With `closure` all that they depend on comes along, C library included.
    """
    address, codename = _mirror()
    suite = suite.format(codename=codename)
    environment.say(f"fetching {', '.join(packages)} of {suite}")
    state = environment.CACHE / "apt" / home.name
    shutil.rmtree(state, ignore_errors=True)
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True)
    (state / "sources.list").write_text(f"deb {_signed()}{address} {suite} main\n")
    apt = ["apt-get", "-q", *_options(state, architecture)]
    _run([*apt, "update"], state)
    if closure:
        _run([*apt, "install", "--download-only", "--yes", "--no-install-recommends", *packages], state)
    else:
        _run([*apt, "download", *packages], state)
    for package in [*state.glob("*.deb"), *(state / "cache/archives").glob("*.deb")]:
        _run(["dpkg", "-x", str(package), str(state / "unpacked")], state)
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    (state / "unpacked").rename(home)
    shutil.rmtree(state)


def _mirror() -> tuple[str, str]:
    # The configured address of this release's main archive, and the release's codename.
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    codename = release.get("VERSION_CODENAME", "")
    if release.get("ID") != "debian" or not codename or not shutil.which("apt-get"):
        raise Unavailable("it is taken from Debian's packages, and this is no Debian")
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        capture_output=True, text=True,
    ).stdout
    for line in listing.splitlines():
        address, suite, component = line.split()
        if suite == codename and component == "main":
            return address, codename
    raise Unavailable("no Debian mirror is configured on this machine")


def _signed() -> str:
    keyring = next((path for path in KEYRINGS if Path(path).exists()), "")
    return f"[signed-by={keyring}] " if keyring else ""


def _options(state: Path, architecture: str) -> list[str]:
    options: dict[str, str | Path] = {
        "Dir::Etc::sourcelist": state / "sources.list", "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": state / "lists", "Dir::State::status": "/dev/null", "Dir::Cache": state / "cache",
        "APT::Sandbox::User": "root",
    }
    if architecture:
        options |= {"APT::Architecture": architecture, "APT::Architectures": architecture}
    return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


def _run(command: list[str], where: Path) -> None:
    result = subprocess.run(command, cwd=where, capture_output=True, text=True)
    if result.returncode:
        last = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
        raise Unavailable(f"fetching it failed: {''.join(last)}")
