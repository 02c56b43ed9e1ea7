"""ygg stack: yggstack's options, and two nodes that they describe."""

import contextlib
import dataclasses
import logging
import re
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.cli.command import start
from tests.proxy.ends import backend, client, ports, sender
from ygg import Config, SocksNetwork, address_of, subnet_of
from ygg.cli import main
from ygg.cli.entry import make_parser
from ygg.cli.stack import Services
from ygg.daemon import Daemon
from ygg.testing import private_key, public_key


def config(number: int, **members: Any) -> Config:
    return Config(
        private_key=private_key(number), admin_listen="none", if_name="none", multicast_interfaces=[], **members)


@contextlib.asynccontextmanager
async def stack(configured: Config, *options: str) -> AsyncIterator[Daemon]:
    """Run what a command line describes."""
    arguments = make_parser()[0].parse_args(["stack", "-autoconf", *options])
    async with Daemon(configured) as daemon, Services(arguments).open(daemon):
        yield daemon


def places(caplog: pytest.LogCaptureFixture, pattern: str) -> list[int]:
    return [int(found[1]) for found in re.finditer(pattern, caplog.text)]


@on_loops
async def test_two_nodes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ygg.daemon")
    async with backend() as (served_port, served), ports("127.0.0.1") as (far,):
        out = ["-remote-tcp", f"80:127.0.0.1:{served_port}", "--remote-udp", f"53:127.0.0.1:{far.number}"]
        async with stack(config(1, listen=["tcp://127.0.0.1:0"]), *out) as one:
            host, name = address_of(public_key(1)), f"{public_key(1).hex()}.pk.ygg"
            link = str(one.core.listeners[0].url)
            into = ["-local-tcp", f"0:[{host}]:80", f"-local-tcp=127.0.0.1:0:{name}:80", "-local-udp", f"0:{name}:53",
                    "-socks", "127.0.0.1:0"]
            async with stack(config(2, peers=[link]), *into) as two:
                await until(lambda: any(peer.up for peer in two.core.peers()))
                for count, number in enumerate(places(caplog, r"TCP port 127\.0\.0\.1:(\d+) leads"), 1):
                    near = await client(number)
                    near.transport.write(b"question")
                    await until(lambda count=count: len(served) == count and served[-1].data == b"question")
                    near.transport.abort()
                assert len(served) == 2
                (number,) = places(caplog, r"UDP port 127\.0\.0\.1:(\d+) leads")
                asking = await sender(number)
                asking.transport.sendto(b"word")
                await until(lambda: asking.data == [b"WORD"])
                asking.transport.close()
                (number,) = places(caplog, r"SOCKS listener is at 127\.0\.0\.1:(\d+)")
                transport = await SocksNetwork(f"socks5://127.0.0.1:{number}").connect_stream(name, 80)
                await until(lambda: len(served) == 3)
                transport.abort()


def test_it_runs_until_told_to_end(tmp_path: Path) -> None:
    config(3).save(tmp_path / "ygg.conf")
    options = ["-useconffile", "ygg.conf", "-socks", str(tmp_path / "socks"), "-logto", "log"]
    with start(tmp_path, "stack", *options) as process:
        log = tmp_path / "log"
        while not (log.exists() and "The SOCKS listener is at" in log.read_text()):
            assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0
    assert not (tmp_path / "socks").exists()


def test_what_is_printed(tmp_path: Path, capsysbinary: Any) -> None:
    path = str(tmp_path / "ygg.conf")
    config(3).save(path)
    key = public_key(3)
    for option, shown in (("-address", address_of(key)), ("-subnet", subnet_of(key)), ("--publickey", key.hex()),
                          ("-exportkey", private_key(3).pem().strip())):
        assert main(["stack", "-useconffile", path, option]) == 0
        assert capsysbinary.readouterr().out.decode().strip() == str(shown)
    assert main(["stack", "-useconffile", path, "-normaliseconf", "-json"]) == 0
    assert Config.parse(capsysbinary.readouterr().out) == dataclasses.replace(config(3))
    assert main(["stack", "-genconf"]) == 0
    made = Config.parse(capsysbinary.readouterr().out, need_identity=True)
    assert (made.admin_listen, made.if_name) == ("none", "none")


@pytest.mark.parametrize("options", [
    [], ["-autoconf", "-useconf"], ["-autoconf", "-local-tcp", "80"], ["-autoconf", "-remote-udp", "x"],
    ["-autoconf", "-socks", ":x"], ["-autoconf", "-nameserver", "dns.example"], ["-autoconf", "-loglevel", "loud"],
    ["-autoconf", "-local-tcp", "0:[200::1]:99999"], ["-nonsense"],
])
def test_what_makes_no_sense(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stack", *options]) == 2
    assert capsys.readouterr().err


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "ygg.conf")
    config(3).save(path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"
        assert main(["stack", "-useconffile", path, "-loglevel", "error", "-socks", where]) == 1
    assert "ygg: " in capsys.readouterr().err
