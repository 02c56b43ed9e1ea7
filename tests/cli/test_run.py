"""ygg run."""

import asyncio
import contextlib
import os
import re
import signal
from pathlib import Path

import pytest

from aio import on_loops, run, until
from cli.command import start
from nodes import key, node
from ygg import Config, NativeNetwork, address_of
from ygg.cli.run import serve


def config(**members: object) -> Config:
    return Config(private_key=key(7), if_name="none", multicast_interfaces=[], **members)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_runs_in_the_foreground_until_told_to_end(number: signal.Signals, tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    config(listen=["tcp://127.0.0.1:0?password=hunter2"]).save(path)
    with start(tmp_path, "run", "--config", str(path)) as process:
        assert process.stderr
        lines = []
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"Listening at (tcp://127\.0\.0\.1:\d+)\n", line):
                break
        assert found
        key_seen = run(_call(found[1] + "?password=hunter2"))
        process.send_signal(number)
        out, error = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert key_seen == key(7).public_key
    text = "".join(lines) + error
    assert f"Your IPv6 address is {address_of(key_seen)}" in text
    assert "Traceback" not in text
    assert "hunter2" not in text
    assert key(7).hex()[:64] not in text


async def _call(url: str) -> bytes:
    async with NativeNetwork() as network, node(1, network) as caller:
        return await caller.call_peer(url)


@on_loops
async def test_gives_the_signals_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    task = asyncio.create_task(serve(config()))
    await until(lambda: signal.getsignal(signal.SIGTERM) is not before)
    os.kill(os.getpid(), signal.SIGTERM)
    await task
    assert signal.getsignal(signal.SIGTERM) == before


@on_loops
async def test_cancelling_ends_it() -> None:
    task = asyncio.create_task(serve(config()))
    await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
