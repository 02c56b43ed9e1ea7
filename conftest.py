"""What holds for every test: Hypothesis profiles, skips in CI, and nothing left behind.

After every test no engine object, descriptor, thread, task, timer or open transport may be left. Engine objects are
counted in the extension, descriptors in the process; what an event loop still holds is looked at as asyncio.run ends
it, for asyncio cancels and forgets it there without a word.
"""

import asyncio
import contextlib
import gc
import os
import signal
import stat
import sys
import threading
import time
import types
from collections.abc import Generator, Iterator
from typing import Any

import hypothesis
import pytest

from ygg_c.base import live

# What tests share is imported as tests.NAME. The root itself must not be on the path: ygg is the installed one.
_tests = types.ModuleType("tests")
_tests.__path__ = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "tests")]
sys.modules.setdefault("tests", _tests)

hypothesis.settings.register_profile("brief", max_examples=50, deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile(
    "long", max_examples=300, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow],
    database=hypothesis.database.DirectoryBasedExampleDatabase(".cache/hypothesis"),
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "brief")
hypothesis.settings.load_profile(PROFILE)
if PROFILE == "brief":
    # Hypothesis draws constants of the modules that are loaded as well. A test's examples would depend on the tests
    # that were imported before it; what failed in the suite could pass alone. There is no setting for this. Where a
    # release has other names for it, tests/test_same_examples.py says so; all other tests run as before.
    with contextlib.suppress(ImportError):
        from hypothesis.internal.conjecture import providers
        from hypothesis.internal.constants_ast import Constants

        providers._get_local_constants = Constants

FUZZ_UNTIL = time.monotonic() + float(os.environ.get("YGG_FUZZ_SECONDS", "inf"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol() -> bool | None:
    """Leave out the rest of a round of tools/fuzz when its time is up."""
    return True if time.monotonic() > FUZZ_UNTIL else None


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Let Ctrl-C be one for tests of it, also where the shell that began this in its background has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files of slow tests where several processes share them out, or one would be at them when all is
    done.
    """
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


# Skips

ALLOWED_SKIPS = {
    "the kernel has one congestion control only": "another is a kernel module, which a container cannot load",
    "this daemon knows no group passwords": "the packaged one may be older than 0.5.14",
    "only glibc since 2.33 tells how much memory is in use": "of other C libraries",
    "not in this uvicorn": "an option that a release has not yet, or no more",
}
"""Reasons for which a test may be skipped in CI, and why the machine there may lack what it needs."""


def _fail_a_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Make a failure of what CI must not skip."""
    if not report.skipped or hasattr(report, "wasxfail") or not os.environ.get("CI"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if reason.removeprefix("Skipped: ") not in ALLOWED_SKIPS:
        report.outcome = "failed"
        report.longrepr = f"not to be skipped in CI, see ALLOWED_SKIPS in conftest.py: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at modules that are skipped as a whole."""
    report = yield
    _fail_a_skip(report)
    return report


# Leaks

THREAD_SECONDS = 5.0
"""What a daemon thread of ours may outlast its test by: the system answers here, sooner or later."""

_left_in_loops: list[str] = []


def _look_at_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Note what a loop still holds after its main coroutine has returned."""
    tasks = [task for task in asyncio.all_tasks(loop) if not task.done()]
    _left_in_loops.extend(f"task {task.get_name()}: {task.get_coro()!r}" for task in tasks)
    # On uvloop, which shows none, the loops of tests.aio do.
    timers = [handle for handle in getattr(loop, "_scheduled", ()) if not handle.cancelled()]
    _left_in_loops.extend(f"timer {handle!r}" for handle in timers)
    for transport in [transport for transport in _transports(loop) if not transport.is_closing()]:
        _left_in_loops.append(f"transport {transport!r}")
        transport.abort()   # uvloop's close() would wait for it, and without end where warnings are errors


def _transports(loop: asyncio.AbstractEventLoop) -> list[Any]:
    if isinstance(loop, asyncio.BaseEventLoop):
        return list(loop._transports.values())  # type: ignore[attr-defined]
    # uvloop keeps its own from Python's eyes, but not from the garbage collector's. Some that never opened are closed
    # without having been closing.
    return [thing for thing in gc.get_objects() if type(thing).__module__ == "uvloop.loop"
            and hasattr(thing, "is_closing") and "closed=True" not in repr(thing)]


_cancel_all_tasks = asyncio.runners._cancel_all_tasks  # type: ignore[attr-defined]


def _look_then_cancel(loop: asyncio.AbstractEventLoop) -> None:
    # Callbacks of what was just closed or cancelled are still due: they belong to the test's own clean-up.
    _take_some_turns(loop)
    _look_at_loop(loop)
    _cancel_all_tasks(loop)
    _take_some_turns(loop)


def _take_some_turns(loop: asyncio.AbstractEventLoop) -> None:
    async def turns() -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    with contextlib.suppress(RuntimeError):
        loop.run_until_complete(turns())


asyncio.runners._cancel_all_tasks = _look_then_cancel  # type: ignore[attr-defined]


def _descriptors() -> set[str]:
    """Return the open descriptors of everything but files: sockets, pipes, event queues, devices, memory."""
    found = set()
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{name}")
            if not stat.S_ISREG(os.stat(int(name)).st_mode) or target.startswith("/memfd:"):
                found.add(f"{name} → {target}")
    return found


def pytest_collection_finish() -> None:
    """Take what was imported out of the garbage collector's sight, so that collecting after every test is cheap."""
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.new_event_loop().close()  # the first one opens a pipe that stays
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    """Remember a test that failed: its traceback keeps alive what it used."""
    report = yield
    _fail_a_skip(report)
    if report.failed:
        item.stash[_FAILED] = True
    return report


_FAILED = pytest.StashKey[bool]()


def _ended(thread: threading.Thread) -> bool:
    """Tell whether a thread ends by itself: one of ours has handed out its answer a moment before.

    Those that trio keeps wait ten seconds for more work; it has none that outlasts a run.
    """
    if thread.name.startswith("Trio thread "):
        return True
    thread.join(THREAD_SECONDS if thread.name.startswith("ygg ") else 0)
    return not thread.is_alive()


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves an engine object, descriptor, thread, task, timer or transport behind."""
    _left_in_loops.clear()
    objects, descriptors, threads = live.counts(), _descriptors(), set(threading.enumerate())
    yield
    if request.node.stash.get(_FAILED, False):
        return
    gc.collect()
    left = list(_left_in_loops)
    left += [f"{count - objects[kind]} {kind}" for kind, count in live.counts().items() if count > objects[kind]]
    left += [f"descriptor {name}" for name in sorted(_descriptors() - descriptors)]
    left += [f"thread {thread.name}" for thread in set(threading.enumerate()) - threads if not _ended(thread)]
    if left:
        pytest.fail("left behind: " + "; ".join(left), pytrace=False)
