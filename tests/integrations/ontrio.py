"""Running tests on trio, with two VTuns on a wire: in the event loop of another thread, or of this one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import trio

from tests.aio import run
from tests.sockets.threaded import LIMIT, threaded
from tests.vtunpair import joined

Main = Callable[[Any], Awaitable[Any]]
Runner = Callable[[Main], Any]


@pytest.fixture
def on_trio() -> Iterator[Runner]:
    """Run a coroutine function on trio, with two VTuns whose event loop has another thread."""
    with threaded() as pair:

        def whole(main: Main) -> Any:
            async def limited() -> Any:
                with trio.fail_after(LIMIT):
                    return await main(pair)

            return trio.run(limited)

        yield whole
    vars(pair).clear()


def in_a_loop(main: Main) -> Any:
    """Run a coroutine function on trio as the guest of the VTuns' own event loop."""

    async def host() -> Any:
        async with joined() as pair:
            loop = asyncio.get_running_loop()
            done: asyncio.Future[Any] = loop.create_future()
            trio.lowlevel.start_guest_run(
                main, pair, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=done.set_result,
                host_uses_signal_set_wakeup_fd=True)
            return (await done).unwrap()

    return run(host())


@pytest.fixture(params=["thread", "guest"])
def both(request: pytest.FixtureRequest) -> Runner:
    """Likewise, in each of the two ways."""
    return in_a_loop if request.param == "guest" else request.getfixturevalue("on_trio")    # type: ignore[no-any-return]
