"""ygg.proxy.endpoints: each listens and is connected to, and its errors are those of sockets."""

from pathlib import Path

import pytest

from tests.aio import on_loops, until
from tests.proxy.ends import Peer
from tests.vtunpair import ADDRESS_B, joined
from ygg.errors import ConnectionRefused, PathTooLong, YggError
from ygg.proxy import Endpoint, overlay, tcp, unix


async def connect(entrance: Endpoint, target: Endpoint) -> None:
    served: list[Peer] = []

    def make() -> Peer:
        served.append(Peer())
        return served[-1]

    listening = await entrance.listen(make)
    assert len(listening.addresses) == 1
    if isinstance(target, type(tcp("", 0))):
        target = tcp(target.host, int(listening.addresses[0].rpartition(":")[2]))
    transport = await target.connect(Peer)
    await until(lambda: served)
    listening.close()
    transport.close()
    await until(lambda: served[0].eof)
    served[0].transport.abort()
    await served[0].over


@on_loops
async def test_of_the_system(tmp_path: Path) -> None:
    await connect(tcp("127.0.0.1", 0), tcp("127.0.0.1", 0))
    path = unix(str(tmp_path / "served"))
    await connect(path, path)
    assert not (tmp_path / "served").exists()


@on_loops
async def test_of_the_overlay() -> None:
    async with joined() as pair:
        await connect(overlay(pair.b, ADDRESS_B, 80), overlay(pair.a, ADDRESS_B, 80))


@on_loops
async def test_a_path_that_a_dead_process_has_left(tmp_path: Path) -> None:
    path = unix(str(tmp_path / "served"), mode=0o660)
    listening = await path.listen(Peer)
    with pytest.raises(OSError, match="in use") as raised:
        await path.listen(Peer)
    assert isinstance(raised.value, YggError)
    (tmp_path / "kept").hardlink_to(tmp_path / "served")
    listening.close()
    (tmp_path / "kept").rename(tmp_path / "served")
    again = await path.listen(Peer)
    assert (tmp_path / "served").stat().st_mode & 0o777 == 0o660
    again.close()


@on_loops
async def test_errors(tmp_path: Path) -> None:
    for endpoint in (tcp("127.0.0.1", 1), unix(str(tmp_path / "served"))):
        with pytest.raises(OSError, match=r".") as raised:
            await endpoint.connect(Peer)
        assert isinstance(raised.value, YggError)
    for call in (unix("x" * 200).connect, unix("x" * 200).listen):
        with pytest.raises(PathTooLong):
            await call(Peer)
    async with joined() as pair:
        with pytest.raises(ConnectionRefused):
            await overlay(pair.a, ADDRESS_B, 1).connect(Peer)


def test_they_say_where_they_are() -> None:
    assert list(map(repr, (tcp("::1", 80), unix("/run/x")))) == ["tcp('::1', 80)", "unix('/run/x')"]
