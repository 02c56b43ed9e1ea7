"""Labs for the interop tests: a lab and what runs in it are shared by the tests of one file."""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.daemon import find
from tests.interop.lab import Lab, remove_leftovers
from tests.interop.net import Net


def _obstacle() -> str:
    # Why the interop tests cannot run here, or "".
    if not find("yggdrasil"):
        return os.environ.get("YGG_NO_DAEMON") or "the yggdrasil daemon is not here; tools/test fetches it"
    if not shutil.which("ip"):
        return "the ip command is missing (Debian: iproute2)"
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        return "network namespaces and TUN devices need root and /dev/net/tun"
    try:
        with Lab():
            return ""
    except OSError as error:
        return f"network namespaces do not work here: {error}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and skip them where they cannot run - which in CI is a failure of each."""
    here = Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    reason = _obstacle() if mine else ""
    for item in mine:
        item.add_marker(pytest.mark.interop)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def _clean() -> None:
    remove_leftovers()


def _running(folder: Path) -> Iterator[Net]:
    with Lab() as lab:
        net = Net(lab, folder)
        try:
            yield net
        finally:
            net.stop()


@pytest.fixture
def net(tmp_path: Path, _clean: None) -> Iterator[Net]:
    """An empty lab for one test."""
    yield from _running(tmp_path)


@pytest.fixture(scope="module")
def shared_net(tmp_path_factory: pytest.TempPathFactory, _clean: None) -> Iterator[Net]:
    """An empty lab for the tests of one file."""
    yield from _running(tmp_path_factory.mktemp("net"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    """Show what daemons and nodes said when a test failed."""
    report = yield
    labs = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Net)]
    if report.failed:
        report.sections.extend(("nodes", net.logs()) for net in labs)
    return report


