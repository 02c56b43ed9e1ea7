"""Calls in threads that nothing waits for."""

import asyncio
import threading

import pytest

from tests.aio import on_loops, run
from ygg.autopeer import waiting
from ygg.autopeer.waiting import DaemonCall


@on_loops
async def test_what_it_returns_or_raises() -> None:
    """As if it had been called here."""
    assert await DaemonCall(lambda: 7, "test") == 7
    with pytest.raises(ZeroDivisionError):
        await DaemonCall(lambda: 1 / 0, "test")


def test_a_call_that_has_returned_runs_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its thread may take a moment longer to end: whoever has its outcome may call again."""
    end = threading.Event()

    class Lingering(threading.Thread):
        def run(self) -> None:
            super().run()
            end.wait()

    monkeypatch.setattr(waiting.threading, "Thread", Lingering)

    async def main() -> None:
        call = DaemonCall(lambda: 7, "test")
        assert await call == 7
        assert not call.is_running
        end.set()

    run(main())


def test_a_call_that_hangs_holds_up_nothing() -> None:
    """Neither whoever gives up waiting for it, nor the end of the loop."""
    answer = threading.Event()

    async def main() -> DaemonCall[bool]:
        call = DaemonCall(answer.wait, "test")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call, 0.01)
        assert call.is_running
        return call

    call = run(main())
    assert call.is_running
    answer.set()
