"""ygg.proxy.routed: users, and the time to reach a host in."""

import asyncio
from typing import Any

import pytest

from tests.aio import in_virtual_time
from ygg.errors import ConnectTimeout
from ygg.proxy import Limits, Route, tcp
from ygg.proxy.routed import RoutedService


class Slow(Route):
    async def connect(self, host: str, port: int) -> asyncio.Transport:
        await asyncio.sleep(100)
        raise AssertionError


class Named:
    target = ""


class Service(RoutedService):
    async def _serve(self, connection: Any) -> None:
        raise AssertionError


@in_virtual_time
async def test_a_host_that_is_not_reached_in_time() -> None:
    service, connection = Service(tcp("127.0.0.1", 0), Slow(), Limits(connect_timeout=3.0)), Named()
    with pytest.raises(ConnectTimeout, match=r"a\.example was not reached in time"):
        await service.reach(connection, "a.example", 80)  # type: ignore[arg-type]
    assert asyncio.get_running_loop().time() < 4
    assert connection.target == "a.example:80"


@in_virtual_time
async def test_users() -> None:
    service = Service(tcp("127.0.0.1", 0), Slow(), users={"me": "secret", "empty": ""})
    assert service.wants_users
    assert service.knows("me", "secret")
    assert service.knows("empty", "")
    for user, password in (("me", "Secret"), ("you", ""), ("", ""), ("you", "secret")):
        assert not service.knows(user, password)
    assert not Service(tcp("127.0.0.1", 0), Slow()).wants_users
