"""ygg.network.reject: nothing gets through."""

import pytest

from tests.aio import on_loops
from ygg.errors import NetworkUnreachable, OperationNotSupported
from ygg.network import RejectNetwork


@on_loops
async def test_everything_is_refused() -> None:
    async with RejectNetwork() as network:
        with pytest.raises(NetworkUnreachable):
            await network.resolve("localhost")
        with pytest.raises(NetworkUnreachable):
            await network.connect_stream("127.0.0.1", 1)
        with pytest.raises(NetworkUnreachable):
            await network.listen_stream("127.0.0.1", 0)
        with pytest.raises(OperationNotSupported):
            await network.listen_path("/tmp/x")
        with pytest.raises(OperationNotSupported):
            await network.connect_path("/tmp/x")
