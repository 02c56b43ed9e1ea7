"""ygg.sockets.routes: which of several VTuns is taken."""

import pytest

from tests.aio import on_loops
from ygg.sockets.routes import Route, at, toward
from ygg.vtun import VTun


@on_loops
async def test_the_first_that_takes_it_or_the_one_that_serves_it() -> None:
    async with VTun(["200:aaaa::1"]) as a, VTun(["200:bbbb::1"]) as b:
        routes = [Route(a, False), Route(b, False)]
        assert toward(routes, "200:cccc::1") is a
        assert toward(routes, "200:cccc::1", "200:bbbb::1") is b
        assert at(routes, "200:bbbb::1") is b
        assert at(routes, "200:cccc::1") is a
        for host in ("::1", "name.example", None):
            assert toward(routes, host) is None
            assert at(routes, host) is None
        assert at([*routes, Route(b, True)], None) is b


@pytest.mark.parametrize(("host", "everything", "takes"), [
    ("200::1", False, True), ("fe80::1", False, False), ("fe80::1", True, True), (None, True, True),
])
def test_what_one_takes(host: str | None, everything: bool, takes: bool) -> None:
    assert Route(VTun(["200::1"]), everything).takes(host) == takes
