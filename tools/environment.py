"""Makes .venv ready for the other tools: system packages, Python packages, and ygg from a wheel of the present sources.

Everything runs against the installed wheel, never against the source tree. Each step leaves a stamp, so that a
second call with unchanged sources takes a fraction of a second.
"""

import contextlib
import ctypes.util
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

if sys.version_info < (3, 11):  # noqa: UP036 - it is what a person with an older one should read
    sys.exit("ygg needs Python 3.11 or newer; this is " + sys.version.split()[0])

import tomllib

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CACHE = ROOT / ".cache"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "ygg-stamp.json"
PACKAGES = ("ygg", "ygg_c")
KIND = "".join(f"{name} " for name in ("YGG_NATIVE", "YGG_NO_PUMPS") if os.environ.get(name))     # see setup.py
SHIPPED = {".py", ".pyx", ".pxd", ".pyi", ".typed", ".json"}


def say(text: str) -> None:
    """Tell the person at the terminal what happens now."""
    print(f"# {text}", file=sys.stderr, flush=True)


def prepare(extras: Sequence[str]) -> None:
    """Bring .venv up to date with the sources and the given extras; where that is impossible, exit saying why."""
    CACHE.mkdir(exist_ok=True)
    with _locked(CACHE / "lock"):
        install_system_packages()
        _make_venv()
        _install(sorted(extras))


def run(*command: str | Path, **variables: str) -> int:
    """Run a command of .venv from the project's root, and return its exit status."""
    with subprocess.Popen([str(part) for part in command], cwd=ROOT, env=_inside(variables)) as process:
        while True:
            with contextlib.suppress(KeyboardInterrupt):    # the command has got it too, and ends in its own way
                return process.wait()


def output(*command: str | Path, folder: Path = ROOT, **variables: str) -> tuple[int, str]:
    """Run a command of .venv from a folder, and return its exit status and what it printed."""
    done = subprocess.run([str(part) for part in command], cwd=folder, env=_inside(variables), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def _inside(variables: dict[str, str]) -> dict[str, str]:
    path = f"{PYTHON.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # Without PYTHONSAFEPATH "python -m" would import ygg from the source tree, which holds no compiled engine.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return inherited | {"PATH": path, "PYTHONSAFEPATH": "1"} | variables


# System packages


def _missing() -> dict[str, str]:
    # What is missing, and the Debian package that has it.
    names = {}
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if not any(shutil.which(name) for name in (compiler, "cc", "gcc", "clang")):
        names["a C compiler"] = "gcc libc6-dev"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        names["Python's headers"] = f"python{sys.version_info.major}.{sys.version_info.minor}-dev"
    if not (ctypes.util.find_library("sodium") or ctypes.util.find_library("libsodium")):
        names["libsodium"] = "libsodium-dev"    # the library's own package has another name in each release
    if find_spec("ensurepip") is None or find_spec("venv") is None:
        names["Python's venv module"] = "python3-venv"
    return names


def apt(*arguments: str) -> bool:
    """Run apt-get as root and tell whether it worked; False where there is no apt-get or no right to use it."""
    command = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", *arguments]
    if not shutil.which("apt-get"):
        return False
    if os.geteuid() != 0:
        if not shutil.which("sudo") or subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode:
            return False
        command = ["sudo", "-n", "DEBIAN_FRONTEND=noninteractive", *command]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, stdout=sys.stderr, env=environment).returncode == 0


def install_system_packages() -> None:
    """Install what the build needs from the system; exit naming it where that is not possible."""
    missing = _missing()
    if not missing:
        return
    packages = " ".join(missing.values()).split()
    say(f"installing {', '.join(packages)}")
    apt("update")
    if apt("install", "--yes", "--no-install-recommends", *packages) and not (missing := _missing()):
        return
    sys.exit(
        f"Missing: {', '.join(missing)}. Install {'it' if len(missing) == 1 else 'them'} and run this again; "
        f"on Debian or Ubuntu: sudo apt-get install {' '.join(missing.values())}"
    )


# The virtual environment


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _stamp() -> dict[str, Any]:
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}


def _digest(paths: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        total.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return total.hexdigest()


def fingerprint(package: str) -> str:
    """Return what changes with the sources of a package, and with how they are built."""
    return _digest([path for path in _sources() if path.name == "setup.py" or path.is_relative_to(ROOT / package)])


def _sources() -> list[Path]:
    found = (path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.suffix in SHIPPED)
    return [*sorted(found), ROOT / "setup.py"]


def _settings(*tables: str) -> str:
    # The digest of some tables of pyproject.toml: most of it says how to check and test, and asks for no other build.
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    document |= {f"tool.{name}": table for name, table in document["tool"].items()}
    return hashlib.sha256(json.dumps([document[name] for name in tables]).encode()).hexdigest()


def pip(*arguments: str | Path) -> None:
    """Run pip of .venv, and exit with its command where it fails."""
    command = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    if subprocess.run([str(part) for part in command], cwd=ROOT, stdout=sys.stderr).returncode:
        sys.exit(f"This failed: pip {' '.join(map(str, arguments))}")


def _make_venv() -> None:
    if PYTHON.exists() and _stamp().get("python") == sys.version:
        return
    say(f"making {VENV.name}")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True, stdout=sys.stderr)
    STAMP.write_text(json.dumps({"python": sys.version}))


def _install(extras: list[str]) -> None:
    stamp = _stamp()
    recipe = _digest([ROOT / "setup.py"]) + _settings("build-system", "tool.setuptools") + KIND
    project = _settings("project")
    sources = _digest(_sources()) + recipe + project
    known = stamp.get("extras", []) if stamp.get("project") == project else []
    extras = sorted({*extras, *known})
    if stamp.get("sources") == sources and known == extras:
        return
    if stamp.get("recipe") != recipe:
        say("installing what the build needs")
        shutil.rmtree(ROOT / "build", ignore_errors=True)
        pip("install", *tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"])
    built = _build_wheel() if stamp.get("sources") != sources else wheel()
    if known != extras:
        say(f"installing ygg[{','.join(extras)}]")
        pip("install", f"{built}[{','.join(extras)}]")
    pip("install", "--force-reinstall", "--no-deps", built)
    STAMP.write_text(json.dumps(stamp | {"recipe": recipe, "project": project, "sources": sources, "extras": extras}))


def wheel() -> Path:
    """Return the wheel of the present sources, which `prepare` has built."""
    return next((CACHE / "wheel").glob("ygg-*.whl"))


def _build_wheel() -> Path:
    say("building the wheel")
    shutil.rmtree(CACHE / "wheel", ignore_errors=True)
    _forget_removed_sources()
    pip("wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", CACHE / "wheel", ROOT)
    return wheel()


def _forget_removed_sources() -> None:
    # setuptools packs whatever lies in build/lib*: keep only the compiled modules that still have a source.
    for path in (ROOT / "build").glob("*/lib*/**/*"):
        inside = Path(*path.relative_to(ROOT / "build").parts[2:])
        source = ROOT / inside.with_name(f"{path.name.split('.')[0]}.pyx")
        if path.is_file() and not (path.suffix == ".so" and source.exists()):
            path.unlink()
