"""ygg run."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from tests.aio import on_loops, run, until
from tests.cli.command import start
from tests.nodes import node
from ygg import Config, NativeNetwork, address_of
from ygg.cli.run import retry, serve
from ygg.daemon import Daemon
from ygg.testing import private_key, public_key


def config(**members: Any) -> Config:
    return Config(private_key=private_key(7), admin_listen="none", if_name="none", multicast_interfaces=[], **members)


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
    assert key_seen == public_key(7)
    text = "".join(lines) + error
    assert f"Your IPv6 address is {address_of(key_seen)}" in text
    assert "Traceback" not in text
    assert "hunter2" not in text
    assert private_key(7).hex()[:64] not in text


def test_sighup_redials_at_once_and_ends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    config(listen=["tcp://127.0.0.1:0"], peers=[f"unix://{tmp_path}/peer"]).save(path)
    with start(tmp_path, "run", "--config", str(path), "--loglevel", "debug") as process:
        assert process.stderr
        for _ in range(3):  # the second attempt is due two seconds after the first, the third four after that
            read_until(process.stderr, f"No link to unix://{tmp_path}/peer")
            process.send_signal(signal.SIGHUP)
            read_until(process.stderr, "SIGHUP: peers that are down are redialed now")
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in error


def test_sighup_ends_nothing_before_there_is_a_node(tmp_path: Path) -> None:
    """One that comes while the configuration is read, as from a supervisor that reloads what it has just started."""
    path = tmp_path / "ygg.conf"
    os.mkfifo(path)
    with start(tmp_path, "run", "--config", str(path)) as process:
        with path.open("w") as file:  # opens when it is read
            process.send_signal(signal.SIGHUP)
            file.write(config().to_hjson())
        assert process.stderr
        read_until(process.stderr, "Your IPv6 address is")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0


def read_until(lines: IO[str], text: str) -> str:
    """Return the line with that text."""
    return next(line for line in lines if text in line)


def test_sighup_before_the_node_runs_is_no_error() -> None:
    retry(Daemon(config()))


@pytest.mark.parametrize(("level", "least"), [("warn", 30), ("WARN", 30), ("warning", 30), ("error", 40), ("Trace", 1)])
def test_levels_are_named_as_the_stock_daemon_names_them(level: str, least: int, tmp_path: Path) -> None:
    """The level is in force while the file is read."""
    path = tmp_path / "ygg.conf"
    path.write_text("{Peer: []}")
    with start(tmp_path, "run", "--config", str(path), "--loglevel", level) as process:
        _, error = process.communicate(timeout=30)
    assert process.returncode == 1
    assert ("WARNING Unknown members of the configuration are ignored: Peer" in error) is (least <= 30)
    assert "there is no PrivateKey and no PrivateKeyPath" in error


def test_a_new_identity_where_one_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    config(group_password="p").save(path)
    keys = set()
    for more in ([], ["--new-identity"], ["--new-identity"]):
        with start(tmp_path, "run", "--config", str(path), *more) as process:
            assert process.stderr
            keys.add(read_until(process.stderr, "Your public key is").split()[-1])
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
        assert process.returncode == 0
    assert len(keys) == 3
    assert public_key(7).hex() in keys


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


FROZEN = """
import gc, os, signal, sys, threading, time
from ygg.cli import main

def watch():
    while gc.get_freeze_count() < 1000:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=watch, daemon=True).start()
sys.exit(main(sys.argv[1:]))
"""


def test_what_the_start_has_made_is_kept_out_of_garbage_collection(tmp_path: Path) -> None:
    """It ends itself when it is."""
    path = tmp_path / "ygg.conf"
    config().save(path)
    command = [sys.executable, "-c", FROZEN, "run", "--config", str(path)]
    assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


@on_loops
async def test_cancelling_ends_it() -> None:
    task = asyncio.create_task(serve(config()))
    await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
