"""ygg as it is installed: what the wheel holds, that it works away from its sources, and what importing it does."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest

import ygg

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = """
import asyncio
from ygg import Config, Core, LoopbackNetwork, TCPTransport, TransportManager, VTun
import ygg

async def main():
    config = Config.generate()
    async with LoopbackNetwork() as network:
        manager = TransportManager(network)
        manager.register(TCPTransport())
        async with Core(config.certificate, manager) as node, VTun.over(node) as vtun:
            assert str(node.address).startswith("2"), node.address
            assert await vtun.ping(str(node.address)) >= 0

asyncio.run(main())
print(ygg.__file__)
"""


def run(python: str | Path, program: str, folder: Path) -> str:
    """Run a program away from the sources, with warnings as errors, and return what it printed."""
    result = subprocess.run([str(python), "-W", "error", "-c", program], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def installed() -> list[str]:
    """Return the files of the installed distribution, or skip the test where ygg runs from its sources."""
    if ROOT in Path(ygg.__file__).parents and ROOT / ".venv" not in Path(ygg.__file__).parents:
        pytest.skip("ygg runs from its sources here: tools/test installs it")
    return [str(path) for path in importlib.metadata.files("ygg") or []]


def test_runs_away_from_its_sources(tmp_path: Path) -> None:
    """A program in another folder imports the installed package, and its node works."""
    installed()
    assert ROOT / "ygg" not in Path(run(sys.executable, PROGRAM, tmp_path)).parents


def test_wheel_holds_what_users_need() -> None:
    """Types and declarations are shipped; sources of the engine, generated code and tests are not."""
    files = installed()
    for needed in ("ygg/py.typed", "ygg_c/py.typed", "ygg_c/stack/netstack.pyi", "ygg_c/ip/layer.pxd",
                   "ygg/__init__.py"):
        assert needed in files
    # A name that starts with ".." is the command line's, in the folder of programs.
    assert {name.split("/")[0] for name in files if ".dist-info" not in name} - {".."} == {"ygg", "ygg_c"}
    assert not [name for name in files if name.endswith((".c", ".pyx"))]


def test_every_extension_has_its_stub() -> None:
    """Each compiled module comes with a .pyi, and each .pyi with a compiled module."""
    files = [Path(name) for name in installed() if name.startswith("ygg_c/")]
    compiled = {path.with_name(path.name.split(".")[0]) for path in files if path.suffix == ".so"}
    assert compiled == {path.with_suffix("") for path in files if path.suffix == ".pyi"}


def test_what_is_installed_is_what_the_sources_have() -> None:
    """Every module of every package, with what is declared beside it, and the data; nothing that the sources lost."""
    shipped = {path.relative_to(ROOT).as_posix() for package in ("ygg", "ygg_c") for path in (ROOT / package).rglob("*")
               if path.suffix in (".py", ".pyi", ".pxd", ".typed", ".json")}
    modules = {path.relative_to(ROOT).with_suffix("").as_posix() for path in (ROOT / "ygg_c").rglob("*.pyx")}
    files = [Path(name) for name in installed() if name.startswith(("ygg/", "ygg_c/")) and "__pycache__" not in name]
    assert {path.as_posix() for path in files if path.suffix != ".so"} == shipped
    assert {path.with_name(path.name.split(".")[0]).as_posix() for path in files if path.suffix == ".so"} == modules


def test_import_does_nothing(tmp_path: Path) -> None:
    """Importing ygg starts no thread, sets up no logging or signal handler, and loads nothing optional."""
    installed()
    program = """
import asyncio, logging, signal, sys, threading
handlers = [signal.getsignal(number) for number in signal.valid_signals()]
import ygg
assert threading.active_count() == 1
assert not logging.getLogger().handlers and not logging.getLogger("ygg").handlers
assert handlers == [signal.getsignal(number) for number in signal.valid_signals()]
optional = {"httpx", "uvicorn", "netifaces", "uvloop", "hypothesis", "pyroute2"}
assert not optional & sys.modules.keys(), optional & sys.modules.keys()
"""
    run(sys.executable, program, tmp_path)


def source_distribution(folder: Path) -> Path:
    """Build the source distribution, from what git has of this tree, and return its archive."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    tree = folder / "tree"
    for name in tracked.stdout.splitlines():
        if (ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    program = "import setuptools.build_meta as backend; backend.build_sdist('..')"
    result = subprocess.run([sys.executable, "-c", program], cwd=tree, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return next(folder.glob("ygg-*.tar.gz"))


def test_the_source_distribution_holds_all_but_what_git_alone_needs(tmp_path: Path) -> None:
    """Tests, documentation, examples and tools among it; and no link of its description leads nowhere."""
    with tarfile.open(source_distribution(tmp_path)) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
        info = next(member for member in archive.getmembers() if member.name.count("/") == 1
                    and member.name.endswith("PKG-INFO"))
        file = archive.extractfile(info)
        assert file is not None
        text = file.read().decode()
    tracked = {path.relative_to(tmp_path / "tree").as_posix() for path in (tmp_path / "tree").rglob("*")
               if path.is_file()}
    assert {name for name in tracked - held if not name.startswith(("build/", "ygg.egg-info/"))} == {
        ".gitattributes", ".gitignore"}
    assert "Description-Content-Type: text/markdown" in text
    assert re.findall(r"\]\((?!https://)", text) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_pip_install(tmp_path: Path) -> None:
    """`pip install` of the source distribution into an empty environment gives a package that works."""
    sources = source_distribution(tmp_path)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(sources)]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert tmp_path / "venv" in Path(run(python, PROGRAM, tmp_path)).parents


def test_where_the_engine_is_not_compiled_one_sentence_says_so(tmp_path: Path) -> None:
    """As in the source folder, or in a wheel that was built for another kind of machine."""
    for name in ("ygg", "ygg_c"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    command = [sys.executable, "-c", "import ygg; ygg.Core"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "ImportError: ygg's engine is not compiled here, for Python" in result.stderr


def test_an_unknown_platform_is_told_when_it_is_built_for() -> None:
    """And the switch by which it can be tried."""
    program = ("import runpy, sys, sysconfig, Cython.Build, setuptools.command.build_ext\n"
               "sysconfig.get_config_vars()\n"
               "sys.platform, sys.argv = 'plan9', ['setup.py', '--version']\n"
               "runpy.run_path('setup.py', run_name='__main__')")
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("ygg is written for Linux")
    assert "plan9" in result.stderr
    assert "YGG_NO_PUMPS=1" in result.stderr
