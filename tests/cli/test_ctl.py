"""ygg.cli.ctl: `ygg ctl` as a process, against a server of the admin socket in this one."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.admin.service import serving
from tests.aio import run
from tests.cli.command import start
from ygg.admin import AdminError, Arguments, Command, Stream
from ygg.cli import ctl
from ygg.cli.entry import main


def echo(given: Arguments) -> dict[str, Any]:
    return {"what": given.text("what"), "command": given.text("command")}


def refuse(given: Arguments) -> Any:
    raise AdminError("peer is already configured")


async def lines(given: Arguments) -> AsyncIterator[dict[str, Any]]:
    yield {"events": given.text("events")}
    yield {"level": given.text("level")}


COMMANDS = (
    Command("subscribe", "", lambda given: Stream({}, lines(given)), ("events", "level")),
    Command("echo", "Say it", echo, ("what", "command")),
    Command("addPeer", "", lambda given: {}, ("uri", "interface")),
    Command("getTun", "", lambda given: {"enabled": True, "name": "tun0", "mtu": 1500}),
    Command("getNodeInfo", "", lambda given: {"ab": {"name": "x"}}, ("key",)),
    Command("refused", "", refuse),
)


def asked(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Return what `ygg ctl` ends with, and prints, while a server is at `folder`/s."""

    async def ask() -> tuple[int, str, str]:
        async with serving(folder / "s", *COMMANDS):
            process = start(folder, "ctl", f"-endpoint=unix://{folder}/s", *arguments)
            out, err = await asyncio.to_thread(process.communicate)
            return process.returncode, out, err

    return run(ask(), "asyncio")


@pytest.fixture(autouse=True)
def no_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own daemon, if there is one, is none of these tests'."""
    monkeypatch.setattr(ctl, "CONFIGURATION", tmp_path / "yggdrasil.conf")


def test_arguments_reach_the_node_whatever_they_are_called(tmp_path: Path) -> None:
    code, out, err = asked(tmp_path, "ECHO", "what=a=b", "command=c")
    assert (code, json.loads(out), err) == (0, {"what": "a=b", "command": "c"}, "")


@pytest.mark.parametrize(("arguments", "shown"), [
    (["getTun"], "│ Interface name: │ tun0 │"),
    (["-borders=false", "gettun"], " Interface name:  tun0 \n"),
    (["--json", "gettun"], '"mtu": 1500'),
    (["getNodeInfo", "key=ab"], '{\n  "name": "x"\n}\n'),
    (["--json", "getNodeInfo", "key=ab"], '{\n  "ab": {'),
    (["list"], "│ what=..., command=...  │ Say it "),
])  # fmt: skip
def test_what_is_shown(arguments: list[str], shown: str, tmp_path: Path) -> None:
    code, out, err = asked(tmp_path, *arguments)
    assert (code, err) == (0, "")
    assert shown in out


def test_of_some_commands_nothing_is_shown(tmp_path: Path) -> None:
    assert asked(tmp_path, "addpeer", "uri=tcp://127.0.0.1:1") == (0, "", "")
    assert asked(tmp_path, "-json", "addpeer", "uri=tcp://127.0.0.1:1") == (0, "{}\n", "")


def test_errors_of_the_node(tmp_path: Path) -> None:
    assert asked(tmp_path, "refused") == (1, "Admin socket returned an error: peer is already configured\n", "")
    code, out, _ = asked(tmp_path, "-json", "nosuch")
    assert (code, out) == (1, "Admin socket returned an error: unknown action 'nosuch', try 'list' for help\n")


@pytest.mark.parametrize(("arguments", "said"), [
    (["-endpoint", "unix:///nonexistent/s", "getSelf"], "cannot reach a node at unix:///nonexistent/s: No such file"),
    (["-endpoint", "tcp://127.0.0.1:1", "getSelf"], "cannot reach a node at tcp://127.0.0.1:1: Connection refused"),
    (["-endpoint", "http://x", "getSelf"], "an admin socket is unix:// or tcp://, not 'http'"),
])  # fmt: skip
def test_there_is_no_node(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ctl", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_an_argument_without_a_name(tmp_path: Path) -> None:
    code, _, err = asked(tmp_path, "echo", "=x")
    assert (code, err) == (2, "ygg: '=x' is no argument; write NAME=VALUE\n")


def test_the_packaged_daemons_configuration_says_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configuration = tmp_path / "yggdrasil.conf"
    configuration.write_text('{AdminListen: "unix:///nonexistent/other"}')
    assert main(["ctl", "getSelf"]) == 1
    assert "unix:///nonexistent/other" in capsys.readouterr().err
    for text in ("{", '{AdminListen: "http://x"}', '{AdminListen: "none"}', "{}"):
        configuration.write_text(text)
        assert main(["ctl", "-version"]) == 0
        assert main(["ctl", "getSelf"]) in (0, 1)


def test_alone_it_shows_help_and_with_version_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ctl"]) == 0
    assert "-endpoint" in capsys.readouterr().out
    assert main(["ctl", "-version"]) == 0
    assert capsys.readouterr().out.startswith("Build name: ygg\nBuild version: ")


def test_events_are_lines_until_the_node_ends(tmp_path: Path) -> None:
    code, out, err = asked(tmp_path, "subscribe", "events=peers,root", "level=debug")
    assert [json.loads(line) for line in out.splitlines()] == [{"events": "peers,root"}, {"level": "debug"}]
    assert (code, err) == (1, f"the node at unix://{tmp_path}/s has ended\n")
