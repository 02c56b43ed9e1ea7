"""ygg.sockets.calls: what threads ask of the event loop of a VTun."""

import asyncio
import concurrent.futures
import errno
import multiprocessing
import threading

import pytest

from tests.aio import run
from tests.expecting import raises_errno
from tests.sockets.threaded import Threaded
from ygg.sockets import calls
from ygg.vtun import VTun


def test_work_is_done_in_the_loop(pair: Threaded) -> None:
    async def work() -> tuple[str, object]:
        await asyncio.sleep(0)
        return threading.current_thread().name, asyncio.get_running_loop()

    assert calls.run(pair.a, work()) == ("ygg test", pair.a.loop)
    assert calls.call(pair.a, lambda: threading.current_thread().name) == "ygg test"


def test_errors_come_out_timeouts_among_them(pair: Threaded) -> None:
    async def work() -> None:
        raise TimeoutError("of the work")

    with pytest.raises(TimeoutError, match="of the work"):
        calls.run(pair.a, work())


def test_in_the_loop_itself_what_does_not_wait_is_done_and_what_would_is_refused(pair: Threaded) -> None:
    async def at_once() -> int:
        return 7

    async def waiting() -> None:
        await asyncio.sleep(10)

    assert pair.thread.call(lambda: calls.run(pair.a, at_once())) == 7
    with pytest.raises(RuntimeError, match="waits for itself"):
        pair.thread.call(lambda: calls.run(pair.a, waiting()))


def test_without_a_loop_there_is_an_error() -> None:
    vtun = VTun(["200::1"])

    async def work() -> None:
        raise AssertionError("no loop")

    with raises_errno(errno.ENETDOWN):
        calls.run(vtun, work())
    with raises_errno(errno.ENETDOWN):
        calls.submit(vtun, work())
    calls.later(vtun, lambda: None)
    run(vtun.close())


def test_what_waits_when_the_loop_ends_is_an_error(pair: Threaded) -> None:
    future = calls.submit(pair.a, asyncio.sleep(1000))

    async def cancel() -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if "sleep" in repr(task):
                task.cancel()

    pair.thread.run(cancel())
    with raises_errno(errno.ENETDOWN):
        calls.wait(pair.a, future)


def _refused(vtun: VTun, answers: "multiprocessing.connection.Connection") -> None:
    try:
        calls.loop_of(vtun)
    except RuntimeError as error:
        answers.send(str(error))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_process_is_refused(pair: Threaded) -> None:
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_refused, args=(pair.a, there))
    child.start()
    there.close()
    assert "forked" in here.recv()
    child.join()
    here.close()


def test_what_is_done_just_after_a_look_is_no_timeout(pair: Threaded) -> None:
    class Late(concurrent.futures.Future[int]):
        """Is done when the wait for it has ended."""

        def exception(self, timeout: float | None = None) -> BaseException | None:
            if not self.done():
                self.set_result(7)
                raise TimeoutError
            return super().exception(timeout)

        def result(self, timeout: float | None = None) -> int:
            if not self.done():
                self.set_result(7)
                raise TimeoutError
            return super().result(timeout)

    assert calls.wait(pair.a, Late()) == 7
