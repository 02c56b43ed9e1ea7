"""A loop on a thread of its own: calls return, raise, time out and are interrupted, and the thread ends."""

import asyncio
import concurrent.futures
import contextlib
import os
import signal
import threading
import time
from typing import Any

import pytest

from tests.aio import LOOPS, factory
from ygg.blocking import LoopThread
from ygg.errors import ForkedError


@pytest.fixture(params=LOOPS)
def thread(request: pytest.FixtureRequest):
    with LoopThread("test loop", loop_factory=factory(request.param)) as running:
        yield running
    assert not running.running


async def echo(value: object, seconds: float = 0) -> object:
    await asyncio.sleep(seconds)
    return value


async def fail() -> None:
    raise KeyError("this")


def test_calls_return_and_raise(thread: LoopThread) -> None:
    assert thread.run(echo(1)) == 1
    assert thread.call(len, "four") == 4
    with pytest.raises(KeyError, match="this"):
        thread.run(fail())
    with pytest.raises(ValueError, match="invalid literal"):
        thread.call(int, "x")
    assert thread.call(asyncio.get_running_loop) is thread.loop


def test_a_timeout_ends_the_work_before_it_is_raised(thread: LoopThread) -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    with pytest.raises(TimeoutError):
        thread.run(work(), timeout=0.05)
    assert ended == [True]


def test_calls_from_many_threads_at_once(thread: LoopThread) -> None:
    results: list[object] = []
    callers = [threading.Thread(target=lambda n=n: results.append(thread.run(echo(n, 0.01)))) for n in range(20)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(results, key=str) == sorted(range(20), key=str)


def test_an_interrupt_cancels_the_call(thread: LoopThread) -> None:
    ended = threading.Event()

    async def work() -> None:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        thread.run(work())
    assert ended.wait(10)
    assert time.monotonic() - begun < 30


def test_the_loop_does_not_wait_for_itself(thread: LoopThread) -> None:
    with pytest.raises(RuntimeError, match="await"):
        thread.call(lambda: thread.run(echo(1)))


def test_after_the_end_there_are_no_calls() -> None:
    with LoopThread() as thread:
        thread.run(echo(1))
    thread.stop()
    with pytest.raises(RuntimeError, match="does not run"):
        thread.run(echo(1))
    with pytest.raises(RuntimeError, match="does not run"):
        thread.loop  # noqa: B018


def test_a_loop_that_cannot_be_made_is_an_error_of_the_caller() -> None:
    def broken() -> asyncio.AbstractEventLoop:
        raise OSError("no loop")

    with pytest.raises(OSError, match="no loop"):
        LoopThread(loop_factory=broken).start()


class Late(asyncio.SelectorEventLoop):
    """A loop that takes a call only once another thread has begun to stop it."""

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:  # type: ignore[override]
        thread = self.thread
        if thread is not None:
            self.thread = None
            self.stopper = threading.Thread(target=thread.stop)
            self.stopper.start()
            self.stopper.join(0.1)
        return super().call_soon_threadsafe(callback, *args, context=context)

    thread: LoopThread | None = None
    stopper: threading.Thread


def test_a_call_made_while_another_thread_stops_the_loop_is_taken_in_before() -> None:
    loop = Late()
    thread = LoopThread(loop_factory=lambda: loop)
    thread.start()
    loop.thread = thread
    with contextlib.suppress(concurrent.futures.CancelledError):
        assert thread.run(echo(1)) == 1
    loop.stopper.join(10)
    assert not thread.running


def test_a_child_process_is_refused_and_ends_nothing(thread: LoopThread) -> None:
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        status = 1
        try:
            try:
                thread.run(echo(1))
            except ForkedError:
                thread.stop()
                status = 0 if not thread.running else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert thread.run(echo(1)) == 1


def test_an_interrupt_while_it_starts_leaves_no_thread() -> None:
    def interrupted() -> asyncio.AbstractEventLoop:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        return factory("asyncio")()

    with pytest.raises(KeyboardInterrupt):
        LoopThread("interrupted", loop_factory=interrupted).start()
    assert "interrupted" not in [running.name for running in threading.enumerate()]
